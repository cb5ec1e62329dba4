/**
 * Overwrites what deleted rows left behind between the cells of a database's pages. `secure_delete` overwrites a row where it
 * lies; but as pages fill and empty SQLite moves rows between them and leaves the old bytes in the space that no cell has, where
 * no later delete finds them. SQLite offers nothing to overwrite them short of writing the whole file anew (VACUUM), so it is done
 * in the file, a stretch at a time: while the write lock is held and the journal is empty nobody else writes the file, and
 * readers see no byte change that means anything. It is for files without auto_vacuum, as ours are: the pointer maps of others begin
 * with bytes like those of b-tree pages.
 *
 * @see https://www.sqlite.org/fileformat2.html#b_tree_pages
 */
import { fstatSync, fsyncSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import type { Sqlite } from './database.ts'
import { checkpoint } from './journal.ts'

const PAGES = 2_048
/** Page 1 begins with the file's header. */
const HEADER = 100
const LOCK_BYTE = 0x40000000
/** From here on the number of an overflow page's successor, its first bytes, may look like the kind of a b-tree page. */
const MOST_PAGES = 0x02000000

const LEAVES: ReadonlySet<number> = new Set([10, 13])
const INNER: ReadonlySet<number> = new Set([2, 5])

type Stretch = { readonly from: number; readonly to: number }

/** The bytes of a b-tree page that belong to no cell; none of a page of another kind, or of one that makes no sense. */
export const unusedOf = (page: Uint8Array, first: boolean): readonly Stretch[] => {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength)
  const size = page.byteLength
  const at = first ? HEADER : 0
  const kind = page[at] ?? 0
  const head = LEAVES.has(kind) ? 8 : INNER.has(kind) ? 12 : 0
  if (head === 0) return []
  const cells = view.getUint16(at + 3)
  const content = view.getUint16(at + 5) || 0x10000
  const pointers = at + head + cells * 2
  if (pointers > content || content > size) return []
  const found: Stretch[] = [{ from: pointers, to: content }]
  for (let block = view.getUint16(at + 1); block !== 0; ) {
    if (block < content || block + 4 > size) return []
    const [next, length] = [view.getUint16(block), view.getUint16(block + 2)]
    if (length < 4 || block + length > size || (next !== 0 && next < block + length)) return []
    found.push({ from: block + 4, to: block + length })
    block = next
  }
  return found
}

const isBlank = (bytes: Uint8Array): boolean => bytes.every(byte => byte === 0)

/** Descriptors by the file that they are of. */
const opened = new Map<string, number>()
/** Never closed: closing any descriptor of the file drops the locks that SQLite has on it in this process (fcntl(2), POSIX). */
const descriptorOf = (path: string): number => {
  const { dev, ino } = statSync(path)
  const known = opened.get(`${dev}:${ino}`)
  if (known !== undefined) return known
  const file = openSync(path, 'r+')
  opened.set(`${dev}:${ino}`, file)
  return file
}

const scrubPages = (file: number, pageSize: number, from: number): number => {
  const pages = Math.floor(fstatSync(file).size / pageSize)
  const bytes = Buffer.alloc(Math.max(0, Math.min(PAGES, pages - from + 1)) * pageSize)
  if (bytes.length === 0) return 0
  const base = (from - 1) * pageSize
  readSync(file, bytes, 0, bytes.length, base)
  let changed = false
  for (let at = 0; at < bytes.length; at += pageSize) {
    if (base + at === LOCK_BYTE) continue
    const page = bytes.subarray(at, at + pageSize)
    for (const stretch of unusedOf(page, base + at === 0)) {
      const unused = page.subarray(stretch.from, stretch.to)
      if (isBlank(unused)) continue
      unused.fill(0)
      writeSync(file, unused, 0, unused.length, base + at + stretch.from)
      changed = true
    }
  }
  if (changed) fsyncSync(file)
  const next = from + bytes.length / pageSize
  return next > pages ? 0 : next
}

/**
 * Folds the journal and scrubs some pages from one on. Answers the page to go on from, 0 after the last one, the same page when
 * a reader or writer stood in the way. @throws {SqliteError}
 */
export const scrub = (db: Sqlite, from: number): number => {
  if (checkpoint(db) !== 0) return from
  const file = descriptorOf(db.path)
  // Pages that this connection remembers have what is overwritten now, and would bring it back with their next change.
  db.exec('PRAGMA shrink_memory')
  return db.transaction(() => {
    // Somebody wrote in between: of the pages in the journal those in the file are out of date.
    if ((statSync(`${db.path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return from
    const pageSize = Number(db.pragma('page_size'))
    const pages = fstatSync(file).size / pageSize
    if (pages >= MOST_PAGES) return 0
    const next = scrubPages(file, pageSize, from)
    // A change, so that every connection of every process forgets the pages that it remembers.
    db.exec(`PRAGMA user_version = ${Number(db.pragma('user_version'))}`)
    return next
  })
}
