// Asks the vendor's own libraries: JSON on standard input, JSON on standard output.
import {createRequire} from 'node:module'

const require = createRequire(process.cwd() + '/package.json')

async function signatures(questions) {
  const {isValidSignature, encodeSignatureHeader} = require('@sanity/webhook')
  return Promise.all(
    questions.map(async ({body, header, secret, at}) => {
      const text = Buffer.from(body, 'base64').toString('utf8')
      return header ? isValidSignature(text, header, secret) : encodeSignatureHeader(text, at, secret)
    }),
  )
}

async function tour({url, token}) {
  const {createClient} = require('@sanity/client')
  const client = createClient({
    apiHost: url, useProjectHostname: false, projectId: 'a1b2c3d4', dataset: 'production',
    apiVersion: '2025-02-19', token, useCdn: false, perspective: 'raw',
  })
  const said = {heard: []}
  let changed
  const heard = new Promise((done) => {
    const listener = client.listen('*[_type == "product"]', {}, {events: ['welcome', 'mutation'], visibility: 'query'})
    const open = listener.subscribe(async (event) => {
      said.heard.push(event.type === 'welcome' ? 'welcome' : `${event.transition} ${event.documentId}`)
      if (event.type === 'welcome') changed = change()
      if (event.transition === 'disappear') {
        open.unsubscribe()
        done(changed) // and what is asked after the deletion
      }
    })
  })
  async function change() {
    said.created = await client.create({_id: 'cup', _type: 'product', title: 'Cup', tags: ['a']})
    const patch = client.patch('cup').ifRevisionId(said.created._rev).set({title: 'Glass'}).inc({stock: 2})
    said.patched = await patch.append('tags', ['b']).commit()
    said.stale = await client.patch('cup').ifRevisionId(said.created._rev).set({title: 'x'}).commit().catch((error) => ({
      status: error.statusCode, type: error.details.items[0].error.type, message: error.message,
    }))
    const both = client.transaction().createIfNotExists({_id: 'cup', _type: 'product'}).delete('mug')
    said.transaction = await both.transactionId('by-client').commit()
    said.repeated = await both.commit().catch((error) => ({status: error.statusCode, type: error.response.body.error.type}))
    said.fetched = await client.fetch('*[_type == $type] | order(_id asc){_id, "brand": brand->name}', {type: 'product'})
    said.document = await client.getDocument('cup')
    await client.delete('cup')
  }
  await heard
  said.wrong = await client.fetch('*[_type ==').catch((error) => ({status: error.statusCode, type: error.details?.type}))
  const stranger = client.withConfig({token: 'nobody'})
  said.stranger = await stranger.fetch('*').catch((error) => error.statusCode)
  return said
}

const chunks = []
for await (const chunk of process.stdin) chunks.push(chunk)
const asked = JSON.parse(Buffer.concat(chunks).toString('utf8'))
process.stdout.write(JSON.stringify(asked.url ? await tour(asked) : await signatures(asked)))
process.exit(0)
