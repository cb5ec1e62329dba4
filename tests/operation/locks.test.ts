/** Health says who keeps a file from being written, and for how long; a busy file is no fault. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { openLockWatch } from '../../src/adapters/sqlite/locks.ts'
import { defined } from '../../src/domain/defined.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { fakeClock } from '../support/clocks.ts'
import { temporaryFolder } from '../support/service.ts'

t.test('a lock is held while nobody else gets it and nothing is committed', async t => {
  const path = join(temporaryFolder(t), 'a.db')
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE a (b)')
  const clock = fakeClock()
  const watch = openLockWatch([path, `${path}.not-there`], clock.monotonic)
  t.teardown(() => {
    watch.close()
    db.close()
  })
  t.same(watch.look(), [])
  db.exec('BEGIN IMMEDIATE')
  t.match(watch.look(), [{ path, heldMs: 0 }])
  await clock.advance(3_000)
  t.match(watch.look(), [
    { path, heldMs: 3_000, ...defined({ pid: process.platform === 'linux' ? process.pid : undefined }) },
  ])
  db.exec('INSERT INTO a VALUES (1); COMMIT; BEGIN IMMEDIATE')
  t.match(watch.look(), [{ heldMs: 0 }], 'another transaction')
  await clock.advance(1_000)
  t.match(watch.look(), [{ heldMs: 1_000 }])
  db.exec('ROLLBACK')
  t.same(watch.look(), [])
  db.exec('BEGIN IMMEDIATE')
  t.match(watch.look(), [{ heldMs: 0 }], 'it was free in between')
  db.exec('ROLLBACK')
})

t.test('health names the file, and is well again by itself', async t => {
  const folder = temporaryFolder(t)
  const app = await openTestApp(t, {}, { folder })
  const headers = { authorization: `Bearer ${await app.token('admin')}` }
  const part = async () => JSON.parse(await (await fetch(`${app.url}/health`, { headers })).text()).parts.locks
  t.match(await part(), { state: 'ok' })
  const holder = new DatabaseSync(join(folder, 'events.db'), { timeout: 5_000 })
  holder.exec('BEGIN IMMEDIATE')
  const held = await inTime(app, 'it is told', async () => {
    const found = await part()
    return found.state === 'degraded' && found
  })
  t.match(held.detail, { 'events.db': { heldMs: Number, holder: /process/ } })
  t.ok(held.detail['events.db'].heldMs >= 2_000)
  holder.exec('ROLLBACK')
  holder.close()
  await inTime(app, 'it is free', async () => (await part()).state === 'ok')
})
