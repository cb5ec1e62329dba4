import { readFileSync } from 'node:fs'
import t from 'tap'
import { tierOf } from '../../scripts/tiers.ts'
import { closingLine, openDigest, totalsOf } from '../../scripts/totals.ts'

t.test('totals are read from what tap writes', async t => {
  t.strictSame(totalsOf('# { total: 5, pass: 4, skip: 1 }'), { passed: 4, failed: 0, skipped: 1 })
  t.strictSame(totalsOf('# { total: 9, pass: 4, fail: 2, skip: 1, todo: 2 }'), { passed: 4, failed: 2, skipped: 3 })
  t.equal(totalsOf('# { something: else }'), undefined)
  t.equal(closingLine({ passed: 4, failed: 2, skipped: 3 }), '4 passed, 2 failed, 3 skipped')
})

t.test('of a file it shows what failed with its diagnostics, and what was skipped', async t => {
  const printed = `TAP version 14
# Subtest: outer
    ok 1 - fine
    not ok 2 - broken
      ---
      diff: |
        ok 1 - this is no result
      ...
    1..2
not ok 1 - outer # time=1ms
ok 2 - lazy # SKIP no dictionary
not ok 3 - bare
# { total: 4, pass: 1, fail: 2, skip: 1 }`
  const digest = openDigest('tests/a.test.ts')
  t.strictSame(
    printed.split('\n').flatMap(line => digest.line(line)),
    [
      'not ok: tests/a.test.ts > outer > broken',
      '      ---',
      '      diff: |',
      '        ok 1 - this is no result',
      '      ...',
      'not ok: tests/a.test.ts > outer',
      'skipped: tests/a.test.ts > lazy # SKIP no dictionary',
      'not ok: tests/a.test.ts > bare',
    ],
  )
  t.strictSame(digest.totals(), { passed: 1, failed: 2, skipped: 1 })
  t.strictSame(digest.failures(), ['outer > broken', 'bare'])
})

t.test('a folder says which tier a test is of', async t => {
  const service = [
    'tests/service/a.test.ts',
    'tests/faults/a.test.ts',
    'tests/docs/a.test.ts',
    'tests/attacks/cost/a.test.ts',
  ]
  const engines = ['tests/contracts/read-store-mongodb.test.ts', 'tests/contracts/cache-redis.test.ts']
  for (const file of [...service, ...engines, 'tests/contracts/event-store-eventstoredb.test.ts'])
    t.equal(tierOf(file), 'service', file)
  const fast = [
    'tests/domain/entry.test.ts',
    'tests/contracts/read-store-sqlite.test.ts',
    'tests/attacks/doors.test.ts',
  ]
  for (const file of [...fast, 'tests/architecture.test.ts']) t.equal(tierOf(file), 'fast', file)
})

t.test('nothing in the project says where packages come from', async t => {
  const lock = readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')
  t.notMatch(lock, '"resolved"')
  t.match(lock, '"integrity"')
})
