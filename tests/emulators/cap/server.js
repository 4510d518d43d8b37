// What SAP's CAP server leaves out and an S/4HANA has: change stamps, CSRF tokens; and a hand of the tests on it.
// Runs in a project folder that __init__.py writes. The control port takes POST /NAME with a JSON body; see `control` below.
const cds = require('@sap/cds')
const http = require('http')
const crypto = require('crypto')
const cov2ap = require('@cap-js-community/odata-v2-adapter')

const options = JSON.parse(process.env.CAP_OPTIONS)
const inner = crypto.randomBytes(16).toString('hex') // the V2 adapter asks the V4 service over HTTP: that is not counted again
const WRITES = new Set(['POST', 'PUT', 'PATCH', 'MERGE', 'DELETE'])
const KEPT = ['if-match', 'accept', 'accept-language', 'sap-language', 'sap-client', 'content-type', 'prefer', 'x-http-method',
  'x-csrf-token', 'authorization', 'dataserviceversion', 'odata-version', 'x-requested-with', 'apikey']
let state, service, main, port
const fresh = () => ({ faults: [], refused: {}, seen: [], mutations: 0, sessions: new Map(), csrf: options.csrf,
  authorization: options.authorization, started: null })
state = fresh()

process.stdin.on('end', () => process.exit()).resume() // whoever started us is gone

// --- stamps ------------------------------------------------------------------------------------------------------------
let last = 0
function now() { // strictly growing: two writes never look like one
  last = Math.max(Date.now(), last + 1)
  return new Date(last).toISOString()
}

function stamped(entity, row, created, at = now()) {
  const has = entity.elements
  for (const name of ['LastChangeDateTime', 'changedAt']) if (has[name]) row[name] = at
  if (has.LastChangeDate) row.LastChangeDate = at.slice(0, 10)
  if (has.LastChangeTime) row.LastChangeTime = at.slice(11, 19)
  if (has.ETag) row.ETag = 'SAP_' + at.replace(/\D/g, '')
  if (created && has.CreationDate) row.CreationDate = at.slice(0, 10)
  return row
}

async function numbered(entity, row) {
  if (!entity.elements.id || row.id != null) return row
  const [{ top }] = await cds.db.run(`SELECT coalesce(max(id), 0) AS top FROM ${table(entity)}`)
  row.id = Number(top) + 1
  return row
}

const table = entity => entity.name.replace(/\./g, '_')
const keys = entity => Object.keys(entity.keys).filter(name => !entity.elements[name].isAssociation)

cds.on('served', async () => {
  service = Object.values(cds.services).find(each => each.definition && each.definition['@path'] !== '/$' && each.name !== 'db'
    && Object.keys(each.entities || {}).length)
  service.before(['CREATE', 'UPDATE'], async req => {
    state.mutations += 1
    await refuse(req)
    if (req.event === 'CREATE') await taken(req, await numbered(req.target, req.data))
    stamped(req.target, req.data, req.event === 'CREATE')
  })
  service.before('DELETE', async req => { state.mutations += 1; await refuse(req) })
  for (const entity of Object.values(service.entities)) await stampSeeds(entity)
})

async function refuse(req) {
  const key = { ...req.data, ...(req.params.at(-1) ?? {}) }
  const found = keys(req.target).map(name => state.refused[key[name]]).find(Boolean)
  if (found) req.reject({ status: found.status, code: found.code, message: found.message })
}

async function taken(req, row) { // CAP on SQLite says 500 to a key that is there already, an S/4HANA 400
  const key = Object.fromEntries(keys(req.target).map(name => [name, row[name]]))
  if (await SELECT.one.from(req.target).where(key)) req.reject({ status: 400, code: 'MC/601', message: 'Object already exists' })
}

async function stampSeeds(entity) {
  const field = ['LastChangeDateTime', 'changedAt', 'ETag'].find(name => entity.elements[name])
  if (field) await UPDATE(entity).set(stamped(entity, {}, false)).where({ [field]: null })
}

