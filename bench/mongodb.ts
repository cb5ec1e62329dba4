/**
 * The MongoDB adapter against the bare driver on the same server in another process: the rebuild of a read model with one
 * small row a document, and the reads of a search over WordNet. The driver makes the same writes and reads: the same ids
 * looked up, the same replacements in the same bulks, the same checkpoints; the same filters, sorts, hints and projections.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type AnyBulkWriteOperation, Long, MongoClient } from 'mongodb'
import { openSqliteEventStore } from '../src/adapters/eventstore/sqlite/store.ts'
import { entriesOf, projectionOf, type Stored, storedOf } from '../src/adapters/readstore/mongodb/plan.ts'
import { openMongoReadStore } from '../src/adapters/readstore/mongodb/store.ts'
import { systemClock as clock } from '../src/app/core.ts'
import { openLog } from '../src/core/log/open.ts'
import { rebuild } from '../src/core/project/rebuild.ts'
import { parseQuery } from '../src/domain/search/query.ts'
import type { DocumentWrite, Plan, ReadStore } from '../src/ports/read-store.ts'
import { search } from '../src/queries/search.ts'
import { noMongo, startMongo } from '../tests/support/mongodb.ts'
import {
  type Bench,
  type BenchRow,
  inFolder,
  interleave,
  main,
  median,
  ratioOf,
  short,
  type Timing,
  timed,
} from './bench.ts'
import { edited, fill, noKeys, readAndParse, small } from './rebuild.ts'
import { COLLECTION, loadWordnet, misspelt, numbers, searchIndexOn } from './wordnet.ts'

const REACH = 0.8

type Call =
  | { readonly kind: 'load'; readonly ids: readonly string[] }
  | { readonly kind: 'apply'; readonly writes: readonly DocumentWrite[] }
type Read =
  | { readonly kind: 'get'; readonly ids: readonly string[] }
  | { readonly kind: 'find'; readonly plan: Plan }
  | { readonly kind: 'select'; readonly plan: Plan; readonly members: readonly string[] }

/** What a rebuild asks of its store, in order. */
const recordingWrites = (store: ReadStore, calls: Call[]): ReadStore => ({
  ...store,
  load: (name, ids) => {
    calls.push({ kind: 'load', ids: [...ids] })
    return store.load(name, ids)
  },
  apply: (name, writes, checkpoint) => {
    calls.push({ kind: 'apply', writes: [...writes] })
    return store.apply(name, writes, checkpoint)
  },
})

const recordingReads = (store: ReadStore, reads: Read[]): ReadStore => ({
  ...store,
  get: (name, ids) => {
    reads.push({ kind: 'get', ids: [...ids] })
    return store.get(name, ids)
  },
  find: (name, plan) => {
    reads.push({ kind: 'find', plan })
    return store.find(name, plan)
  },
  select: (name, plan, members) => {
    reads.push({ kind: 'select', plan, members })
    return store.select(name, plan, members)
  },
})

/** As large as the adapter's, so that the server does the same work for both. */
const BULK = 250

/** The driver alone: documents in the adapter's form, made by hand. */
const writeBare = async (client: MongoClient, database: string, calls: readonly Call[]): Promise<void> => {
  const documents = client.db(database).collection<Stored>(`bare-${randomUUID()}`)
  const checkpoints = client.db(database).collection<{ _id: string; position: Long; token: number }>('bare-checkpoints')
  for (const call of calls) {
    if (call.kind === 'load') {
      for (const each of await documents.find({ _id: { $in: [...call.ids] } }).toArray()) JSON.parse(each.b ?? '{}')
      continue
    }
    for (let at = 0; at < call.writes.length; at += BULK) {
      const operations = call.writes.slice(at, at + BULK).map((write): AnyBulkWriteOperation<Stored> => {
        const filter = { _id: write.id, p: { $lt: Long.fromBigInt(write.position) } }
        const replacement = storedOf(write.id, write.position, 'body' in write ? write.body : {})
        return { replaceOne: { filter, replacement, upsert: true } }
      })
      await documents.bulkWrite(operations, { ordered: false, writeConcern: { w: 'majority' } })
    }
    const position = Long.fromBigInt(call.writes.at(-1)?.position ?? 0n)
    await checkpoints.updateOne({ _id: 'small' }, { $set: { position, token: 1 } }, { upsert: true })
  }
}

const rebuilds = (url: string, database: () => string, quick: boolean): Promise<readonly BenchRow[]> =>
  inFolder(async folder => {
    const events = quick ? 500 : 40_000
    const store = await openSqliteEventStore({ path: join(folder, 'events.db'), clock })
    const client = await MongoClient.connect(url, { useBigInt64: true })
    try {
      await fill(store, events / 8, 8)
      const log = openLog({ store, keys: noKeys, types: [edited] })
      const build = async (calls?: Call[]): Promise<Timing> => {
        const opened = await openMongoReadStore({
          url: database(),
          setting: 'LEXICHRON_READ_STORE',
          clock,
          newId: randomUUID,
        })
        const reads = calls ? recordingWrites(opened, calls) : opened
        const { signal } = new AbortController()
        const timing = await timed(async () => {
          await rebuild({ projection: small, log, store: reads, clock, nodeId: randomUUID(), signal })
        })
        await opened.close()
        return timing
      }
      const calls: Call[] = []
      await build(calls)
      const times = await interleave<Timing>(quick ? 1 : 3, {
        ours: () => build(),
        peer: () =>
          timed(async () => {
            await readAndParse(store)
            await writeBare(client, `bare_${randomUUID().slice(0, 8)}`, calls)
          }),
      })
      return rowsOf(times, 'rebuild on MongoDB, one small row a document', 'the log parsed, the bare driver', events)
    } finally {
      await client.close()
      await store.close()
    }
  })

