/** What SQLite leaves of deleted rows in its file is overwritten, and nothing else is. */
import { existsSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openDatabase, type Sqlite } from '../../src/adapters/sqlite/database.ts'
import { checkpoint } from '../../src/adapters/sqlite/journal.ts'
import { freePages, scrub, unusedOf } from '../../src/adapters/sqlite/scrub.ts'
import { temporaryFolder } from '../support/service.ts'
import { rareWords, tracesIn } from '../support/traces.ts'

t.test('what SQLite leaves between the cells of its pages is overwritten', t => {
  const folder = temporaryFolder(t)
  const db = openDatabase(join(folder, 'read.db'), {
    role: 'read',
    applicationId: 5,
    schemaVersion: 1,
    migrate: db => db.exec('CREATE TABLE term (term TEXT, doc INTEGER, PRIMARY KEY (term, doc)) WITHOUT ROWID'),
    pragmas: { secure_delete: 'ON' },
  })
  t.teardown(() => db.close())
  const insert = db.prepare('INSERT OR IGNORE INTO term VALUES (?, ?)')
  const secret = rareWords(400, 7)
  const keysOf = (word: string): readonly string[] => [
    word,
    [...word].toReversed().join(''),
    ...Array.from({ length: 7 }, (_, at) => [...word].toSpliced(at, 1).join('')),
  ]
  /** Terms that have their places among the secret ones. */
  const other = (n: number, at: number): string =>
    `${secret[(n * 7 + at) % 400]?.slice(at % 3, 3)}${'aeiou'.repeat(n % 5)}${n}`
  const fill = (from: number, to: number): void => {
    for (let n = from; n < to; n += 1) for (let at = 0; at < 9; at += 1) insert.run(other(n, at), n)
  }
  for (const [n, word] of secret.entries()) {
    fill(n * 5, n * 5 + 5)
    for (const key of keysOf(word)) insert.run(key, n)
  }
  const remove = db.prepare('DELETE FROM term WHERE term = ? AND doc = ?')
  for (const [n, word] of secret.entries()) for (const key of keysOf(word)) remove.run(key, n)
  t.equal(checkpoint(db), 0)
  t.not(tracesIn(folder, secret).length, 0, 'secure_delete alone leaves some')
  const scrubAll = (): void => {
    for (let page = 1; page !== 0; page = scrub(db, page));
    t.equal(checkpoint(db), 0)
  }
  scrubAll()
  t.same(tracesIn(folder, secret), [])
  fill(5_000, 5_500)
  t.equal(checkpoint(db), 0)
  t.same(tracesIn(folder, secret), [], 'nor does a page that was remembered bring it back')
  t.same(db.pragma('integrity_check'), 'ok')

  const reader = openDatabase(db.path, {
    role: 'read',
    applicationId: 5,
    schemaVersion: 1,
    migrate: () => undefined,
    readOnly: true,
  })
  reader.exec('BEGIN')
  t.equal(reader.prepare('SELECT count(*) FROM term').get()?.[0], db.prepare('SELECT count(*) FROM term').get()?.[0])
  insert.run('later', 1)
  t.equal(scrub(db, 1), 1, 'a reader who needs the journal is not disturbed: it is tried again')
  reader.close()
  scrubAll()
  t.end()
})

