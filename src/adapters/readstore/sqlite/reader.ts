/** Reads over one connection: documents by id, pages of an index, checkpoints and records. */

import { defined } from '../../../domain/defined.ts'
import type { Json, JsonObject } from '../../../domain/event.ts'
import { documentChecksum } from '../../../ports/checksum.ts'
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
import type { Sqlite, SqlValue, Statement } from '../../sqlite/database.ts'
import { columnOf, type IndexLayout, type Layout, layoutOf, ordOf, restored, stored, termRows } from './layout.ts'
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
  scan(collection: CollectionName, after: string, limit: number, onDamaged?: (id: string) => void): readonly Document[]
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

type BodyRow = readonly [id: string, position: bigint, checksum: bigint, body: string]

/** A damaged row may hold anything. */
const fits = (id: SqlValue, position: SqlValue, sum: SqlValue, body: SqlValue): boolean =>
  typeof id === 'string' &&
  typeof position === 'bigint' &&
  (typeof body === 'string' || body === null) &&
  Number(sum) === documentChecksum(id, position, body)

const damaged = (what: string): ReadStoreError =>
  new ReadStoreError('damaged', `${what} is damaged: it does not fit its checksum, or its index`)

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
    const row = statement<BodyRow>(`SELECT id, position, checksum, body FROM ${layout.table} WHERE doc = ?`, true).get(
      doc,
    )
    if (!row) throw new ReadStoreError('corrupt', `${db.path}: ${layout.table} lacks document ${doc} of its index`)
    if (!fits(...row)) throw damaged(`document ${doc} of ${layout.table}`)
    return { id: row[0], position: row[1], body: bodyOf(row[3]) }
  }
  const handle = (layout: Layout): Db => ({
    statement,
    idOf: doc => {
      const row = statement<readonly [string]>(`SELECT id FROM ${layout.table} WHERE doc = ?`).get(doc)
      if (!row) throw new ReadStoreError('corrupt', `${db.path}: ${layout.table} lacks document ${doc} of its index`)
      return row[0]
    },
  })

  /** Does the document stand in its indexes where its body says? */
  const isIndexed = (
    layout: Layout,
    {
      uuids,
      id,
      doc,
      members,
      body,
    }: { uuids: boolean; id: string; doc: SqlValue; members: SqlValue[]; body: JsonObject },
  ): boolean =>
    layout.members.every((member, at) => restored(members[at]) === restored(stored(body[member]))) &&
    layout.indexes.every(index => {
      if (index.kind === 'terms') return true
      const same = index.columns.map(({ member }) => `${columnOf(layout, member)} = ?`)
      // With the plus sign the document is read from the end of the entry, as readers read it.
      const there = statement(
        `SELECT 1 FROM ${layout.table} INDEXED BY ${index.hint} WHERE ${[...same, 'id = ?', '+doc = ?', 'body IS NOT NULL'].join(' AND ')}`,
      )
      return there.get(...index.columns.map(({ member }) => stored(body[member])), id, doc) !== undefined
    }) &&
    layout.terms.every(index => {
      const { terms, order } = termRows(index, body)
      const same = ['term', ...order.map((_, at) => `o${at}`), 'ord', 'doc'].map(column => `${column} = ?`)
      const there = statement(`SELECT 1 FROM ${index.table} WHERE ${same.join(' AND ')}`)
      return terms.every(term => there.get(term, ...order, ordOf(id, uuids), doc) !== undefined)
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
    (layout: Layout, { order }: Source) =>
    (entry: Entry, _access: Db, checked?: Document): Document => {
      const document = checked ?? documentOf(layout, entry.doc)
      const { body } = document
      if (!order.every(({ member }, at) => entry.values[at] === stored(body[member])))
        throw damaged(`the index entry of ${document.id} in ${layout.table}`)
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

  const scanned: Reader['scan'] = (name, after, limit, onDamaged) => {
    const { layout, uuids } = collectionOf(name)
    const columns = ['id', 'position', 'checksum', 'body', 'doc', ...layout.members.map((_, at) => `k${at}`)]
    const sql = `SELECT ${columns} FROM ${layout.table} WHERE id > ? AND body IS NOT NULL ORDER BY id LIMIT ?`
    const found: Document[] = []
    for (let from = after; found.length === 0; ) {
      const rows = statement(sql, true).all(from, limit)
      for (const [id = '', position = 0n, sum = 0n, text = '', doc = 0n, ...members] of rows) {
        from = String(id)
        const body = fits(id, position, sum, text) ? bodyOf(String(text)) : undefined
        const sound = body && (!onDamaged || isIndexed(layout, { uuids, id: from, doc, members, body }))
        if (body && sound) found.push({ id: from, position: BigInt(Number(position)), body })
        else if (onDamaged) onDamaged(from)
        else throw damaged(`document ${from} of ${name}`)
      }
      if (rows.length < limit) break
    }
    return found
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
      const sql = `SELECT position, checksum, body FROM ${table} WHERE id = ?`
      const one = statement<readonly [bigint, bigint, string | null]>(sql, true)
      const found: DocumentWrite[] = []
      for (const id of ids) {
        const row = one.get(id)
        if (!row) continue
        const [position, sum, body] = row
        if (!fits(id, position, sum, body)) throw damaged(`document ${id} of ${name}`)
        found.push(body === null ? { id, position, removed: true } : { id, position, body: bodyOf(body) })
      }
      return found
    },
    find: (name, plan) =>
      inSnapshot(async () => {
        const { layout, uuids } = collectionOf(name)
        const source = sourceOf(layout, indexOf(name, layout, plan), uuids, plan)
        return examine(layout, source, plan, asDocument(layout, source))
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
    scan: (name, after, limit, onDamaged) => {
      // What is written between a document and a look at its indexes would pass for damage.
      const own = !db.inTransaction
      if (own) begin.run()
      try {
        return scanned(name, after, limit, onDamaged)
      } finally {
        if (own && db.inTransaction) commit.run()
      }
    },
    checkpoints: consumer => {
      const rows = consumer === undefined ? allCheckpoints.all() : oneCheckpoint.all(consumer)
      return new Map(rows.map(row => [row[0], checkpointOf(row)]))
    },
    record: name => findRecord.get(name)?.[0],
    records: prefix => {
      const { low, high } = intervalOf({ member: 'name', op: 'prefix', value: prefix }) ?? {}
      const { sql, values } = intervalSql('name', defined({ low, high }))
      const where = sql.join(' AND ')
      const rows = statement<readonly [string, string]>(`SELECT name, value FROM record WHERE ${where} ORDER BY name`)
      return new Map(rows.all(...values))
    },
  }
}
