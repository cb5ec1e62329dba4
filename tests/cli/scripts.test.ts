import { readFileSync } from 'node:fs'
import t from 'tap'
import { closingLine, openDigest, totalsOf } from '../../scripts/totals.ts'

t.test('totals are read from what tap writes', async t => {
  t.strictSame(totalsOf('# { total: 5, pass: 4, skip: 1 }'), { passed: 4, failed: 0, skipped: 1 })
  t.strictSame(totalsOf('# { total: 9, pass: 4, fail: 2, skip: 1, todo: 2 }'), { passed: 4, failed: 2, skipped: 3 })
  t.equal(totalsOf('# { something: else }'), undefined)
  t.equal(closingLine({ passed: 4, failed: 2, skipped: 3 }), '4 passed, 2 failed, 3 skipped')
})

t.test('of a run it shows one line a file, what failed with its diagnostics, and what was skipped', async t => {
  const run = `TAP version 14
# Subtest: tests/a.test.ts
    # Subtest: outer
        ok 1 - fine
        not ok 2 - broken
          ---
          diff: |
            ok 1 - this is no result
          ...
        1..2
    not ok 1 - outer
    ok 2 - lazy # SKIP no dictionary
not ok 1 - tests/a.test.ts # time=1ms
  ---
  exitCode: 1
  ...
# Subtest: tests/b.test.ts
    ok 1 - fine
ok 2 - tests/b.test.ts # time=2ms
# { total: 4, pass: 2, fail: 1, skip: 1 }`
  const digest = openDigest()
  const shown = run.split('\n').flatMap(line => digest.line(line))
  t.match(shown, [
    'not ok: tests/a.test.ts > outer > broken',
    '          ---',
    '          diff: |',
    '            ok 1 - this is no result',
    '          ...',
    'not ok: tests/a.test.ts > outer',
  ])
  t.ok(shown.includes('skipped: tests/a.test.ts > lazy # SKIP no dictionary'))
  t.equal(shown.at(-1), 'ok 2 - tests/b.test.ts # time=2ms')
  t.strictSame(digest.totals(), { passed: 2, failed: 1, skipped: 1 })
})

t.test('nothing in the project says where packages come from', async t => {
  const lock = readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')
  t.notMatch(lock, '"resolved"')
  t.match(lock, '"integrity"')
})
