/** The wrapper on node:sqlite, seen by itself. */
import { join } from 'node:path'
import t from 'tap'
import { openDatabase, type SqlValue } from '../../src/adapters/sqlite/database.ts'
import { SqliteError } from '../../src/adapters/sqlite/errors.ts'

const kindOf = (work: () => unknown): string => {
  try {
    work()
    return 'no error'
  } catch (error) {
    return error instanceof SqliteError ? error.kind : String(error)
  }
}

t.test('the wrapper binds only what every runtime binds alike', async t => {
  const db = openDatabase(join(t.testdir(), 'a.db'), {
    role: 'read',
    applicationId: 5,
    schemaVersion: 1,
    migrate: fresh => fresh.exec('CREATE TABLE a (b ANY) STRICT'),
  })
  t.teardown(() => db.close())
  const insert = db.prepare('INSERT INTO a VALUES (?)')
  for (const wrong of [true, undefined, new Date(), Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, {}, Symbol('x')])
    t.throws(() => insert.run(wrong as SqlValue), TypeError)
  for (const right of [null, 1, 1.5, 2n ** 60n, 'text', new Uint8Array([1])]) insert.run(right)
  t.throws(() => db.prepare('SELECT b FROM a').all())
  t.same(db.prepare<[SqlValue]>('SELECT b FROM a WHERE typeof(b) = ?', { bigints: true }).all('integer'), [[2n ** 60n]])
  t.throws(
    () =>
      db.transaction(() => {
        insert.run('gone')
        throw new Error('undo')
      }),
    /undo/,
  )
  t.equal(db.inTransaction, false)
  t.equal(db.prepare<[number]>("SELECT count(*) FROM a WHERE b = 'gone'").get()?.[0], 0)
  t.equal(
    kindOf(() => db.exec('NO SQL')),
    'misuse',
  )
  t.equal(db.pragma('synchronous'), 1)
  const again = { role: 'read', applicationId: 5, schemaVersion: 2, migrate: () => undefined } as const
  t.equal(
    kindOf(() => openDatabase(db.path, { ...again, readOnly: true })),
    'older',
  )
  t.equal(
    kindOf(() => openDatabase(join(t.testdirName, 'none.db'), { ...again, readOnly: true })),
    'cantopen',
  )
  t.throws(() => openDatabase(db.path, { ...again, pragmas: { 'x;': 1 } }), TypeError)
  const reader = openDatabase(db.path, { ...again, schemaVersion: 1, readOnly: true })
  t.equal(
    kindOf(() => reader.exec('DELETE FROM a')),
    'readonly',
  )
  t.same([...reader.prepare<[SqlValue]>('SELECT b FROM a LIMIT 2').iterate()], [[null], [1]])
  reader.close()
  reader.close()
  t.equal(
    kindOf(() => reader.exec('SELECT 1')),
    'closed',
  )
})
