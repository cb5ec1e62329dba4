/** All that writes to the read store's file: runs in the worker thread, in slices that hold the lock for 20 ms at most, 400 ms when catching up. */

import type { JsonObject } from '../../../domain/event.ts'
import { OwnError } from '../../../domain/own-error.ts'
import { documentChecksum } from '../../../ports/checksum.ts'
import type { CollectionName, DocumentWrite, Indexes } from '../../../ports/read-store.ts'
import type { Sqlite, SqlValue, Statement } from '../../sqlite/database.ts'
import {
  addChecksum,
  creation,
  isUuid,
  type Layout,
  layoutOf,
  ordOf,
  removal,
  stored,
  type TermLayout,
  termRows,
} from './layout.ts'

/**
 * A batch as it crosses to the worker. All ids and bodies are one text, cut at `ends` (id, body, id, body, ...): one large
 * text is copied several times faster than many small ones. A removed document's body is empty.
 */
export type WriteBatch = {
  readonly collection: CollectionName
  readonly text: string
  readonly ends: Uint32Array
  readonly positions: BigInt64Array
  readonly consumer: string
  readonly checkpoint: {
    readonly logId: string
    readonly position: bigint
    readonly eventId: string
    readonly token: number
  }
}

export const packBatch = (
  collection: CollectionName,
  writes: readonly DocumentWrite[],
  checkpoint: { readonly consumer: string; readonly value: WriteBatch['checkpoint'] },
): WriteBatch => {
  const parts: string[] = []
  const ends = new Uint32Array(writes.length * 2)
  const positions = new BigInt64Array(writes.length)
  let end = 0
  for (const [n, each] of writes.entries()) {
    const body = 'removed' in each ? '' : JSON.stringify(each.body)
    parts.push(each.id, body)
    ends[n * 2] = end + each.id.length
    end += each.id.length + body.length
    ends[n * 2 + 1] = end
    positions[n] = each.position
  }
  const { consumer, value } = checkpoint
  return { collection, text: parts.join(''), ends, positions, consumer, checkpoint: value }
}

/** A batch that may share a transaction writes so many documents at most: fewer than take a slice. */
export const SHORT_DOCUMENTS = 128

