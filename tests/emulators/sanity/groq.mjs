// The dataset, as the vendor's own GROQ evaluator (groq-js) sees it: JSON lines in, JSON lines out, answered in order.
// {put: [documents], drop: [ids]} | {query, params, perspective, after?, window?} | {match, params, documents}
import {createRequire} from 'node:module'
import {createInterface} from 'node:readline'

const require = createRequire(process.argv[2] + '/package.json')
const {parse, evaluate} = require('groq-js')

const documents = new Map()
const views = new Map() // perspective -> list of documents, until something changes
const VERSIONED = /^(drafts|versions)\./

function visible(perspective) {
  if (!views.has(perspective)) views.set(perspective, seenAs(perspective))
  return views.get(perspective)
}

function seenAs(perspective) {
  const all = [...documents.values()]
  if (perspective === 'raw') return all
  const published = all.filter((one) => !VERSIONED.test(one._id))
  if (perspective === 'published') return published
  const drafts = all.filter((one) => one._id.startsWith('drafts.'))
  const edited = new Set(drafts.map((one) => one._id.slice(7)))
  const shown = drafts.map((one) => ({...one, _id: one._id.slice(7), _originalId: one._id}))
  return shown.concat(published.filter((one) => !edited.has(one._id)))
}

// The documents after an id, at most so many: what a test of a hundred thousand can afford to sort.
function windowed(list, after, size) {
  if (!views.has('sorted')) views.set('sorted', [...list].sort((a, b) => (a._id < b._id ? -1 : 1)))
  const sorted = views.get('sorted')
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]._id > after) high = middle
    else low = middle + 1
  }
  return sorted.slice(low, low + size)
}

async function value(query, params, dataset) {
  const found = await evaluate(parse(query, {params}), {
    dataset, params, dereference: async ({_ref}) => documents.get(_ref) ?? null,
  })
  return (await found.get()) ?? null
}

async function answer(asked) {
  if (asked.put || asked.drop) {
    for (const one of asked.put ?? []) documents.set(one._id, one)
    for (const id of asked.drop ?? []) documents.delete(id)
    views.clear()
    return null
  }
  if (asked.match) {
    const found = asked.documents.map(async (one) => one !== null && (await value(asked.match, asked.params, [one])).length > 0)
    return Promise.all(found)
  }
  const list = visible(asked.perspective)
  return value(asked.query, asked.params, asked.window ? windowed(list, asked.after, asked.window) : list)
}

for await (const line of createInterface({input: process.stdin})) {
  let said
  try {
    said = {result: await answer(JSON.parse(line))}
  } catch (error) {
    said = {error: {description: error.message, start: error.position ?? 0}}
  }
  process.stdout.write(JSON.stringify(said) + '\n')
}
