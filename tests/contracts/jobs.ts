/** What every engine of the queue promises: the port's sentences, and agenda's JobRepository as it documents it. */
import type { JobParameters } from 'agenda'
import type { Test } from 'tap'
import type { JobBackend } from '../../src/adapters/jobs/backend.ts'
import { openQueue } from '../../src/adapters/jobs/queue.ts'
import { type JobKind, type Jobs, PermanentFailure } from '../../src/ports/jobs.ts'
import { forgetTimersOf } from '../support/agenda-timers.ts'
import { fromNow, settle } from '../support/clocks.ts'
import { until } from '../support/until.ts'

/** Opens the same queue again at each call: a node each. */
export type OpenNode = () => Promise<JobBackend>

const LOCK_MS = 20_000
/** Renewed after a third of it. */
const SHORT_LOCK_MS = 6_000
/** It lapses in no test: who takes a job in spite of it takes it too early. */
const ENDLESS_LOCK_MS = 3_600_000
for (const lockMs of [LOCK_MS, SHORT_LOCK_MS, ENDLESS_LOCK_MS]) forgetTimersOf(lockMs)
const MINUTE_MS = 60_000

const kindOf = (name: string, handle: JobKind['handle'], more: Partial<JobKind> = {}): JobKind => ({
  ...{ name, handle, concurrency: 5, tries: 3, firstMs: 20, longestMs: 100 },
  ...more,
})
const job = (key: string, more: object = {}) => ({ kind: 'letter', key, data: { to: key }, ...more })

