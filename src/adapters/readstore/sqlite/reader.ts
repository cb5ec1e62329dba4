/** Reads over one connection: documents by id, pages of an index, checkpoints and records. */
import type { Json, JsonObject } from '../../../domain/event.ts'
import { matches } from '../../../ports/conditions.ts'
import type {
  Checkpoint,
  CollectionName,
  Document,
  DocumentWrite,
  Indexes,
  Page,
  Plan,
  Row,
} from '../../../ports/read-store.ts'
import { ReadStoreError } from '../../../ports/read-store.ts'
import type { Sqlite, SqlValue, Statement } from '../../sqlite.ts'
import { type IndexLayout, type Layout, layoutOf, restored } from './layout.ts'
import { intervalOf, intervalSql, piecesAfter } from './ranges.ts'
import { countSql, type Source, sourceOf } from './source.ts'
import { type Db, type Entry, merged } from './streams.ts'

export type Reader = {
  readonly db: Sqlite
  collections(): readonly CollectionName[]
  load(collection: CollectionName, ids: readonly string[]): readonly DocumentWrite[]
  find(collection: CollectionName, plan: Plan): Promise<Page>
  select(collection: CollectionName, plan: Plan, members: readonly string[]): Promise<Page<Row>>
  count(collection: CollectionName, plan: Plan, limit: number): number
  scan(collection: CollectionName, after: string, limit: number): readonly Document[]
  checkpoints(consumer?: string): ReadonlyMap<string, Checkpoint>
  record(name: string): string | undefined
  records(prefix: string): ReadonlyMap<string, string>
}

/** Milliseconds of examining before other work of the process has its turn. */
const TURN_MS = 8
const MAX_STATEMENTS = 400

const bodyOf = (text: string): JsonObject => {
  const value: unknown = JSON.parse(text)
  return value as JsonObject
}

type BodyRow = readonly [string, bigint, string]

/** As read: a damaged row may hold anything. */
type CheckpointRow = readonly [string, SqlValue, SqlValue, SqlValue, SqlValue]

/** A checkpoint that makes no sense belongs to no log: its consumer begins anew. Its token still counts. */
const checkpointOf = ([, logId, position, eventId, token]: CheckpointRow): Checkpoint => {
  const held = typeof token === 'bigint' && token >= 0n && token <= Number.MAX_SAFE_INTEGER ? Number(token) : 0
  if (typeof logId === 'string' && typeof position === 'bigint' && position >= 0n && typeof eventId === 'string')
    return { logId, position, eventId, token: held }
  return { logId: '', position: 0n, eventId: '', token: held }
}

