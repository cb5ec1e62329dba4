/**
 * The kinds of events, by two witnesses: the row, whose checksum is over all of it, and the index that keeps pairs of category and type
 * unique, which has the same three values without one. Where the row does not fit, the entry of the index that its checksum is of stands
 * for it; where only the checksum differs, the two agree. So that no single bit renames the events of a kind, for readers or writers.
 */
import type { Sqlite } from '../../sqlite/database.ts'
import { SqliteError } from '../../sqlite/errors.ts'
import { type Kind, kindChecksum, markOf } from './row.ts'

type Row = [id: number | string, category: string | number, type: string | number, checksum: number]
type Named = Pick<Kind, 'id' | 'category' | 'type'>

export type Kinds = {
  /** Those with a number above `after`, in its order. @throws {SqliteError} corrupt: neither of the two says what one is. */
  read(after: number): readonly Kind[]
  /** What of the two does not fit the other, in words. @throws {SqliteError} */
  differences(): readonly string[]
}

const isNamed = ([id, category, type]: readonly unknown[]): boolean =>
  typeof id === 'number' && typeof category === 'string' && typeof type === 'string'
const namedOf = (row: readonly unknown[]): readonly Named[] => {
  const [id, category, type] = row
  return typeof id === 'number' && typeof category === 'string' && typeof type === 'string'
    ? [{ id, category, type }]
    : []
}
const kindOf = ({ id, category, type }: Named): Kind => ({ id, category, type, mark: markOf(category, type) })
const fits = ({ id, mark }: Kind, checksum: unknown): boolean => kindChecksum(id, mark) === checksum
const isSame = (a: Named, b: Named): boolean => a.id === b.id && a.category === b.category && a.type === b.type

export const openKinds = (db: Sqlite): Kinds => {
  const rows = db.prepare<Row>('SELECT id, category, type, checksum FROM kinds NOT INDEXED WHERE id > ? ORDER BY id')
  const indexed = db.prepare<[number, string, string]>(
    'SELECT id, category, type FROM kinds INDEXED BY sqlite_autoindex_kinds_1 ORDER BY category, type',
  )
  const entries = (): readonly Named[] => indexed.all().flatMap(namedOf)
  return {
    read: after => {
      let known: readonly Named[] | undefined
      return rows.all(after).map(row => {
        const [own] = namedOf(row).map(kindOf)
        if (own && fits(own, row[3])) return own
        known ??= entries()
        const other = known.map(kindOf).find(entry => fits(entry, row[3]))
        const agreed = own && known.some(entry => isSame(entry, own)) ? own : undefined
        const kind = other ?? agreed
        if (kind) return kind
        throw new SqliteError(
          'corrupt',
          `${db.path}: kind ${row[0]} of events does not fit its checksum: restore a backup`,
        )
      })
    },
    differences: () => {
      const found = rows.all(-1)
      const known = entries()
      const own = found.flatMap(namedOf)
      return [
        ...found.flatMap(row => {
          const fitting = isNamed(row) && namedOf(row).some(named => fits(kindOf(named), row[3]))
          return fitting ? [] : [`the table of kinds does not fit its checksum at kind ${row[0]}`]
        }),
        ...own.flatMap(row =>
          known.some(entry => isSame(entry, row)) ? [] : [`the index of kinds does not lead to kind ${row.id}`],
        ),
        ...known.flatMap(entry =>
          own.some(row => isSame(entry, row)) ? [] : [`the index of kinds leads to kind ${entry.id} as none is`],
        ),
        ...(known.length === found.length
          ? []
          : [`the index of kinds has ${known.length} entries for ${found.length} kinds`]),
      ]
    },
  }
}

/** One that cannot be gone through is not. @throws {SqliteError} other than for that. */
const isWhole = ({ differences }: Kinds): boolean => {
  try {
    return differences().length === 0
  } catch (error) {
    if (error instanceof SqliteError && error.kind === 'corrupt') return false
    throw error
  }
}

/** Puts both in order: to be called where neither table is guarded. @throws {SqliteError} */
export const remakeKinds = (db: Sqlite): void => {
  const kinds = openKinds(db)
  if (isWhole(kinds)) return
  const read = kinds.read(-1)
  db.exec('REINDEX kinds; DELETE FROM kinds')
  const insert = db.prepare('INSERT INTO kinds (id, category, type, checksum) VALUES (?, ?, ?, ?)')
  for (const { id, category, type, mark } of read) insert.run(id, category, type, kindChecksum(id, mark))
}