export const jobsContract = (t: Test, name: string, engine: (t: Test) => Promise<OpenNode>): void => {
  const nodes = async (
    t: Test,
    count = 1,
    lockMs = LOCK_MS,
  ): Promise<{ all: readonly Jobs[]; open: OpenNode; errors: unknown[] }> => {
    const open = await engine(t)
    const errors: unknown[] = []
    const all: Jobs[] = []
    for (let n = 0; n < count; n += 1)
      all.push(
        await openQueue({
          ...{ backend: await open(), nodeId: `node-${n}`, random: () => 0.5, lockMs, lookMs: 50 },
          onError: error => void errors.push(error),
        }),
      )
    t.teardown(() => Promise.all(all.map(each => each.close())))
    return { all, open, errors }
  }
  const only = async (t: Test, lockMs = LOCK_MS) => {
    const { all, open } = await nodes(t, 1, lockMs)
    const [jobs] = all
    if (!jobs) throw new Error('no node')
    return { jobs, open }
  }
  /** What is stored, for a test to look at and to change. */
  const storeOf = async (t: Test, open: OpenNode) => {
    const backend = await open()
    await backend.connect()
    t.teardown(() => backend.disconnect())
    const find = async (key: string): Promise<JobParameters> => {
      const [found] = await backend.pick({ key, limit: 1 })
      if (!found) throw new Error(`there is no job ${key}`)
      return found
    }
    const change = async (key: string, to: Partial<JobParameters>): Promise<void> =>
      backend.repository.saveJobState({ ...(await find(key)), ...to }, { lastModifiedBy: 'test' })
    return { backend, find, change }
  }

  t.test(`${name}: a job is added once, done, and remembered until it is forgotten`, async t => {
    const { jobs } = await only(t)
    const done: string[] = []
    t.same(await jobs.counts(), { waiting: 0, running: 0, parked: 0 })
    t.equal(await jobs.add(job('a')), true)
    t.equal(await jobs.add(job('a')), false, 'the same key')
    t.equal(await jobs.add({ ...job('a'), kind: 'other' }), true, 'of another kind')
    t.match(await jobs.counts(), { waiting: 2, running: 0, parked: 0, oldest: Date })
    await jobs.work([kindOf('letter', async ({ key, data }) => void done.push(`${key} ${data['to']}`))])
    await until('done', async () => (done.length === 1 ? true : undefined))
    await until('settled', async () => ((await jobs.counts()).waiting === 1 ? true : undefined))
    t.same(done, ['a a'])
    t.equal(await jobs.add(job('a')), false, 'done is done')
    const [finished] = await jobs.list({ state: 'done', limit: 10 })
    t.match(finished, { kind: 'letter', key: 'a', state: 'done', failures: 0, finishedAt: Date })
    t.match(await jobs.list({ limit: 10 }), [{ kind: 'other', state: 'waiting' }], 'what is done is not in the way')
    t.equal(await jobs.purge(fromNow(-MINUTE_MS)), 0)
    t.equal(await jobs.purge(fromNow(MINUTE_MS)), 1)
    t.equal((await jobs.counts()).waiting, 1, 'what is not done is not forgotten')
    t.equal(await jobs.add(job('a')), true)
    await until('again', async () => (done.length === 2 ? true : undefined))
  })

  t.test(`${name}: a failure is tried again later and later, then parked, and may be retried or dropped`, async t => {
    const { jobs, open } = await only(t)
    const { change } = await storeOf(t, open)
    const tries = new Map<string, number>()
    let mended = false
    const handle = async ({ key }: { readonly key: string }): Promise<void> => {
      tries.set(key, (tries.get(key) ?? 0) + 1)
      if (key === 'never') throw new PermanentFailure('no such address')
      if (key === 'twice' && (tries.get(key) ?? 0) > 2) return
      if (!mended) throw new Error('try later')
    }
    await jobs.work([kindOf('letter', handle, { firstMs: MINUTE_MS, longestMs: 10 * MINUTE_MS })])
    for (const key of ['twice', 'always', 'never']) t.ok(await jobs.add(job(key)))
    for (const failures of [1, 2]) {
      const waiting = await until(`failure ${failures}`, async saw => {
        const found = await jobs.list({ state: 'waiting', limit: 10 })
        saw(found)
        return found.length === 2 && found.every(each => each.failures === failures) && found
      })
      for (const { key, nextRunAt, finishedAt } of waiting) {
        const wait = (nextRunAt?.getTime() ?? 0) - (finishedAt?.getTime() ?? 0)
        // To the half of it, so that nothing is said of what lies between the two times.
        t.equal(Math.round(wait / MINUTE_MS), failures, `${key}: each wait is twice the one before`)
        await change(key, { nextRunAt: fromNow(-MINUTE_MS) })
      }
    }
    await until('two are parked', async () => (await jobs.counts()).parked === 2)
    await until('one came through', async () => (await jobs.counts()).waiting === 0)
    t.same(Object.fromEntries(tries), { twice: 3, always: 3, never: 1 }, 'where no repetition helps there is none')
    t.match(
      (await jobs.list({ state: 'parked', limit: 10 })).toSorted((a, b) => (a.key < b.key ? -1 : 1)),
      [
        { key: 'always', failures: 3, reason: 'try later' },
        { key: 'never', failures: 1, reason: 'no such address' },
      ],
    )
    t.equal(await jobs.add(job('never')), false, 'parked is there')
    t.equal(await jobs.drop('never'), true)
    t.equal(await jobs.drop('never'), false)
    t.equal(await jobs.drop('nobody'), false)
    mended = true
    t.equal(await jobs.retry('nobody'), 0)
    t.equal(await jobs.retry(), 1, 'what was dropped is not retried')
    await until('mended', async () => ((await jobs.list({ limit: 10 })).length === 0 ? true : undefined))
    t.same(Object.fromEntries(tries), { twice: 3, always: 4, never: 1 })
  })

  t.test(`${name}: of several nodes one does a job, no more at once than it may`, async t => {
    const { all, errors } = await nodes(t, 3)
    const [first] = all
    if (!first) throw new Error('no node')
    const ran: string[] = []
    let [running, most] = [0, 0]
    for (let n = 0; n < 40; n += 1) await first.add(job(`job ${n}`))
    const kinds = [
      kindOf(
        'letter',
        async ({ key, held }) => {
          running += 1
          most = Math.max(most, running)
          ran.push(key)
          t.equal(await held(), true)
          await settle()
          running -= 1
        },
        { concurrency: 2 },
      ),
    ]
    await Promise.all(all.map(each => each.work(kinds)))
    await until('all', async () => (ran.length >= 40 ? true : undefined))
    await until('settled', async () => ((await first.counts()).running === 0 ? true : undefined))
    t.equal(new Set(ran).size, 40)
    t.equal(ran.length, 40, 'each once')
    t.ok(most <= 6, `${most} at once on three nodes`)
    t.same(errors, [])
  })

  t.test(`${name}: the urgent first among those that are due`, async t => {
    const { jobs } = await only(t)
    const ran: string[] = []
    const runAt = fromNow(-1_000)
    for (const [key, priority] of [
      ['low', -5],
      ['high', 10],
      ['middle', 0],
    ] as const)
      await jobs.add(job(key, { priority, runAt }))
    await jobs.add(job('later', { runAt: fromNow(MINUTE_MS) }))
    await jobs.work([kindOf('letter', async ({ key }) => void ran.push(key), { concurrency: 1 })])
    await until('three', async () => (ran.length === 3 ? true : undefined))
    t.same(ran, ['high', 'middle', 'low'])
    t.match(await jobs.list({ limit: 5 }), [{ key: 'later', state: 'waiting' }])
    t.equal(await jobs.drop('later'), true, 'one that waits can be cancelled')
    t.same(await jobs.list({ limit: 5 }), [])
  })

  t.test(`${name}: the job of a node that died is done by another when its lock is over, not before`, async t => {
    const { all, open } = await nodes(t, 2, ENDLESS_LOCK_MS)
    const [first, second] = all
    if (!first || !second) throw new Error('no node')
    await first.add(job('orphan'))
    const { backend, change } = await storeOf(t, open)
    const now = new Date()
    const taken = await backend.repository.getNextJobToRun('letter', now, new Date(0), now, { lastModifiedBy: 'dead' })
    if (!taken) throw new Error('it could not be taken')
    // As agenda leaves it when it begins: without a next time.
    await backend.repository.saveJobState({ ...taken, nextRunAt: null }, { lastModifiedBy: 'dead' })
    const ran: string[] = []
    await second.work([kindOf('letter', async ({ key }) => void ran.push(key))])
    for (const key of ['beside it', 'and again']) {
      await first.add(job(key))
      await until('what is beside it', () => ran.includes(key))
    }
    t.same(ran, ['beside it', 'and again'], 'it is looked past while its lock lasts')
    await change('orphan', { lockedAt: fromNow(-ENDLESS_LOCK_MS - MINUTE_MS) })
    await until('taken over', () => ran.includes('orphan'))
    t.equal(ran.length, 3, 'once')
  })

  t.test(`${name}: a lock is renewed while the work goes on`, async t => {
    const { jobs, open } = await only(t, SHORT_LOCK_MS)
    const { find } = await storeOf(t, open)
    const lockedAt = async (): Promise<number> => (await find('long')).lockedAt?.getTime() ?? 0
    let [runs, ends] = [0, 0]
    const long = kindOf('letter', async () => {
      runs += 1
      const first = await lockedAt()
      await until('a later lock', async () => (await lockedAt()) > first)
      ends += 1
    })
    await jobs.add(job('long'))
    await jobs.work([long])
    await until('ended', () => ends > 0)
    t.equal(runs, 1)
  })

  t.test(`${name}: it is agenda's JobRepository`, async t => {
    const open = await engine(t)
    const backend = await open()
    await backend.connect()
    t.teardown(() => backend.disconnect())
    const { repository } = backend
    const by = { lastModifiedBy: 'me' }
    const make = (name: string, data: object, more: Partial<JobParameters> = {}): JobParameters => ({
      ...{ name, data, priority: 0, type: 'normal', nextRunAt: fromNow(-1_000) },
      ...more,
    })
    const one = await repository.saveJob(make('a', { key: '1', deep: { x: 5 } }), by)
    const two = await repository.saveJob(make('a', { key: '2', deep: { x: 6 } }, { nextRunAt: null }), by)
    const three = await repository.saveJob(make('b', { key: '3' }, { nextRunAt: fromNow(MINUTE_MS) }), by)
    t.ok(one._id && two._id && three._id)
    t.match(await repository.getJobById(String(one._id)), {
      name: 'a',
      data: { key: '1', deep: { x: 5 } },
      priority: 0,
    })
    t.equal(await repository.getJobById('0123456789abcdef01234567'), null)
    t.same((await repository.getDistinctJobNames()).toSorted(), ['a', 'b'])
    t.equal(await repository.getQueueSize(), 1)
    const keys = async (options: Parameters<typeof repository.queryJobs>[0]) => {
      const { jobs, total } = await repository.queryJobs(options)
      return { keys: jobs.map(each => Object(each.data).key), total, states: jobs.map(each => each.state) }
    }
    t.same(await keys({ sort: { nextRunAt: 'asc' }, name: 'a', state: 'queued' }), {
      keys: ['1'],
      total: 1,
      states: ['queued'],
    })
    t.match(await keys({ state: 'scheduled' }), { keys: ['3'] })
    t.match(await keys({ state: 'completed' }), { keys: ['2'] })
    t.match(await keys({ names: ['b', 'c'] }), { keys: ['3'] })
    t.match(await keys({ search: 'B' }), { keys: ['3'] })
    t.match(await keys({ data: { deep: { x: 6 } } }), { keys: ['2'], total: 1 })
    t.match(await keys({ ids: [String(one._id), String(three._id)], sort: { name: 'desc' } }), { keys: ['3', '1'] })
    t.match(await keys({ limit: 1, skip: 1, sort: { name: 'asc', nextRunAt: 'desc' } }), { total: 3 })
    t.match(
      (await repository.getJobsOverview()).toSorted((x, y) => (x.name < y.name ? -1 : 1)),
      [
        { name: 'a', total: 2, queued: 1, completed: 1, scheduled: 0 },
        { name: 'b', total: 1, scheduled: 1 },
      ],
    )

    const again = await repository.saveJob(
      make('a', { key: '1', other: true }, { unique: { 'data.key': '1' }, uniqueOpts: { insertOnly: true } }),
      by,
    )
    t.equal(String(again._id), String(one._id), 'insertOnly leaves it as it is')
    t.match((await repository.getJobById(String(one._id)))?.data, { deep: { x: 5 } })
    await repository.saveJob(make('a', { key: '1', other: true }, { unique: { 'data.key': '1' } }), by)
    t.match((await repository.getJobById(String(one._id)))?.data, { other: true }, 'else it is replaced')
    await repository.saveJob(make('s', {}, { type: 'single' }), by)
    await repository.saveJob(make('s', { n: 2 }, { type: 'single' }), by)
    t.match(await repository.queryJobs({ name: 's' }), { total: 1, jobs: [{ data: { n: 2 } }] })

    const there = await repository.getJobById(String(one._id))
    if (!there) throw new Error('it was there')
    const locked = await repository.lockJob(there, by)
    t.ok(locked?.lockedAt)
    t.equal(await repository.lockJob(there, by), undefined, 'once')
    await repository.unlockJob(there)
    t.equal((await repository.getJobById(String(one._id)))?.lockedAt, undefined)
    await repository.lockJob(there, by)
    if (one._id) await repository.unlockJobs([one._id])
    t.equal((await repository.getJobById(String(one._id)))?.lockedAt, undefined)
    t.equal(await repository.disableJobs({ name: 'a' }), 2)
    t.equal(await repository.disableJobs({}), 0)
    const now = new Date()
    t.equal(await repository.getNextJobToRun('a', now, new Date(0), now, by), undefined, 'what is disabled is not run')
    t.match(await repository.queryJobs({ state: 'paused' }), { total: 2 })
    t.match(await repository.queryJobs({ name: 'a', includeDisabled: false }), { total: 0 })
    t.equal(await repository.enableJobs({ ids: [String(one._id)] }), 1)
    t.equal((await repository.getNextJobToRun('a', now, new Date(0), now, by))?.name, 'a')
    t.equal(await repository.removeJobs({}), 0, 'without a condition nothing is removed')
    t.equal(await repository.removeJobs({ data: { key: '3' } }), 1)
    t.equal(await repository.removeJobs({ notNames: ['a'] }), 1)
    await t.rejects(repository.saveJobState(three, by), 'what is gone cannot be saved')
    t.equal(await repository.purgeAllJobs(), 2)
    t.same(await repository.queryJobs(), { jobs: [], total: 0 })
  })
}