const rowsOf = (
  times: ReadonlyMap<string, readonly Timing[]>,
  work: string,
  against: string,
  units: number,
): readonly BenchRow[] =>
  (['elapsed', 'cpu'] as const).map((measure): BenchRow => {
    const [ours = [], peer = []] = ['ours', 'peer'].map(name => (times.get(name) ?? []).map(each => each[measure]))
    const ratio = ratioOf(peer, ours)
    const rate = (all: readonly number[]): string => `${short((units * 1_000) / median(all))}/s`
    return {
      work: `${work} (${measure === 'cpu' ? 'CPU' : 'wall'})`,
      against,
      ours: rate(ours),
      peer: rate(peer),
      ratio,
      reach: `>= ${REACH}`,
      met: ratio >= REACH,
    }
  })

const readBare = async (client: MongoClient, database: string, physical: string, reads: readonly Read[]) => {
  const documents = client.db(database).collection<Stored>(physical)
  let seen = 0
  for (const read of reads) {
    if (read.kind === 'get') {
      for (const { b } of await documents.find({ _id: { $in: [...read.ids] } }).toArray())
        seen += Object.keys(JSON.parse(b ?? '{}')).length > 0 ? 1 : 0
      continue
    }
    const { plan } = read
    const { filter, sort, hint } = entriesOf(plan)
    const most = plan.residual.length > 0 ? plan.examine + 1 : plan.limit + 1
    const members = read.kind === 'select' ? read.members : plan.residual.map(each => each.member)
    const looked = [...plan.order.map(each => each.replace(/^-/, '')), ...plan.residual.map(each => each.member)]
    const slim = read.kind === 'select' || plan.residual.length > 0
    const projection = slim ? { projection: projectionOf([...looked, ...members]) } : {}
    const found = await documents
      .find(filter, { ...projection, sort, hint, limit: most, batchSize: Math.min(most, 500) })
      .toArray()
    seen += found.length
    if (read.kind === 'select') continue
    const whole = slim
      ? await documents.find({ _id: { $in: found.slice(0, plan.limit).map(each => each._id) }, l: 1 }).toArray()
      : found
    for (const { b } of whole) JSON.parse(b ?? '{}')
  }
  return seen
}

const searches = async (url: string, quick: boolean): Promise<readonly BenchRow[]> => {
  const store = await openMongoReadStore({ url, setting: 'LEXICHRON_READ_STORE', clock, newId: randomUUID })
  const client = await MongoClient.connect(url, { useBigInt64: true })
  try {
    const words = await loadWordnet(store, quick ? 500 : 1_000)
    const random = numbers(7)
    const single = words.map(each => each.lemma).filter(each => /^[a-z]{5,14}$/.test(each))
    const reads: Read[] = []
    const index = searchIndexOn(recordingReads(store, reads))
    const most = quick ? 10 : 20
    for (let n = 0; n < most; n += 1) {
      const word = single[Math.floor(random() * single.length)] ?? 'word'
      const typed = [word, misspelt(word, random), `${word.slice(0, 3)}*`][n % 3] ?? word
      const query = parseQuery(typed, { language: 'en', fuzzy: 'auto' })
      if ('fault' in query) continue
      await search(index, { query, filters: { language: 'en' }, fields: undefined, limit: 10 })
    }
    const { databaseName } = client.db()
    const held = await client
      .db()
      .collection<{ _id: string; physical: string }>('_collections')
      .findOne({ _id: COLLECTION })
    const times = await interleave<Timing>(quick ? 1 : 3, {
      ours: () =>
        timed(async () => {
          for (const read of reads)
            if (read.kind === 'get') await store.get(COLLECTION, read.ids)
            else if (read.kind === 'find') await store.find(COLLECTION, read.plan)
            else await store.select(COLLECTION, read.plan, read.members)
        }),
      peer: () => timed(() => readBare(client, databaseName, held?.physical ?? '', reads)),
    })
    return rowsOf(times, `reads of ${most} searches on MongoDB`, 'the bare driver', reads.length)
  } finally {
    await client.close()
    await store.close()
  }
}

export const run: Bench['run'] = async ({ quick }) => {
  const missing = noMongo()
  if (missing !== undefined)
    return [{ work: 'MongoDB', against: '', ours: '', peer: '', reach: '', met: null, note: missing }]
  const ends: (() => unknown)[] = []
  const server = await startMongo({ teardown: end => void ends.push(end) })
  try {
    return [...(await rebuilds(server.url, server.database, quick)), ...(await searches(server.database(), quick))]
  } finally {
    for (const end of ends) await end()
  }
}

await main(import.meta, run)
