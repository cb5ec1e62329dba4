/** Several processes on one SQLite event store, and processes that are killed while they append. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { openSqliteEventStore } from '../../src/adapters/eventstore/sqlite/store.ts'
import { fastClock } from '../support/clocks.ts'
import { idsOf, newEvents, readLog, readWhole, tail, written } from '../support/event-stores.ts'
import { startProcess } from '../support/processes.ts'
import { serviceProcess } from '../support/service.ts'
import { until } from '../support/until.ts'

const pathIn = (t: Test): string => join(t.testdir(), 'events.db')
const open = async (t: Test, path: string) => {
  const store = await openSqliteEventStore({ path, clock: fastClock(1) })
  t.teardown(() => store.close())
  return store
}

const child = fileURLToPath(new URL('../support/event-store-child.ts', import.meta.url))
type Line = { readonly stream: string; readonly revision: bigint; readonly id: string }
const startChild = async (t: Test, path: string, name: string, appenders: number, appends: number) => {
  const args = [child, path, name, String(appenders), String(appends)]
  const { output, ended, stop } = startProcess(t, ...(await serviceProcess(args)))
  return {
    kill: () => stop('SIGKILL'),
    count: () => output.out.split('\n').length - 1,
    /** What it has said to be answered, once it has ended. */
    ended: ended.then(({ code, out, err }) => ({
      code,
      err,
      // A line without its end was cut off by the kill.
      lines: out
        .split('\n')
        .slice(0, -1)
        .map((line): Line => {
          const [stream = '', revision = '-1', id = ''] = line.split(' ')
          return { stream, revision: BigInt(revision), id }
        }),
    })),
  }
}

t.test('two processes and a follower share a file', async t => {
  const path = pathIn(t)
  const store = await open(t, path)
  const following = tail(store, 0n)
  await following.until(() => following.batches.length > 0)
  const children = await Promise.all(['left', 'right'].map(name => startChild(t, path, name, 4, 40)))
  const results = await Promise.all(children.map(({ ended }) => ended))
  const lines = results.flatMap(result => result.lines)
  for (const { code, err } of results) t.equal(code, 0, err)
  t.equal(lines.length, 2 * (4 * 40 + 40))
  await following.until(() => following.events.length >= lines.length)
  await following.stop()
  t.same(idsOf(following.events).toSorted(), idsOf(lines).toSorted(), 'each event came once')
  t.ok(following.events.every((event, at) => at === 0 || event.position > (following.events[at - 1]?.position ?? 0n)))
  const shared = await readWhole(store, 'shared-0')
  t.equal(shared.length, 80)
  t.same(
    idsOf(shared),
    idsOf(lines.filter(line => line.stream === 'shared-0').toSorted((a, b) => Number(a.revision - b.revision))),
  )
  t.same(new Set(shared.map(event => event.data)).size, 2, 'both wrote to it')
  written(await store.append('shared-0', 79n, newEvents(1)))
})

t.test('a process killed while it appends loses nothing that it had answered', async t => {
  const path = pathIn(t)
  const answered: Line[] = []
  for (let round = 0; round < 6; round += 1) {
    const running = await startChild(t, path, `r${round}`, 16, 100_000)
    await until('it has answered some', saw => {
      saw(running.count())
      return running.count() > 100 + round * 50
    })
    await running.kill()
    const { lines } = await running.ended
    t.ok(lines.length > 100)
    answered.push(...lines)
  }
  const store = await open(t, path)
  const { events } = await readLog(store, 0n)
  const there = new Map(events.map(event => [event.id, event]))
  t.equal(there.size, events.length, 'none is there twice')
  const missing = answered.filter(({ id, stream, revision }) => {
    const event = there.get(id)
    return event?.stream !== stream || event.revision !== revision
  })
  t.same(missing, [], `${answered.length} answered, ${events.length} there`)
  const next = new Map<string, bigint>()
  for (const { stream, revision } of events) {
    if (revision !== (next.get(stream) ?? 0n)) t.fail(`${stream} has a gap before ${revision}`)
    next.set(stream, revision + 1n)
  }
  const db = new DatabaseSync(path)
  t.equal(Object.values(db.prepare('PRAGMA integrity_check').get() ?? {})[0], 'ok')
  db.close()
})
