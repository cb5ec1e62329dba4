/**
 * Overwrites what deleted rows left behind in a database's file: between the cells of its pages, and in pages that are free.
 * `secure_delete` overwrites a row where it
 * lies; but as pages fill and empty SQLite moves rows between them and leaves the old bytes in the space that no cell has, where
 * no later delete finds them. SQLite offers nothing to overwrite them short of writing the whole file anew (VACUUM), so it is done
 * in the file, a stretch at a time: while the write lock is held and the journal is empty nobody else writes the file, and
 * readers see no byte change that means anything. It is for files without auto_vacuum, as ours are: the pointer maps of others begin
 * with bytes like those of b-tree pages. Free pages hold what was deleted before there was `secure_delete`.
 *
 * @see https://www.sqlite.org/fileformat2.html#b_tree_pages
 * @see https://www.sqlite.org/fileformat2.html#the_freelist
 */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import type { Sqlite } from './database.ts'
import { SqliteError } from './errors.ts'
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

/** In the file's header: the first trunk page of the list of free pages, and how many there are. */
const FIRST_TRUNK = 32
const FREE_PAGES = 36

const NONE: ReadonlyMap<number, number> = new Map()

/**
 * The free pages, each with the byte from which on nothing in it means anything: a trunk keeps its part of the list, a leaf nothing.
 * None when the list makes no sense.
 */
export const freePages = (
  pageAt: (number: number) => Uint8Array,
  { pages, pageSize }: { readonly pages: number; readonly pageSize: number },
): ReadonlyMap<number, number> => {
  const free = new Map<number, number>()
  const viewOf = (number: number): DataView => {
    const page = pageAt(number)
    return new DataView(page.buffer, page.byteOffset, page.byteLength)
  }
  const take = (number: number, from: number): boolean => {
    if (number < 2 || number > pages || free.has(number)) return false
    free.set(number, from)
    return true
  }
  const header = viewOf(1)
  for (let trunk = header.getUint32(FIRST_TRUNK); trunk !== 0; ) {
    if (trunk > pages) return NONE
    const view = viewOf(trunk)
    const end = 8 + view.getUint32(4) * 4
    if (end > pageSize || !take(trunk, end)) return NONE
    for (let at = 8; at < end; at += 4) if (!take(view.getUint32(at), 0)) return NONE
    trunk = view.getUint32(0)
  }
  return free.size === header.getUint32(FREE_PAGES) ? free : NONE
}

const isBlank = (bytes: Uint8Array): boolean => bytes.every(byte => byte === 0)

/** Descriptors by the file that they are of. */
const opened = new Map<string, number>()
/**
 * Closing any descriptor of a file drops the locks that SQLite has on it in this process (fcntl(2), POSIX). So it stays open for
 * as long as the file has a name: by then nobody can open it any more, and who still reads it needs no lock against anybody.
 */
const descriptorOf = (path: string): number => {
  for (const [key, file] of opened) {
    if (fstatSync(file).nlink > 0) continue
    closeSync(file)
    opened.delete(key)
  }
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
  const free = freePages(
    number => {
      const page = Buffer.alloc(pageSize)
      readSync(file, page, 0, pageSize, (number - 1) * pageSize)
      return page
    },
    { pages, pageSize },
  )
  const base = (from - 1) * pageSize
  readSync(file, bytes, 0, bytes.length, base)
  let changed = false
  for (let at = 0; at < bytes.length; at += pageSize) {
    if (base + at === LOCK_BYTE) continue
    const page = bytes.subarray(at, at + pageSize)
    const freeFrom = free.get(from + at / pageSize)
    const stretches = freeFrom === undefined ? unusedOf(page, base + at === 0) : [{ from: freeFrom, to: pageSize }]
    for (const stretch of stretches) {
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
 * a reader or writer stood in the way. @throws {SqliteError} also for a file that is too large, of which nothing is overwritten.
 */
export const scrub = (db: Sqlite, from: number, most = MOST_PAGES): number => {
  if (checkpoint(db) !== 0) return from
  const file = descriptorOf(db.path)
  // Pages that this connection remembers have what is overwritten now, and would bring it back with their next change.
  db.exec('PRAGMA shrink_memory')
  return db.transaction(() => {
    // Somebody wrote in between: of the pages in the journal those in the file are out of date.
    if ((statSync(`${db.path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return from
    const pageSize = Number(db.pragma('page_size'))
    const pages = fstatSync(file).size / pageSize
    if (pages >= most)
      throw new SqliteError(
        'io',
        `${db.path}: what was removed cannot be overwritten in a file of ${most} pages or more: delete it, and it is built again`,
      )
    const next = scrubPages(file, pageSize, from)
    // A change, so that every connection of every process forgets the pages that it remembers.
    db.exec(`PRAGMA user_version = ${Number(db.pragma('user_version'))}`)
    return next
  })
}