// --- what stands before the service ------------------------------------------------------------------------------------
cds.on('bootstrap', app => {
  app.listen = wanted => (main = http.createServer(app).listen(wanted, '127.0.0.1'))
  app.use((req, res, next) => {
    if (req.headers['x-inner'] === inner) return next()
    note(req, res)
    const fault = faultFor(req)
    if (fault) return misbehave(fault, req, res, () => guarded(req, res, next))
    guarded(req, res, next)
  })
  app.use(cov2ap({ bodyParserLimit: '100mb', continueOnError: true })) // an S/4HANA goes on behind a bad change set
})

function note(req, res) {
  const headers = Object.fromEntries(KEPT.filter(name => req.headers[name]).map(name => [name, req.headers[name]]))
  const one = { method: req.headers['x-http-method'] || req.method, url: decodeURIComponent(req.url), headers, status: 0 }
  state.seen.push(one)
  if (state.seen.length > 20000) state.seen.splice(0, 10000)
  res.on('finish', () => { one.status = res.statusCode })
}

function guarded(req, res, next) {
  if (state.authorization && req.headers.authorization !== state.authorization) {
    res.writeHead(401, { 'content-type': 'text/html', 'www-authenticate': 'Basic realm="SAP NetWeaver"' })
    return res.end('<html><body>Anmeldung fehlgeschlagen</body></html>')
  }
  if (state.csrf && !tokenHolds(req, res)) {
    res.writeHead(403, { 'content-type': 'text/plain', 'x-csrf-token': 'Required' })
    return res.end('CSRF token validation failed')
  }
  req.headers['x-inner'] = inner
  next()
}

function tokenHolds(req, res) {
  const cookie = /SAP_SESSIONID_S4_100=([^;]+)/.exec(req.headers.cookie || '')?.[1]
  const given = req.headers['x-csrf-token'] || ''
  if (WRITES.has(req.method)) return cookie && state.sessions.get(cookie) === given
  if (given.toLowerCase() !== 'fetch') return true
  const session = state.sessions.has(cookie) ? cookie : crypto.randomBytes(12).toString('hex')
  if (session !== cookie) state.sessions.set(session, crypto.randomBytes(16).toString('base64'))
  res.setHeader('x-csrf-token', state.sessions.get(session))
  res.setHeader('set-cookie', [`SAP_SESSIONID_S4_100=${session}; path=/; HttpOnly`, 'sap-usercontext=sap-client=100; path=/'])
  return true
}

function faultFor(req) {
  const method = req.headers['x-http-method'] || req.method
  const found = state.faults.find(each => each.times > 0 && (!each.method || each.method.includes(method))
    && (!each.path || new RegExp(each.path).test(decodeURIComponent(req.url))))
  if (!found) return null
  if (found.after > 0) { found.after -= 1; return null }
  found.times -= 1
  return found
}

function misbehave(fault, req, res, next) {
  const cut = () => req.socket.destroy()
  if (fault.kind === 'cut') return cut()
  if (fault.kind === 'slow') return setTimeout(next, fault.ms)
  if (fault.kind === 'expire') { state.sessions.clear(); return next() }
  if (fault.kind === 'status') {
    res.writeHead(fault.status, { 'content-type': fault.type || 'application/json', ...fault.headers })
    return res.end(fault.body ?? JSON.stringify({ error: { code: 'SY/530', message: 'made to fail' } }))
  }
  res.write = () => true // the others do the work and spoil the answer
  res.end = () => fault.kind === 'lost' ? cut() : spoil(fault, res.socket)
  next()
}

function spoil(fault, socket) {
  const body = fault.body ?? '{"value": [{"id"'
  const length = fault.kind === 'half' ? body.length + 1000 : body.length
  const head = `HTTP/1.1 ${fault.status ?? 200} OK\r\ncontent-type: application/json\r\nconnection: close\r\n`
  socket.end(`${head}content-length: ${length}\r\n\r\n${body}`)
}

// --- the tests' hand ---------------------------------------------------------------------------------------------------
const entityOf = name => service.entities[name]
const withDefaults = (entity, row) => ({ ...Object.fromEntries(Object.values(entity.elements)
  .filter(each => each.default?.val !== undefined).map(each => [each.name, each.default.val])), ...row })

