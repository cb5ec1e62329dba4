/**
 * How a collection lies in SQLite: one table of documents, with a column for each scalar member that an index without
 * terms stands on; and for each index on terms a side table without rowid, one row a term.
 *
 * A row of a side table is (term, order members, ord, doc). `term` is the term behind the members that precede it in the
 * index, joined by U+001F. `doc` is the document's rowid. `ord` places it by id: in a collection whose ids are all UUIDs it
 * is the first 28 bits of the id, four bytes in place of 36, and the few documents that share them are put in order when
 * read; in any other collection it is the id itself.
 */
import type { Json, JsonObject } from '../../../domain/event.ts'
import { type Ordered, ordered, termsOf } from '../../../ports/conditions.ts'
import type { Index, Indexes } from '../../../ports/read-store.ts'
import type { Sqlite, SqlValue } from '../../sqlite/database.ts'

/**
 * A collection from before there were checksums gets the column, so that it takes tombstones: a removal writes them into every
 * collection there is. The documents in it have none, and are told to nobody: what this build reads has versions of its own.
 * Processes of the older build go on folding it, since they name the columns that they write.
 */
export const addChecksum = (db: Sqlite, table: string): void => {
  const columns = db.prepare<readonly [string]>('SELECT name FROM pragma_table_info(?)').all(table)
  if (columns.length > 0 && !columns.some(([name]) => name === 'checksum'))
    db.exec(`ALTER TABLE ${table} ADD COLUMN checksum INTEGER`)
}

export const migrate = (db: Sqlite, from: number): void => {
  if (from > 0) {
    for (const [number] of db.prepare<readonly [number]>('SELECT number FROM collection').all())
      addChecksum(db, `c${number}`)
    return
  }
  db.exec(`
    CREATE TABLE collection (
      number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, indexes TEXT NOT NULL, uuids INTEGER NOT NULL);
    CREATE TABLE checkpoint (
      consumer TEXT PRIMARY KEY, log_id TEXT NOT NULL, position INTEGER NOT NULL, event_id TEXT NOT NULL,
      token INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE record (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  `)
}

/** Absent members sort before every number and text; a primary key holds no NULL. */
export const ABSENT = Number.MIN_SAFE_INTEGER

export const stored = (value: Json | undefined): string | number => {
  if (value === undefined || value === null) return ABSENT
  if (typeof value === 'string') return value
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw new TypeError(`an indexed member holds ${JSON.stringify(value)}: text, safe integers or nothing are possible`)
}

export const restored = (value: SqlValue | undefined): Json =>
  value === undefined || value === ABSENT || value instanceof Uint8Array
    ? null
    : typeof value === 'bigint'
      ? Number(value)
      : value

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
export const isUuid = (id: string): boolean => UUID.test(id)

/** The place of an id in a collection: 28 bits of a UUID around zero, which SQLite stores in four bytes. */
export const ordOf = (id: string, uuids: boolean): string | number =>
  uuids ? Number.parseInt(id.slice(0, 7), 16) - 0x8000000 : id

// Terms themselves may hold anything; what stands before them may hold no separator.
const part = (value: Json | undefined): string => {
  const scalar = stored(value)
  if (scalar === ABSENT) return '\u0001'
  if (typeof scalar === 'number') return `\u0002${scalar}`
  return scalar.replace(/[\u0001-\u0003\u001f]/g, each => `\u0003${each.charCodeAt(0)};`)
}

/** What stands before the term in `term`: the same for every term of a document. */
export const termPrefix = (values: readonly (Json | undefined)[]): string =>
  values.map(each => `${part(each)}\u001f`).join('')

export type ScalarLayout = {
  readonly kind: 'scalar'
  readonly index: Index
  /** Name of the SQL index to be hinted. */
  readonly hint: string
  readonly columns: readonly Ordered[]
}
export type TermLayout = {
  readonly kind: 'terms'
  readonly index: Index
  readonly table: string
  readonly terms: string
  readonly before: readonly string[]
  readonly order: readonly Ordered[]
}
export type IndexLayout = ScalarLayout | TermLayout

export type Layout = {
  readonly number: number
  readonly table: string
  /** Members with a column, in the order of the columns k0, k1, ... */
  readonly members: readonly string[]
  readonly indexes: readonly IndexLayout[]
  readonly terms: readonly TermLayout[]
}

export const layoutOf = (number: number, indexes: Indexes): Layout => {
  const table = `c${number}`
  const layouts = indexes.map((index, at): IndexLayout => {
    const members = index.on.map(ordered)
    if (index.terms === undefined) return { kind: 'scalar', index, hint: `${table}_i${at}`, columns: members }
    const place = members.findIndex(each => each.member === index.terms)
    return {
      kind: 'terms',
      index,
      table: `${table}_t${at}`,
      terms: index.terms,
      before: members.slice(0, place).map(each => each.member),
      order: members.slice(place + 1),
    }
  })
  const scalars = layouts.flatMap(each => (each.kind === 'scalar' ? each.columns : []))
  const members = [...new Set(scalars.map(each => each.member))]
  return { number, table, members, indexes: layouts, terms: layouts.filter(each => each.kind === 'terms') }
}

export const columnOf = (layout: Layout, member: string): string | undefined => {
  const at = layout.members.indexOf(member)
  return at < 0 ? undefined : `k${at}`
}

const direction = (each: Ordered): string => (each.descending ? ' DESC' : '')

/** The statements that make the tables and indexes. */
export const creation = (layout: Layout): readonly string[] => [
  // The body stands last: what is read without it comes from the first page of a row.
  `CREATE TABLE ${layout.table} (doc INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, position INTEGER NOT NULL, checksum INTEGER NOT NULL${layout.members
    .map((_, at) => `, k${at}`)
    .join('')}, body TEXT)`,
  ...layout.indexes.map(each => {
    if (each.kind === 'scalar') {
      const columns = each.columns.map(column => `${columnOf(layout, column.member)}${direction(column)}, `).join('')
      return `CREATE INDEX ${each.hint} ON ${layout.table} (${columns}id) WHERE body IS NOT NULL`
    }
    const columns = each.order.map((_, at) => `o${at} NOT NULL, `).join('')
    const key = each.order.map((column, at) => `o${at}${direction(column)}, `).join('')
    return `CREATE TABLE ${each.table} (term TEXT NOT NULL, ${columns}ord NOT NULL, doc INTEGER NOT NULL, PRIMARY KEY (term, ${key}ord, doc)) WITHOUT ROWID`
  }),
]

export const removal = (layout: Layout): readonly string[] =>
  [...layout.terms.map(each => each.table), layout.table].map(each => `DROP TABLE IF EXISTS ${each}`)

/** A document's values in an index on terms: the `term`s it has, and its order members. */
export const termRows = (
  layout: TermLayout,
  body: JsonObject,
): { readonly terms: readonly string[]; readonly order: readonly (string | number)[] } => {
  const prefix = termPrefix(layout.before.map(each => body[each]))
  const terms = [...new Set(termsOf(body, layout.terms))]
  return {
    terms: prefix === '' ? terms : terms.map(each => prefix + each),
    order: layout.order.map(each => stored(body[each.member])),
  }
}