/** What the store answers in place of an effect: the caller turns it into the port's error. */
export class WriteRefused extends OwnError {
  override readonly name = 'WriteRefused'
  readonly code: 'fenced' | 'gone'
  constructor(code: WriteRefused['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** How long one transaction may hold the write lock, in milliseconds. */
export const SLICE_MS = 20
/**
 * The same for a batch of so many documents, which only catching up makes: its rows fall all over the indexes, and a page
 * that several slices touch is written as often. Readers are not held up by either (WAL).
 */
const CATCH_UP_DOCUMENTS = 1_024
const CATCH_UP_SLICE_MS = 400
/** Documents between two looks at the clock. */
const STRIDE = 16
/** What a row of a side table will take, measured: they are written at the end of the slice, in order. */
const TERM_ROW_MS = 0.003

const parse = (text: string): JsonObject => {
  const value: unknown = JSON.parse(text)
  return value as JsonObject
}

const isReadable = (text: string | null): boolean => {
  try {
    return text === null || typeof parse(text) === 'object'
  } catch {
    return false
  }
}

type Opened = {
  readonly layout: Layout
  uuids: boolean
  readonly insert: Statement<readonly SqlValue[]>
  readonly prior: Statement<readonly [bigint, bigint, bigint | null, string | null]>
  readonly update: Statement<readonly SqlValue[]>
  readonly terms: readonly TermWriter[]
}
type TermRow = { readonly term: string; readonly values: readonly SqlValue[] }
type TermWriter = {
  readonly layout: TermLayout
  readonly insert: Statement<readonly SqlValue[]>
  readonly remove: Statement<readonly SqlValue[]>
  /** All rows of a document, whatever they are: the whole table is read for it. */
  readonly purge: Statement<readonly SqlValue[]>
  pending: TermRow[]
}

const openTerms = (db: Sqlite, layout: TermLayout): TermWriter => {
  const order = layout.order.map((_, at) => `o${at}`)
  const columns = ['term', ...order, 'ord', 'doc']
  return {
    layout,
    insert: db.prepare(`INSERT OR IGNORE INTO ${layout.table} (${columns}) VALUES (${columns.map(() => '?')})`),
    remove: db.prepare(`DELETE FROM ${layout.table} WHERE ${columns.map(each => `${each} = ?`).join(' AND ')}`),
    purge: db.prepare(`DELETE FROM ${layout.table} WHERE doc = ?`),
    pending: [],
  }
}

const openCollection = (db: Sqlite, layout: Layout, uuids: boolean): Opened => {
  const { table } = layout
  // A process of an older build beside this one makes them without.
  addChecksum(db, table)
  const columns = ['id', 'position', 'checksum', 'body', ...layout.members.map((_, at) => `k${at}`)]
  const body = layout.terms.length > 0 ? 'body' : 'NULL'
  return {
    layout,
    uuids,
    insert: db.prepare(
      `INSERT INTO ${table} (${columns}) VALUES (${columns.map(() => '?')}) ON CONFLICT (id) DO NOTHING`,
    ),
    prior: db.prepare(`SELECT doc, position, checksum, ${body} FROM ${table} WHERE id = ?`, { bigints: true }),
    update: db.prepare(
      `UPDATE ${table} SET ${columns.slice(1).map(each => `${each} = ?`)} WHERE doc = ? AND position < ?`,
    ),
    terms: layout.terms.map(each => openTerms(db, each)),
  }
}

const rowOf = (layout: Layout, body: JsonObject | undefined): SqlValue[] =>
  layout.members.map(each => (body ? stored(body[each]) : null))

export type Writer = {
  ensure(collection: CollectionName, indexes: Indexes): void
  drop(collection: CollectionName): void
  /** One slice a step; every step has committed when it returns. @throws {WriteRefused} */
  apply(batch: WriteBatch): Generator<void, void>
  /**
   * The first ones in one transaction, as many as are short work: how many. Where it throws nothing is written.
   * @throws what the first of them threw that failed.
   */
  applyTogether(batches: readonly WriteBatch[]): number
  swap(name: string, expected: string | undefined, value: string | undefined): boolean
}

export const openWriter = (db: Sqlite, now: () => number): Writer => {
  const opened = new Map<CollectionName, Opened>()
  const find = db.prepare<readonly [number, string, number]>(
    'SELECT number, indexes, uuids FROM collection WHERE name = ?',
  )
  const token = db.prepare<readonly [number]>('SELECT token FROM checkpoint WHERE consumer = ?')
  const saveCheckpoint = db.prepare(
    `INSERT INTO checkpoint (consumer, log_id, position, event_id, token) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (consumer) DO UPDATE SET log_id = excluded.log_id, position = excluded.position,
       event_id = excluded.event_id, token = excluded.token`,
  )
  const record = db.prepare<readonly [string]>('SELECT value FROM record WHERE name = ?')

  const collectionOf = (name: CollectionName): Opened => {
    const row = find.get(name)
    if (!row) {
      opened.delete(name)
      throw new WriteRefused('gone', `collection ${name} does not exist: it was dropped`)
    }
    const known = opened.get(name)
    if (known?.layout.number === row[0]) {
      // Another process may have met the first id that is no UUID.
      known.uuids = row[2] === 1
      return known
    }
    const indexes: unknown = JSON.parse(row[1])
    const fresh = openCollection(db, layoutOf(row[0], indexes as Indexes), row[2] === 1)
    opened.set(name, fresh)
    return fresh
  }

  /** The first id that is no UUID: from here on the ids themselves order the side tables. */
  const useIds = (collection: Opened): void => {
    const { number, table, terms } = collection.layout
    db.exec(`UPDATE collection SET uuids = 0 WHERE number = ${number}`)
    for (const each of terms)
      db.exec(`UPDATE ${each.table} SET ord = (SELECT id FROM ${table} WHERE ${table}.doc = ${each.table}.doc)`)
    collection.uuids = false
  }

  const flush = (collection: Opened): void => {
    for (const each of collection.terms) {
      const rows = each.pending
      each.pending = []
      // In the order of the key, neighbours fall on the same page.
      rows.sort((a, b) => (a.term < b.term ? -1 : a.term > b.term ? 1 : 0))
      for (const row of rows) each.insert.run(row.term, ...row.values)
    }
  }

  const unwritten = (collection: Opened): number => collection.terms.reduce((sum, each) => sum + each.pending.length, 0)

  const index = (collection: Opened, doc: number, id: string, body: JsonObject | undefined, old?: JsonObject): void => {
    const ord = ordOf(id, collection.uuids)
    for (const each of collection.terms) {
      const before = old && termRows(each.layout, old)
      const after = body && termRows(each.layout, body)
      const moved = before && after ? before.order.some((value, at) => value !== after.order[at]) : true
      const kept = moved ? undefined : new Set(after?.terms)
      const had = moved ? undefined : new Set(before?.terms)
      for (const term of before?.terms ?? [])
        if (!kept?.has(term)) each.remove.run(term, ...(before?.order ?? []), ord, doc)
      if (!after) continue
      const values = [...after.order, ord, doc]
      for (const term of after.terms) if (!had?.has(term)) each.pending.push({ term, values })
    }
  }

  const write = (collection: Opened, id: string, position: bigint, text: string | null): void => {
    if (collection.uuids && !isUuid(id)) useIds(collection)
    const { layout } = collection
    const body = text !== null && (layout.members.length > 0 || layout.terms.length > 0) ? parse(text) : undefined
    const row = rowOf(layout, body)
    const sum = documentChecksum(id, position, text)
    const inserted = collection.insert.run(id, position, sum, text, ...row)
    if (inserted.changes === 1) {
      if (body) index(collection, inserted.rowid, id, body)
      return
    }
    const prior = collection.prior.get(id)
    if (!prior || prior[1] >= position) return
    const doc = Number(prior[0])
    collection.update.run(position, sum, text, ...row, doc, position)
    if (layout.terms.length === 0) return
    const [, before, checksum, old] = prior
    // One from before there were checksums is taken as it is, if it can be read.
    const sound = checksum === null ? isReadable(old) : Number(checksum) === documentChecksum(id, before, old)
    // What stood in the indexes for a damaged one nobody knows.
    if (!sound) for (const terms of collection.terms) terms.purge.run(doc)
    index(collection, doc, id, body, old === null || !sound ? undefined : parse(old))
  }

  const checkToken = (batch: WriteBatch): void => {
    const known = token.get(batch.consumer)
    if (known && known[0] > batch.checkpoint.token)
      throw new WriteRefused('fenced', `${batch.consumer}: the lease was taken under token ${known[0]}`)
  }

  const writeAt = ({ text, ends, positions }: WriteBatch, collection: Opened, n: number): void => {
    const [from, middle, to] = [n === 0 ? 0 : (ends[n * 2 - 1] ?? 0), ends[n * 2] ?? 0, ends[n * 2 + 1] ?? 0]
    write(collection, text.slice(from, middle), positions[n] ?? 0n, middle === to ? null : text.slice(middle, to))
  }
  const saveCheckpointOf = ({ consumer, checkpoint }: WriteBatch): void => {
    const { logId, position, eventId, token: held } = checkpoint
    saveCheckpoint.run(consumer, logId, position, eventId, held)
  }
  /** The collection that a batch is for, under a lease that is still held. @throws {WriteRefused} */
  const admitted = (batch: WriteBatch): Opened | undefined => {
    checkToken(batch)
    // Also without documents: a checkpoint never stands for a collection that is not there.
    return batch.collection === '' ? undefined : collectionOf(batch.collection)
  }

  return {
    ensure: (name, indexes) =>
      db.transaction(() => {
        const text = JSON.stringify(indexes)
        const row = find.get(name)
        if (row && row[1] !== text)
          throw new TypeError(`collection ${name} stands on other indexes: a change of them needs a new version`)
        if (row) return
        const { rowid } = db.prepare('INSERT INTO collection (name, indexes, uuids) VALUES (?, ?, 1)').run(name, text)
        for (const statement of creation(layoutOf(rowid, indexes))) db.exec(statement)
      }),
    drop: name =>
      db.transaction(() => {
        const row = find.get(name)
        if (!row) return
        opened.delete(name)
        const indexes: unknown = JSON.parse(row[1])
        for (const statement of removal(layoutOf(row[0], indexes as Indexes))) db.exec(statement)
        db.prepare('DELETE FROM collection WHERE number = ?').run(row[0])
        db.prepare('DELETE FROM checkpoint WHERE consumer = ?').run(name)
      }),
    *apply(batch) {
      const { positions } = batch
      let at = 0
      for (let done = false; !done; ) {
        const end = now() + (positions.length >= CATCH_UP_DOCUMENTS ? CATCH_UP_SLICE_MS : SLICE_MS)
        db.transaction(() => {
          const collection = admitted(batch)
          if (collection && positions.length > 0) {
            try {
              while (at < positions.length && now() + unwritten(collection) * TERM_ROW_MS < end)
                for (const last = Math.min(at + STRIDE, positions.length); at < last; at += 1)
                  writeAt(batch, collection, at)
              flush(collection)
            } catch (error) {
              // Rolled back: statements and what is known of the collection begin anew.
              opened.delete(batch.collection)
              throw error
            }
          }
          done = at >= positions.length
          if (done) saveCheckpointOf(batch)
        })
        if (!done) yield
      }
    },
    applyTogether: batches => {
      try {
        return db.transaction(() => {
          const end = now() + SLICE_MS / 2
          let written = 0
          for (const batch of batches) {
            if (written > 0 && now() >= end) break
            const collection = admitted(batch)
            if (collection) {
              for (let at = 0; at < batch.positions.length; at += 1) writeAt(batch, collection, at)
              flush(collection)
            }
            saveCheckpointOf(batch)
            written += 1
          }
          return written
        })
      } catch (error) {
        for (const { collection } of batches) opened.delete(collection)
        throw error
      }
    },
    swap: (name, expected, value) =>
      db.transaction(() => {
        if (record.get(name)?.[0] !== expected) return false
        if (value === undefined) db.prepare('DELETE FROM record WHERE name = ?').run(name)
        else
          db.prepare(
            'INSERT INTO record (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
          ).run(name, value)
        return true
      }),
  }
}
