/**
 * The read store on MongoDB: plain collections, declared indexes, one document an atomic decision; no transactions, no
 * sessions, no text search, so that a sharded cluster does all of it. What the query language means is said by
 * src/ports/conditions.ts; conditions that no index answers are looked at here, by that very code.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Json, JsonObject } from '../../../domain/event.ts'
import { documentChecksum } from '../../../ports/checksum.ts'
import type { Clock } from '../../../ports/clock.ts'
import { indexFault, matches, ordered } from '../../../ports/conditions.ts'
import {
  type Document,
  type DocumentWrite,
  type Page,
  type Plan,
  type ReadStore,
  ReadStoreError,
  type Row,
} from '../../../ports/read-store.ts'
import { connectMongo, type MongoFigures } from '../../mongodb/client.ts'
import { openMongoRecords } from '../../mongodb/records.ts'
import { countedOf, entriesOf, membersOf, projectionOf, type Stored, scalarsIn } from './plan.ts'
import { type Held, openRegistry } from './registry.ts'
import { writeDocuments } from './writes.ts'

export type MongoReadStoreOptions = {
  readonly url: string
  /** What names the address, for errors. */
  readonly setting: string
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly newId: () => string
  readonly onUnknownIndex?: (collection: string, index: string) => void
}

export type MongoReadStore = ReadStore & {
  figures(): MongoFigures
  /** Drops collections that no read model names any more; their names. */
  sweep(): Promise<readonly string[]>
  /** The winning plan of a query, as the server explains it; what stands without an index is `COLLSCAN`. */
  explain(collection: string, plan: Plan): Promise<string>
}

/** A document, or some members of it. */
type Entry = Pick<Stored, '_id' | 'c' | 'm' | 'b'> & { readonly p?: Stored['p'] }

const CHUNK = 500
const MAX_CHUNK = 2_000

const parse = (text: string): JsonObject => JSON.parse(text)
const positionOf = ({ p }: Pick<Entry, 'p'>): bigint => BigInt(p?.toString() ?? 0)

/** What it is found by follows from its body: where both are read they are compared. */
const isFoundByItself = ({ m, b }: Entry): boolean =>
  m === undefined || b === undefined || isDeepStrictEqual(m, membersOf(parse(b)))

const isSound = (stored: Entry): boolean =>
  stored.c === documentChecksum(stored._id, positionOf(stored), stored.b ?? null) && isFoundByItself(stored)

const documentOf = (stored: Entry): Document => {
  if (!isSound(stored))
    throw new ReadStoreError('damaged', `document ${stored._id} is damaged: it does not fit its checksum`)
  return { id: stored._id, position: positionOf(stored), body: parse(stored.b ?? '{}') }
}
const writeOf = (stored: Stored): DocumentWrite => {
  const { id, position, body } = documentOf(stored)
  return stored.b === undefined ? { id, position, removed: true } : { id, position, body }
}

const keysetOf = (plan: Plan, { _id, m }: Entry): readonly Json[] => [
  ...plan.order.map(each => m?.[ordered(each).member] ?? null),
  _id,
]
/** The order's members, and those that residual conditions look at. */
const lookedAt = (plan: Plan): readonly string[] => [
  ...plan.order.map(each => ordered(each).member),
  ...plan.residual.map(each => each.member),
]

