/** The queue in a file of its own. */
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'
import { openQueue } from '../../src/adapters/jobs/queue.ts'
import { openSqliteJobs } from '../../src/adapters/jobs/sqlite/backend.ts'
import { ABOUT } from '../../src/adapters/jobs/sqlite/schema.ts'
import { defined } from '../../src/domain/defined.ts'
import { realClock } from '../support/clocks.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'
import { jobsContract } from './jobs.ts'
import { jobsAwayContract } from './jobs-away.ts'
import { repositoryContract } from './jobs-repository.ts'

const engine = async (t: Test) => {
  const path = join(temporaryFolder(t), 'jobs.db')
  return async () => openSqliteJobs(path)
}
jobsContract(t, 'sqlite', engine)
jobsAwayContract(t, 'sqlite', engine)
repositoryContract(t, 'sqlite', engine)

t.test('a file that is gone under a running queue is missed, and begun anew', async t => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'jobs.db')
  const queue = await openQueue({
    backend: openSqliteJobs(path),
    nodeId: 'node',
    clock: realClock(),
    random: () => 0.5,
    onError: () => undefined,
  })
  t.teardown(() => queue.close())
  await queue.add({ kind: 'letter', key: 'a', data: {} })
  const checkpoint = { consumer: 'mail', value: { logId: 'log', position: 4n, eventId: '', token: 1 } }
  await queue.consumers.apply('', [], checkpoint)
  await queue.consumers.swap('name', undefined, 'value')
  for (const name of ['jobs.db', 'jobs.db-wal', 'jobs.db-shm'])
    renameSync(join(folder, name), join(folder, `old-${name}`))
  await until('it is missed', async saw => {
    const counts = await queue.counts().catch((error: unknown) => error)
    saw(counts)
    return Object(counts).waiting === 0
  })
  await t.rejects(queue.consumers.apply('', [], checkpoint), { code: 'unavailable', message: /its checkpoint is gone/ })
  t.equal(await queue.consumers.record('name'), undefined, 'what consumers knew is gone with the jobs')
  t.equal(await queue.add({ kind: 'letter', key: 'a', data: {} }), true)
})

t.test('the jobs about an account are found by an index, in a file of before too', async t => {
  const path = join(temporaryFolder(t), 'jobs.db')
  const used = async (): Promise<void> => {
    const queue = await openQueue({
      backend: openSqliteJobs(path),
      nodeId: 'node',
      clock: realClock(),
      random: () => 0.5,
      onError: () => undefined,
    })
    for (const [key, about] of [
      ['a', 'ada'],
      ['b', 'bob'],
      ['c', undefined],
    ] as const)
      await queue.add({ kind: 'letter', key, data: {}, ...defined({ about }) })
    t.equal(await queue.forgetAbout('ada'), 1)
    t.same((await queue.list({ limit: 9 })).map(({ key }) => key).toSorted(), ['b', 'c'])
    await queue.close()
  }
  const db = () => new DatabaseSync(path)
  await used()
  const before = db()
  before.exec('DROP INDEX job_about')
  before.close()
  await used()
  const file = db()
  const plan = file.prepare(`EXPLAIN QUERY PLAN DELETE FROM job WHERE ${ABOUT} = ?`).all('ada')
  file.close()
  t.match(
    plan.map(step => step['detail']),
    [/^SEARCH job USING .*INDEX job_about \(<expr>=\?\)$/],
  )
})