const control = {
  async reset({ page }) {
    const csrf = options.csrf, authorization = options.authorization
    state = { ...fresh(), csrf, authorization }
    for (const entity of Object.values(service.entities)) await cds.db.run(DELETE.from(entity))
    return control.page({ page: page ?? options.page })
  },
  async put({ entity, row }) {
    const target = entityOf(entity), names = keys(target)
    const key = Object.fromEntries(names.filter(name => row[name] != null).map(name => [name, row[name]]))
    const whole = names.length === Object.keys(key).length
    if (whole && await SELECT.one.from(target).where(key)) await UPDATE(target).set(stamped(target, { ...row }, false)).where(key)
    else await INSERT.into(target).entries(await numbered(target, row = stamped(target, withDefaults(target, row), true)))
    return Object.fromEntries(names.map(name => [name, row[name]]))
  },
  async rows({ entity, rows, ago }) {
    const target = entityOf(entity)
    const begun = Date.now() - rows.length - 1000 * (ago ?? 0) // in the past; a hundred rows share a stamp, as after a mass change
    const at = n => new Date(begun + Math.floor(n / 100)).toISOString()
    const seeds = rows.map((row, n) => stamped(target, withDefaults(target, row), true, at(n)))
    for (let at = 0; at < seeds.length; at += 5000) await INSERT.into(target).entries(seeds.slice(at, at + 5000))
    return seeds.length
  },
  async many({ entity, rows }) { // a mass change: all of it is seen at once
    const target = entityOf(entity), names = keys(target)
    await cds.tx(async tx => {
      for (const row of rows) {
        const key = Object.fromEntries(names.map(name => [name, row[name]]))
        await tx.run(UPDATE(target).set(stamped(target, { ...row }, false)).where(key))
      }
    })
    return rows.length
  },
  async fill({ entity, count, row, text, number }) { // key and one text field follow the row number
    const [key] = keys(entityOf(entity))
    const made = Array.from({ length: count }, (_, n) => ({ ...row, [key]: number ? n + 1 : `M${String(n + 1).padStart(7, '0')}`,
      ...(text ? { [text]: `Number ${n + 1}` } : {}) }))
    return control.rows({ entity, rows: made })
  },
  async drop({ entity, key }) { return DELETE.from(entityOf(entity)).where(key) },
  async held({ entity, key }) { return (await SELECT.one.from(entityOf(entity)).where(key)) ?? null },
  async count({ entity }) { return (await SELECT.one.from(entityOf(entity)).columns('count(*) as n')).n },
  async faults({ faults }) { state.faults = faults.map(each => ({ times: 1, after: 0, ...each })) },
  async refuse({ refused }) { state.refused = refused },
  async expire() { state.sessions.clear() },
  async login({ authorization }) { state.authorization = authorization },
  async page({ page }) {
    for (const entity of Object.values(service.entities)) {
      const cached = Object.getOwnPropertySymbols(entity).find(each => each.description === '@cds.query.limit')
      Object.defineProperty(entity, '@cds.query.limit.default', { value: page ?? 1000, configurable: true, writable: true })
      Object.defineProperty(entity, '@cds.query.limit.max', { value: page ?? 1000, configurable: true, writable: true })
      if (cached) Object.defineProperty(entity, cached, { value: { default: page ?? 1000, max: page ?? 1000 }, configurable: true,
        writable: true })
    }
  },
  async seen() { return { seen: state.seen, mutations: state.mutations } },
  async down() { const closed = new Promise(done => main.close(done)); main.closeAllConnections(); await closed },
  async up() { if (!main.listening) await new Promise(done => main.listen(port, '127.0.0.1', done)) },
}

cds.once('listening', () => {
  port = main.address().port
  const hand = http.createServer((req, res) => {
    const parts = []
    req.on('data', part => parts.push(part))
    req.on('end', async () => {
      const answer = body => { res.setHeader('content-type', 'application/json'); res.end(JSON.stringify(body ?? null)) }
      try {
        const found = control[req.url.slice(1)]
        if (!found) throw new Error(`no such control: ${req.url}`)
        answer(await found(JSON.parse(Buffer.concat(parts).toString() || '{}')))
      } catch (error) { res.statusCode = 500; answer({ error: String(error.stack) }) }
    })
  }).listen(options.control, '127.0.0.1', async () => {
    await control.page({ page: options.page })
    console.log('READY ' + JSON.stringify({ port, control: hand.address().port, paths: service.path }))
  })
})