/** @throws {ReadStoreError} unavailable, with what is wrong and without secrets. */
export const openMongoReadStore = async (options: MongoReadStoreOptions): Promise<MongoReadStore> => {
  const connection = await connectMongo(options.url, {
    setting: options.setting,
    fault: (code, message, cause) => new ReadStoreError(code, message, cause),
  })
  const { run } = connection
  const db = connection.client.db(connection.database)
  const { clock, newId, onUnknownIndex = () => undefined } = options
  const registry = openRegistry(db, { clock, newId, onUnknownIndex })
  const named = openMongoRecords(db, '_records', run)
  /** An empty answer may be that of a collection which is no longer there: MongoDB does not say so. */
  const onHeld = <T>(name: string, work: (held: Held) => Promise<T>, isEmpty: (found: T) => boolean): Promise<T> =>
    run(async () => {
      const held = await registry.held(name)
      const found = await work(held)
      if (!isEmpty(found)) return found
      const now = await registry.stillHeld(name)
      return now.name === held.name ? found : work(now)
    })

  const plannedOn = ({ indexes, name }: Held, { index }: Plan): void => {
    const on = JSON.stringify(index.on)
    if (!indexes.some(each => each.name === index.name && JSON.stringify(each.on) === on))
      throw new ReadStoreError('gone', `collection ${name} has no index ${index.name} on ${on}`)
  }

  const load = (name: string, ids: readonly string[]): Promise<ReadonlyMap<string, DocumentWrite>> =>
    onHeld(
      name,
      async ({ physical }) => {
        const found = new Map<string, DocumentWrite>()
        for (let at = 0; at < ids.length; at += MAX_CHUNK) {
          const cursor = physical.find({ _id: { $in: ids.slice(at, at + MAX_CHUNK) } })
          for await (const stored of cursor) found.set(stored._id, writeOf(stored))
        }
        return found
      },
      found => found.size === 0,
    )

  /** The page's entries: what `fields` names of them, or all. */
  const entries = async (held: Held, plan: Plan, fields?: Record<string, 0 | 1>): Promise<Page<Entry>> => {
    const { filter, sort, hint } = entriesOf(plan)
    const most = plan.residual.length > 0 ? plan.examine + 1 : plan.limit + 1
    const shape = fields === undefined ? {} : { projection: fields }
    const cursor = held.physical
      .find(filter, { ...shape, sort, hint, limit: most, batchSize: Math.min(most, CHUNK) })
      .map((each): Entry => each)
    const kept: Entry[] = []
    let examined = 0
    let previous: Entry | undefined
    try {
      for await (const entry of cursor) {
        if (examined >= plan.examine && previous) return { documents: kept, next: keysetOf(plan, previous), examined }
        examined += 1
        previous = entry
        if (!plan.residual.every(each => matches(entry.m ?? {}, each))) continue
        const last = kept.at(-1)
        if (kept.length === plan.limit) return { documents: kept, next: last ? keysetOf(plan, last) : null, examined }
        kept.push(entry)
      }
    } finally {
      await cursor.close()
    }
    return { documents: kept, next: null, examined }
  }

  /** Whole documents. Where many entries may be looked at for a few, bodies are read of these alone. */
  const found = async (held: Held, plan: Plan): Promise<Page> => {
    if (plan.residual.length === 0) {
      const page = await entries(held, plan)
      return { ...page, documents: page.documents.map(documentOf) }
    }
    const page = await entries(held, plan, projectionOf(lookedAt(plan)))
    const ids = page.documents.map(each => each._id)
    const stored = await held.physical.find({ _id: { $in: ids }, l: 1 }).toArray()
    const byId = new Map(stored.map(each => [each._id, documentOf(each)]))
    // What was removed between the two reads is no longer there; what was changed comes as it is now.
    return { ...page, documents: ids.flatMap(id => byId.get(id) ?? []) }
  }

  const isBlank = (page: Page<unknown>): boolean => page.documents.length === 0 && page.next === null

  return {
    ensure: (name, indexes) => run(() => registry.ensure(name, indexes)),
    drop: name => run(() => registry.drop(name)),
    collections: () => run(registry.names),
    load,
    get: async (name, ids) => {
      const found = await load(name, ids)
      return new Map([...found].flatMap(([id, each]) => ('removed' in each ? [] : [[id, each] as const])))
    },
    find: (name, plan) =>
      onHeld(
        name,
        held => {
          plannedOn(held, plan)
          return found(held, plan)
        },
        isBlank,
      ),
    select: (name, plan, members) =>
      onHeld(
        name,
        async held => {
          plannedOn(held, plan)
          const scalars = scalarsIn(held.indexes)
          for (const member of members)
            if (!scalars.has(member)) throw new TypeError(`no index of ${name} without terms has the member ${member}`)
          const page = await entries(held, plan, projectionOf([...lookedAt(plan), ...members]))
          const documents = page.documents.map(
            ({ _id, m }): Row => ({ id: _id, members: members.map(member => m?.[member] ?? null) }),
          )
          return { ...page, documents }
        },
        isBlank,
      ),
    count: (name, plan, limit) =>
      onHeld(
        name,
        held => {
          plannedOn(held, plan)
          const { filter, hint } = countedOf(plan)
          return held.physical.countDocuments(filter, { limit, hint })
        },
        found => found === 0,
      ),
    scan: (name, after, limit, onDamaged) =>
      onHeld(
        name,
        async ({ physical }) => {
          for (let from = after; ; ) {
            const found = await physical.find({ _id: { $gt: from }, l: 1 }, { sort: { _id: 1 }, limit }).toArray()
            const sound = onDamaged ? found.filter(isSound) : found
            for (const stored of found) if (onDamaged && !isSound(stored)) onDamaged(stored._id)
            from = found.at(-1)?._id ?? from
            if (sound.length > 0 || found.length < limit) return sound.map(documentOf)
          }
        },
        found => found.length === 0,
      ),
    apply: (name, writes, { consumer, value }) =>
      run(async () => {
        // The lease is looked at before and by the checkpoint itself: who lost it in between has written what the next one
        // writes too, under positions that guard what is newer.
        const held = name === '' ? undefined : await registry.stillHeld(name)
        for (const each of writes) {
          const fault = held && 'body' in each ? indexFault(held.indexes, each.body) : undefined
          if (fault) throw new TypeError(`document ${each.id} of ${name}: ${fault}`)
        }
        const stored = await registry.checkpoint(consumer)
        if (stored && stored.token > value.token)
          throw new ReadStoreError(
            'fenced',
            `${consumer}: the lease was lost, a token after ${value.token} has written`,
          )
        if (held) await writeDocuments(held, writes)
        const own = consumer === name ? held : await registry.held(consumer).catch(() => undefined)
        await registry.store(consumer, value, own)
      }),
    checkpoint: consumer => run(() => registry.checkpoint(consumer)),
    checkpoints: () => run(registry.checkpoints),
    record: named.record,
    records: named.records,
    swap: named.swap,
    ping: () => run(async () => void (await db.command({ ping: 1 }))),
    figures: connection.figures,
    sweep: () => run(registry.sweep),
    explain: (name, plan) =>
      run(async () => {
        const { physical } = await registry.held(name)
        const { filter, sort, hint } = entriesOf(plan)
        return JSON.stringify((await physical.find(filter, { sort, hint }).explain())['queryPlanner'])
      }),
    close: connection.close,
  }
}
