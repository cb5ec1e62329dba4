/**
 * The kinds of events, by two witnesses: the row, whose checksum is over all of it, and the index that keeps pairs of category and type
 * unique, which has the same three values without one. Where a row does not fit, the entry of the index that its checksum is of stands
 * for it; a row that is gone, and all of them where the table cannot be gone through, are known from the index. So no single bit renames
 * the events of a kind, for who reads or who writes. What the index alone says is proved with each event: its checksum is over its kind's name.
 */
import type { Sqlite } from '../../sqlite/database.ts'
import { SqliteError } from '../../sqlite/errors.ts'
import { type Kind, kindChecksum, markOf } from './row.ts'

type Row = [id: number | string, category: string | number, type: string | number, checksum: number]
type Named = Pick<Kind, 'id' | 'category' | 'type'>

/** `last`: the highest number that a row of the table has, whether or not it is the right one. */
export type KindsRead = { readonly kinds: readonly Kind[]; readonly last: number }

export type Kinds = {
  /** Those of the rows above `after`; from -1 on, all that there are. @throws {SqliteError} corrupt: neither of the two says what one is. */
  read(after: number): KindsRead
  /** What of the two does not fit the other, in words. @throws {SqliteError} */
  differences(): readonly string[]
}

const namedOf = ([id, category, type]: readonly unknown[]): readonly Named[] =>
  typeof id === 'number' && typeof category === 'string' && typeof type === 'string' ? [{ id, category, type }] : []
const kindOf = ({ id, category, type }: Named): Kind => ({ id, category, type, mark: markOf(category, type) })
const fits = ({ id, mark }: Kind, checksum: number): boolean => kindChecksum(id, mark) === checksum
const isSame = (a: Named, b: Named): boolean => a.id === b.id && isPair(a, b)
const isPair = (a: Named, b: Named): boolean => a.category === b.category && a.type === b.type

const BYTES = [0xff, 0xff00, 0xff0000, 0xff000000]
/** One byte apart: the checksum itself was hit. Of another name it would be another one altogether. */
const isOneByteOff = (a: number, b: number): boolean => BYTES.some(byte => ((a ^ b) & ~byte) === 0)

const isCorrupt = (error: unknown): boolean => error instanceof SqliteError && error.kind === 'corrupt'

export const openKinds = (db: Sqlite): Kinds => {
  const rowsAfter = db.prepare<Row>(
    'SELECT id, category, type, checksum FROM kinds NOT INDEXED WHERE id > ? ORDER BY id',
  )
  const indexed = db.prepare<[number, string, string]>(
    'SELECT id, category, type FROM kinds INDEXED BY sqlite_autoindex_kinds_1 ORDER BY category, type',
  )
  const entries = (): readonly Kind[] => indexed.all().flatMap(namedOf).map(kindOf)
  /** None where the index cannot be gone through either. */
  const entriesAsFarAs = (): readonly Kind[] => {
    try {
      return entries()
    } catch (error) {
      if (isCorrupt(error)) return []
      throw error
    }
  }
  const mended = (row: Row, known: readonly Kind[]): Kind | undefined => {
    const [, , , checksum] = row
    const [own] = namedOf(row).map(kindOf)
    const other = known.find(entry => fits(entry, checksum))
    if (other) return other
    const isHit = own && isOneByteOff(kindChecksum(own.id, own.mark), checksum)
    return own && isHit && known.some(entry => isSame(entry, own)) ? own : undefined
  }
  /** Every row, or undefined where the table cannot be gone through. */
  const rowsFrom = (after: number, known: () => readonly Kind[]): readonly Row[] | undefined => {
    try {
      return rowsAfter.all(after)
    } catch (error) {
      if (isCorrupt(error) && known().length > 0) return undefined
      throw error
    }
  }
  return {
    read: after => {
      let asked: readonly Kind[] | undefined
      const known = (): readonly Kind[] => {
        asked ??= entriesAsFarAs()
        return asked
      }
      const rows = rowsFrom(after, known)
      if (!rows) {
        const kinds = known().filter(({ id }) => id > after)
        return { kinds, last: kinds.reduce((most, { id }) => Math.max(most, id), after) }
      }
      const read = rows.map(row => {
        const [own] = namedOf(row).map(kindOf)
        return own && fits(own, row[3]) ? own : mended(row, known())
      })
      const kinds = read.filter(kind => kind !== undefined)
      // One that is no kind at all tells nothing: its own is among those that the index has alone. Where both say the same, and another
      // checksum stands beside it, neither is believed.
      const unknown = rows.find((row, nth) => {
        const agrees = namedOf(row).some(own => known().some(entry => isSame(entry, own)))
        return read[nth] === undefined && (agrees || after >= 0 || known().length === 0)
      })
      if (unknown) {
        const detail = `kind ${unknown[0]} of events does not fit its checksum: restore a backup`
        throw new SqliteError('corrupt', `${db.path}: ${detail}`)
      }
      const last = rows.reduce((most, [id]) => (typeof id === 'number' ? Math.max(most, id) : most), after)
      // Rows come one by one while the log grows; that one is gone is looked for when all are read.
      const lost =
        after < 0 ? known().filter(entry => !kinds.some(kind => kind.id === entry.id || isPair(kind, entry))) : []
      return { kinds: [...kinds, ...lost], last }
    },
    differences: () => {
      const rows = rowsAfter.all(-1)
      const known = entries()
      const own = rows.flatMap(namedOf).map(kindOf)
      const unfit = rows.filter(
        row =>
          !namedOf(row)
            .map(kindOf)
            .some(kind => fits(kind, row[3])),
      )
      return [
        ...unfit.map(([id]) => `the table of kinds does not fit its checksum at kind ${id}`),
        ...own
          .filter(row => !known.some(entry => isSame(entry, row)))
          .map(({ id }) => `the index of kinds does not lead to kind ${id}`),
        ...known
          .filter(entry => !own.some(row => isSame(entry, row)))
          .map(({ id }) => `the index of kinds leads to kind ${id} as none is`),
        ...(known.length === rows.length
          ? []
          : [`the index of kinds has ${known.length} entries for ${rows.length} kinds`]),
      ]
    },
  }
}

/** One that cannot be gone through is not. @throws {SqliteError} other than for that. */
const isWhole = ({ differences }: Kinds): boolean => {
  try {
    return differences().length === 0
  } catch (error) {
    if (isCorrupt(error)) return false
    throw error
  }
}

/** Puts both in order: to be called where neither table is guarded. @throws {SqliteError} */
export const remakeKinds = (db: Sqlite): void => {
  const kinds = openKinds(db)
  if (isWhole(kinds)) return
  const { kinds: read } = kinds.read(-1)
  db.exec('REINDEX kinds; DELETE FROM kinds')
  const insert = db.prepare('INSERT INTO kinds (id, category, type, checksum) VALUES (?, ?, ?, ?)')
  for (const { id, category, type, mark } of read) insert.run(id, category, type, kindChecksum(id, mark))
}