t.test('free pages are overwritten, those of a file from before secure_delete too', t => {
  const folder = temporaryFolder(t)
  const options = {
    role: 'read',
    applicationId: 5,
    schemaVersion: 1,
    migrate: (db: Sqlite) => db.exec('CREATE TABLE document (doc INTEGER PRIMARY KEY, body TEXT)'),
    pragmas: { secure_delete: 'OFF' },
  } as const
  const path = join(folder, 'read.db')
  const open = (): Sqlite => {
    const db = openDatabase(path, options)
    t.teardown(() => db.close())
    return db
  }
  const db = open()
  const secret = rareWords(400, 11)
  const insert = db.prepare('INSERT INTO document VALUES (?, ?)')
  for (const [n, word] of secret.entries()) insert.run(n, `${word} `.repeat(n % 4 === 0 ? 1_500 : 20))
  // More than one trunk page can list.
  for (let n = 0; n < 1_200; n += 1) insert.run(1_000 + n, secret[n % 400]?.repeat(300) ?? '')
  insert.run(5_000, 'stays')
  db.exec('DELETE FROM document WHERE doc < 5000')
  t.equal(checkpoint(db), 0)
  const free = Number(db.pragma('freelist_count'))
  t.ok(free > 1_100, `${free} pages are free`)
  t.not(tracesIn(folder, secret).length, 0)

  t.throws(() => scrub(db, 1, 1_000), /of 1000 pages or more/, 'what is not looked at is not taken for done')
  for (let page = 1; page !== 0; page = scrub(db, page));
  t.equal(checkpoint(db), 0)
  t.same(tracesIn(folder, secret), [])
  t.equal(db.pragma('integrity_check'), 'ok')
  t.equal(Number(db.pragma('freelist_count')), free, 'they are as free as they were')
  for (let n = 0; n < 2_000; n += 1) insert.run(n, 'used again '.repeat(300))
  t.equal(db.pragma('integrity_check'), 'ok')
  t.equal(db.prepare('SELECT body FROM document WHERE doc = 5000').get()?.[0], 'stays')

  const descriptors = '/proc/self/fd'
  if (existsSync(descriptors)) {
    const unnamed = (): number =>
      readdirSync(descriptors).filter(each => {
        try {
          return readlinkSync(join(descriptors, each)) === `${path} (deleted)`
        } catch {
          return false
        }
      }).length
    db.close()
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
    t.equal(unnamed(), 1)
    scrub(open(), 1)
    t.equal(unnamed(), 0, 'what has no name any more is closed, and its room is free')
  }
  t.end()
})

t.test('a list of free pages that makes no sense is believed in nothing', t => {
  const pageSize = 512
  const [pages, none] = [9, new Map()]
  const freeOf = (first: number, count: number, lists: Readonly<Record<number, readonly number[]>>) =>
    freePages(
      number => {
        const page = Buffer.alloc(pageSize)
        for (const [at, value] of (number === 1 ? [] : (lists[number] ?? [])).entries())
          page.writeUInt32BE(value, at * 4)
        if (number === 1) page.writeUInt32BE(first, 32)
        if (number === 1) page.writeUInt32BE(count, 36)
        return page
      },
      { pages, pageSize },
    )
  const sound = { 3: [5, 2, 4, 9], 5: [0, 0] }
  t.same(
    [...freeOf(3, 4, sound)],
    [
      [3, 16],
      [4, 0],
      [9, 0],
      [5, 8],
    ],
  )
  t.same(freeOf(0, 0, {}), none)
  t.same(freeOf(3, 5, sound), none, 'another count')
  t.same(freeOf(3, 4, { ...sound, 5: [3, 0] }), none, 'a circle')
  t.same(freeOf(3, 4, { ...sound, 3: [5, 2, 4, 4] }), none, 'a page twice')
  t.same(freeOf(3, 4, { ...sound, 3: [5, 2, 4, 10] }), none, 'a page beyond the end')
  t.same(freeOf(3, 4, { ...sound, 3: [5, 2, 4, 1] }), none, 'the first page')
  t.same(freeOf(3, 4, { ...sound, 3: [10, 2, 4, 9] }), none, 'a trunk beyond the end')
  t.same(freeOf(3, 4, { ...sound, 3: [5, 127, 4, 9] }), none, 'more than a page holds')
  t.end()
})

t.test('a page that makes no sense is left alone', t => {
  const page = (bytes: readonly number[]): Uint8Array => {
    const whole = new Uint8Array(512)
    whole.set(bytes)
    return whole
  }
  t.same(unusedOf(page([13, 0, 0, 0, 1, 1, 244, 0]), false), [{ from: 10, to: 500 }])
  t.same(unusedOf(page([0, 0, 0, 9, 1, 2, 3]), false), [], 'an overflow page')
  t.same(unusedOf(page([13, 0, 0, 1, 0, 0, 100, 0]), false), [], 'pointers beyond the cells')
  t.same(unusedOf(page([13, 0, 0, 0, 1, 255, 255, 0]), false), [], 'cells beyond the page')
  t.same(unusedOf(page([13, 0, 50, 0, 1, 1, 244, 0]), false), [], 'a free block before the cells')
  t.end()
})