export const openReader = (db: Sqlite): Reader => {
  const statements = new Map<string, Statement<readonly SqlValue[]>>()
  const statement = <Row extends readonly SqlValue[]>(sql: string, bigints = false): Statement<Row> => {
    const known = statements.get(sql)
    const found = known ?? db.prepare(sql, { bigints })
    statements.delete(sql)
    statements.set(sql, found)
    if (statements.size > MAX_STATEMENTS)
      for (const oldest of statements.keys()) {
        statements.delete(oldest)
        break
      }
    return found as Statement<Row>
  }

  const layouts = new Map<number, Layout>()
  const begin = db.prepare('BEGIN')
  const commit = db.prepare('COMMIT')
  const findCollection = db.prepare<readonly [number, string, number]>(
    'SELECT number, indexes, uuids FROM collection WHERE name = ?',
  )
  const collectionOf = (name: CollectionName): { readonly layout: Layout; readonly uuids: boolean } => {
    const row = findCollection.get(name)
    if (!row) throw new ReadStoreError('gone', `collection ${name} does not exist: it was dropped`)
    let layout = layouts.get(row[0])
    if (!layout) {
      const indexes: unknown = JSON.parse(row[1])
      layout = layoutOf(row[0], indexes as Indexes)
      layouts.set(row[0], layout)
    }
    return { layout, uuids: row[2] === 1 }
  }
  const indexOf = (name: CollectionName, layout: Layout, plan: Plan): IndexLayout => {
    const on = JSON.stringify(plan.index.on)
    const index = layout.indexes.find(
      each => each.index.name === plan.index.name && JSON.stringify(each.index.on) === on,
    )
    if (!index) throw new ReadStoreError('gone', `collection ${name} has no index ${plan.index.name} on ${on}`)
    return index
  }

  const documentOf = (layout: Layout, doc: number): Document => {
    const row = statement<BodyRow>(`SELECT id, position, body FROM ${layout.table} WHERE doc = ?`, true).get(doc)
    if (!row) throw new ReadStoreError('corrupt', `${db.path}: ${layout.table} lacks document ${doc} of its index`)
    return { id: row[0], position: row[1], body: bodyOf(row[2]) }
  }
  const handle = (layout: Layout): Db => ({
    statement,
    idOf: doc => {
      const row = statement<readonly [string]>(`SELECT id FROM ${layout.table} WHERE doc = ?`).get(doc)
      if (!row) throw new ReadStoreError('corrupt', `${db.path}: ${layout.table} lacks document ${doc} of its index`)
      return row[0]
    },
  })

  const keysetAt = (access: Db, entry: Entry): readonly Json[] => [
    ...entry.values.map(restored),
    entry.id ?? access.idOf(entry.doc),
  ]

  /** Documents, or rows of those that need no body read; `make` makes an item of an entry. */
  const examine = async <Item>(
    layout: Layout,
    source: Source,
    plan: Plan,
    make: (entry: Entry, access: Db, document?: Document) => Item,
  ): Promise<Page<Item>> => {
    const access = handle(layout)
    const documents: Item[] = []
    let examined = 0
    let previous: Entry | undefined
    let kept: Entry | undefined
    let turn = performance.now()
    const firstChunk = plan.residual.length > 0 ? 256 : Math.min(plan.limit + 2, 256)
    for (const entry of merged(access, source, plan.after, firstChunk)) {
      if (examined >= plan.examine && previous && entry.doc !== previous.doc)
        return { documents, next: keysetAt(access, previous), examined }
      examined += 1
      if ((examined & 15) === 0 && performance.now() - turn > TURN_MS) {
        await new Promise(resolve => setImmediate(resolve))
        turn = performance.now()
      }
      const repeated = previous?.doc === entry.doc
      previous = entry
      if (repeated || !entry.ok) continue
      const full = documents.length === plan.limit
      if (full && source.residual.length === 0)
        return { documents, next: kept ? keysetAt(access, kept) : null, examined }
      const checked = source.residual.length > 0 ? documentOf(layout, entry.doc) : undefined
      if (checked && !source.residual.every(each => matches(checked.body, each))) continue
      if (full) return { documents, next: kept ? keysetAt(access, kept) : null, examined }
      documents.push(make(entry, access, checked))
      kept = entry
    }
    return { documents, next: null, examined }
  }
  const asDocument =
    (layout: Layout) =>
    (entry: Entry, _access: Db, checked?: Document): Document => {
      const document = checked ?? documentOf(layout, entry.doc)
      entry.id = document.id
      return document
    }
  const asRow = (entry: Entry, access: Db): Row => {
    entry.id ??= access.idOf(entry.doc)
    return { id: entry.id, members: entry.members.map(restored) }
  }
  /** One snapshot for all that a page reads. */
  const inSnapshot = async <T>(work: () => Promise<T>): Promise<T> => {
    begin.run()
    try {
      return await work()
    } finally {
      if (db.inTransaction) commit.run()
    }
  }

  const findRecord = db.prepare<readonly [string]>('SELECT value FROM record WHERE name = ?')
  const selectCheckpoints = 'SELECT consumer, log_id, position, event_id, token FROM checkpoint'
  const allCheckpoints = db.prepare<CheckpointRow>(selectCheckpoints, { bigints: true })
  const oneCheckpoint = db.prepare<CheckpointRow>(`${selectCheckpoints} WHERE consumer = ?`, { bigints: true })

  return {
    db,
    collections: () =>
      statement<readonly [string]>('SELECT name FROM collection ORDER BY name')
        .all()
        .map(([name]) => name),
    load: (name, ids) => {
      const { table } = collectionOf(name).layout
      const sql = `SELECT position, body FROM ${table} WHERE id = ?`
      const one = statement<readonly [bigint, string | null]>(sql, true)
      const found: DocumentWrite[] = []
      for (const id of ids) {
        const row = one.get(id)
        if (!row) continue
        const [position, body] = row
        found.push(body === null ? { id, position, removed: true } : { id, position, body: bodyOf(body) })
      }
      return found
    },
    find: (name, plan) =>
      inSnapshot(async () => {
        const { layout, uuids } = collectionOf(name)
        const source = sourceOf(layout, indexOf(name, layout, plan), uuids, plan)
        return examine(layout, source, plan, asDocument(layout))
      }),
    select: (name, plan, members) =>
      inSnapshot(async () => {
        const { layout, uuids } = collectionOf(name)
        const source = sourceOf(layout, indexOf(name, layout, plan), uuids, plan, members)
        return examine(layout, source, plan, asRow)
      }),
    count: (name, plan, limit) => {
      const { layout, uuids } = collectionOf(name)
      const bounds: Plan = { ...plan, residual: [] }
      const source = sourceOf(layout, indexOf(name, layout, bounds), uuids, bounds)
      const [piece] = source.interval ? piecesAfter(source.order, source.ord, source.interval, undefined) : []
      if (!piece) return 0
      let total = 0
      for (const branch of source.branches) {
        if (total >= limit) break
        const row = statement<readonly [number]>(countSql(source, piece)).get(...branch, ...piece.values, limit - total)
        total += row?.[0] ?? 0
      }
      return total
    },
    scan: (name, after, limit) => {
      const { table } = collectionOf(name).layout
      const sql = `SELECT id, position, body FROM ${table} WHERE id > ? AND body IS NOT NULL ORDER BY id LIMIT ?`
      return statement<BodyRow>(sql, true)
        .all(after, limit)
        .map(([id, position, body]) => ({ id, position, body: bodyOf(body) }))
    },
    checkpoints: consumer => {
      const rows = consumer === undefined ? allCheckpoints.all() : oneCheckpoint.all(consumer)
      return new Map(rows.map(row => [row[0], checkpointOf(row)]))
    },
    record: name => findRecord.get(name)?.[0],
    records: prefix => {
      const { low, high } = intervalOf({ member: 'name', op: 'prefix', value: prefix }) ?? {}
      const { sql, values } = intervalSql('name', { ...(low && { low }), ...(high && { high }) })
      const where = sql.join(' AND ')
      const rows = statement<readonly [string, string]>(`SELECT name, value FROM record WHERE ${where} ORDER BY name`)
      return new Map(rows.all(...values))
    },
  }
}
