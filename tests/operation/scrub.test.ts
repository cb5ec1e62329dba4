/** What SQLite leaves of deleted rows in its file is overwritten, and nothing else is. */
import { join } from 'node:path'
import t from 'tap'
import { openDatabase } from '../../src/adapters/sqlite/database.ts'
import { checkpoint } from '../../src/adapters/sqlite/journal.ts'
import { scrub, unusedOf } from '../../src/adapters/sqlite/scrub.ts'
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
