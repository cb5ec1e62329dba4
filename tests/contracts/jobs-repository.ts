/** agenda's JobRepository as its types document it, on every engine: each method, and what agenda itself makes of them. */

import { Agenda, type JobParameters, type JobRepository } from 'agenda'
import type { Test } from 'tap'
import type { JobBackend } from '../../src/adapters/jobs/backend.ts'
import { defined } from '../../src/domain/defined.ts'
import { OwnError } from '../../src/domain/own-error.ts'
import { realClock } from '../support/clocks.ts'
import type { Engine } from '../support/jobs.ts'
import { until } from '../support/until.ts'

const MINUTE = 60_000
const by = { lastModifiedBy: 'me' }
const after = (ms: number): Date => realClock(ms).now()
const make = (name: string, data: object, more: Partial<JobParameters> = {}): JobParameters => ({
  name,
  data,
  priority: 0,
  type: 'normal',
  nextRunAt: after(-MINUTE),
  ...more,
})
const keyOf = ({ data }: JobParameters): unknown => Object(data).key

export const repositoryContract = (t: Test, name: string, engine: Engine): void => {
  const open = async (
    t: Test,
  ): Promise<{ backend: JobBackend; repository: JobRepository; again: () => Promise<JobRepository> }> => {
    const node = await engine(t)
    const connect = async (): Promise<JobBackend> => {
      const backend = await node()
      await backend.connect()
      t.teardown(() => backend.disconnect())
      return backend
    }
    const backend = await connect()
    return { backend, repository: backend.repository, again: async () => (await connect()).repository }
  }
  const there = async (repository: JobRepository, job: JobParameters): Promise<JobParameters> => {
    const found = await repository.getJobById(String(job._id))
    if (!found) throw new OwnError(`job ${job._id} is not there`)
    return found
  }

  t.test(`${name}: saveJob, getJobById, getDistinctJobNames, getQueueSize, queryJobs, getJobsOverview`, async t => {
    const { repository } = await open(t)
    const one = await repository.saveJob(make('a', { key: '1', deep: { x: 5 }, list: [1, 2] }), by)
    const two = await repository.saveJob(make('a', { key: '2', deep: { x: 6 }, yes: true }, { nextRunAt: null }), by)
    const three = await repository.saveJob(make('b', { key: '3' }, { nextRunAt: after(MINUTE) }), by)
    const bad = make('c', { key: '4' }, { nextRunAt: null, failCount: 2, failReason: 'no', failedAt: after(0) })
    await repository.saveJob(bad, by)
    t.ok(one._id && two._id && three._id)
    t.match(await repository.getJobById(String(one._id)), {
      name: 'a',
      data: { key: '1', deep: { x: 5 }, list: [1, 2] },
      priority: 0,
      lastModifiedBy: 'me',
      nextRunAt: one.nextRunAt,
    })
    t.equal(await repository.getJobById('0123456789abcdef01234567'), null)
    t.same((await repository.getDistinctJobNames()).toSorted(), ['a', 'b', 'c'])
    t.equal(await repository.getQueueSize(), 1)
    const keys = async (options: Parameters<typeof repository.queryJobs>[0]) => {
      const { jobs, total } = await repository.queryJobs(options)
      return { keys: jobs.map(keyOf), total, states: jobs.map(job => job.state) }
    }
    t.same(await keys({ sort: { nextRunAt: 'asc' }, name: 'a', state: 'queued' }), {
      keys: ['1'],
      total: 1,
      states: ['queued'],
    })
    t.match(await keys({ state: 'scheduled' }), { keys: ['3'] })
    t.match(await keys({ state: 'completed' }), { keys: ['2'] })
    t.match(await keys({ state: 'failed' }), { keys: ['4'] })
    t.match(await keys({ state: 'running' }), { keys: [], total: 0 })
    t.match(await keys({ names: ['b', 'd'] }), { keys: ['3'] })
    t.match(await keys({ search: 'B' }), { keys: ['3'] })
    t.match(await keys({ search: '.' }), { total: 0 }, 'no pattern')
    t.match(await keys({ data: { deep: { x: 6 } } }), { keys: ['2'], total: 1 })
    t.match(await keys({ data: { yes: true } }), { keys: ['2'] })
    t.match(await keys({ data: { key: '1', deep: { x: 6 } } }), { total: 0 })
    t.match(await keys({ id: String(three._id) }), { keys: ['3'] })
    t.match(await keys({ id: 'none' }), { total: 0 })
    t.match(await keys({ ids: [String(one._id), String(three._id)], sort: { name: 'desc' } }), { keys: ['3', '1'] })
    t.match(await keys({ limit: 1, skip: 1, sort: { name: 'asc', nextRunAt: 'desc' } }), { total: 4 })
    t.equal((await repository.queryJobs({ limit: 2 })).jobs.length, 2)
    t.match(
      (await repository.getJobsOverview()).toSorted((x, y) => (x.name < y.name ? -1 : 1)),
      [
        { name: 'a', total: 2, queued: 1, completed: 1, scheduled: 0, failed: 0, running: 0, repeating: 0, paused: 0 },
        { name: 'b', total: 1, scheduled: 1 },
        { name: 'c', total: 1, failed: 1 },
      ],
    )
    const changed = { ...(await there(repository, three)), priority: 7, data: { key: '3', more: 'x' } }
    t.match(await repository.saveJob(changed, { lastModifiedBy: 'other' }), { priority: 7 })
    t.match(await there(repository, three), { priority: 7, data: { more: 'x' }, lastModifiedBy: 'other' })
    t.equal((await repository.queryJobs({ name: 'b' })).total, 1, 'updated, not inserted')
    await repository.removeJobs({ name: 'b' })
    await repository.saveJob(changed, by)
    t.equal((await repository.queryJobs({ name: 'b' })).total, 0, 'what is gone is not made again')
  })

  t.test(`${name}: unique: inserted once, left as it is or replaced; single: one of its name`, async t => {
    const { repository } = await open(t)
    const unique = { 'data.user': { id: 1 }.id }
    const first = await repository.saveJob(make('a', { user: 1, n: 1 }, { unique }), by)
    const insertOnly = { unique, uniqueOpts: { insertOnly: true } }
    const left = await repository.saveJob(make('a', { user: 1, n: 2 }, insertOnly), by)
    t.equal(String(left._id), String(first._id))
    t.match((await there(repository, first)).data, { n: 1 }, 'insertOnly leaves it as it is')
    await repository.saveJob(make('a', { user: 1, n: 3 }, { unique }), by)
    t.match((await there(repository, first)).data, { n: 3 }, 'else it is replaced')
    const other = await repository.saveJob(make('a', { user: 2 }, { unique: { 'data.user': 2 } }), by)
    t.not(String(other._id), String(first._id))
    await repository.saveJob(make('b', { user: 1 }, { unique }), by)
    t.equal((await repository.queryJobs()).total, 3, 'unique within the name')
    await repository.saveJob(make('b', { user: 1 }), by)
    t.equal((await repository.queryJobs({ name: 'b' })).total, 2, 'only where it is asked for')
    const deep = { unique: { 'data.at.place': 'x', priority: 4 }, priority: 4 }
    await repository.saveJob(make('d', { at: { place: 'x' } }, deep), by)
    await repository.saveJob(make('d', { at: { place: 'x' } }, deep), by)
    await repository.saveJob(
      make('d', { at: { place: 'x' } }, { ...deep, unique: { ...deep.unique, priority: 5 } }),
      by,
    )
    t.equal((await repository.queryJobs({ name: 'd' })).total, 2)
    const single = (n: number, nextRunAt: Date) => make('s', { n }, { type: 'single', nextRunAt })
    const due = after(-MINUTE)
    const once = await repository.saveJob(single(1, due), by)
    await repository.saveJob(single(2, after(-1)), by)
    t.match(await repository.queryJobs({ name: 's' }), { total: 1, jobs: [{ data: { n: 2 } }] })
    t.same((await there(repository, once)).nextRunAt, due, 'one that is due is not put off')
    const later = after(MINUTE)
    await repository.saveJob(single(3, later), by)
    t.same((await there(repository, once)).nextRunAt, later)
  })

  t.test(`${name}: debounce: put off by each save, for so long at most, or not at all`, async t => {
    const { repository } = await open(t)
    const debounced = (
      n: number,
      strategy: 'trailing' | 'leading',
      more: Partial<JobParameters> = {},
      maxWait?: number,
    ) => {
      const debounce = { delay: 5 * MINUTE, strategy, ...defined({ maxWait }) }
      return make(strategy, { to: 'x', n }, { unique: { 'data.to': 'x' }, uniqueOpts: { debounce }, ...more })
    }
    const first = await there(repository, await repository.saveJob(debounced(1, 'trailing'), by))
    const waits = (job: JobParameters) => (job.nextRunAt?.getTime() ?? 0) - (job.debounceStartedAt?.getTime() ?? 0)
    t.equal(waits(first), 5 * MINUTE)
    await repository.saveJob(debounced(2, 'trailing'), by)
    const second = await there(repository, first)
    t.same([Object(second.data).n, second.debounceStartedAt], [2, first.debounceStartedAt], 'one job, as saved last')
    t.ok(waits(second) >= 5 * MINUTE)
    await repository.saveJob(debounced(3, 'trailing', {}, 24 * 60 * MINUTE), by)
    t.ok(waits(await there(repository, first)) >= 5 * MINUTE, 'not for too long yet')
    await repository.removeJobs({ name: 'trailing' })
    const started = { debounceStartedAt: after(-60 * MINUTE) }
    const { uniqueOpts: _o, unique: _u, ...plain } = debounced(4, 'trailing', started)
    const old = await repository.saveJob(plain, by)
    await repository.saveJob(debounced(5, 'trailing', {}, 10 * MINUTE), by)
    const forced = await there(repository, old)
    t.ok(forced.nextRunAt && forced.nextRunAt <= after(0), 'it has been put off for long enough')
    t.notOk(forced.debounceStartedAt)
    const due = after(-MINUTE)
    const leading = await repository.saveJob(debounced(1, 'leading', { nextRunAt: due }), by)
    t.same((await there(repository, leading)).nextRunAt, due, 'at its first time')
    await repository.saveJob(debounced(2, 'leading', { nextRunAt: after(MINUTE) }), by)
    const again = await there(repository, leading)
    t.same([again.nextRunAt, Object(again.data).n], [due, 2])
    t.equal((await repository.queryJobs({ names: ['trailing', 'leading'] })).total, 2)
  })

  t.test(`${name}: lockJob, unlockJob, unlockJobs, saveJobState`, async t => {
    const { repository, again } = await open(t)
    const job = await there(repository, await repository.saveJob(make('a', { key: '1' }), by))
    const other = await again()
    const locked = await repository.lockJob(job, by)
    t.ok(locked?.lockedAt)
    t.equal(locked?.lastModifiedBy, 'me')
    t.equal(await other.lockJob(job, { lastModifiedBy: 'other' }), undefined, 'by one node only')
    t.equal((await repository.queryJobs({ state: 'running' })).total, 1)
    await repository.unlockJob(job)
    t.equal((await there(repository, job)).lockedAt, undefined)
    const moved = { ...job, nextRunAt: after(MINUTE) }
    t.equal(await repository.lockJob(moved, by), undefined, 'not as it is not')
    const running = { ...job, lockedAt: after(0), nextRunAt: null, lastRunAt: after(0), progress: 40 }
    await repository.saveJobState(running, by)
    t.match(await there(repository, job), { progress: 40, nextRunAt: null, lockedAt: Date, lastRunAt: Date })
    await repository.unlockJob(job)
    t.ok((await there(repository, job)).lockedAt, 'one that is being done stays locked')
    if (job._id) await repository.unlockJobs([job._id])
    t.equal((await there(repository, job)).lockedAt, undefined, 'unless it is named')
    await repository.unlockJobs([])
    const failed = { ...job, failCount: 3, failReason: 'no', failedAt: after(0), lastFinishedAt: after(0) }
    await repository.saveJobState(failed, by)
    t.match(await there(repository, job), { failCount: 3, failReason: 'no', failedAt: failed.failedAt })
    await repository.saveJobState({ ...job, name: 'b' }, by).then(
      () => t.fail('another name'),
      () => t.pass('another name is another job'),
    )
    await repository.removeJobs({ name: 'a' })
    await t.rejects(repository.saveJobState(failed, by), 'what is gone cannot be saved')
    t.equal(await repository.lockJob(job, by), undefined)
  })

  t.test(`${name}: getNextJobToRun: due ones, each for one node, again when its lock has expired`, async t => {
    const { repository, again } = await open(t)
    const other = await again()
    const now = after(0)
    const deadline = new Date(now.getTime() - 2 * MINUTE)
    const next = (from = repository, until = now, limit = deadline, at = now) =>
      from.getNextJobToRun('a', until, limit, at, by)
    for (let n = 0; n < 20; n += 1)
      await repository.saveJob(make('a', { n }, { nextRunAt: new Date(now.getTime() - n) }), by)
    await repository.saveJob(make('b', {}), by)
    const taken = await Promise.all(Array.from({ length: 24 }, (_, n) => next(n % 2 === 0 ? repository : other)))
    const got = taken.flatMap(job => job ?? [])
    t.equal(new Set(got.map(job => String(job._id))).size, 20, 'each once, however many ask at the same moment')
    t.equal(got.length, 20)
    t.ok(got.every(job => job.name === 'a' && job.lastModifiedBy === 'me' && job.lockedAt?.getTime() === now.getTime()))
    const lapse = new Date(now.getTime() - 1)
    t.equal(await next(other, now, lapse), undefined, 'the lock lasts')
    const later = new Date(now.getTime() + MINUTE)
    const over = await next(other, later, now, later)
    t.ok(over, 'and expires')
    t.same(over?.lockedAt, later)
    t.equal(
      (await Promise.all(Array.from({ length: 21 }, () => next(other, later, now, later)))).filter(Boolean).length,
      19,
    )

    const soon = await repository.saveJob(make('soon', {}, { nextRunAt: new Date(now.getTime() + 5_000) }), by)
    const ask = (until: number) =>
      repository.getNextJobToRun('soon', new Date(now.getTime() + until), deadline, undefined, undefined)
    t.equal(await ask(4_999), undefined, 'not before')
    t.equal(String((await ask(5_000))?._id), String(soon._id), 'at its time')
    const ordered = [
      ['low', -20, 3_000],
      ['high', 20, 1_000],
      ['older', 20, 2_000],
    ] as const
    for (const [key, priority, ago] of ordered)
      await repository.saveJob(make('p', { key }, { priority, nextRunAt: new Date(now.getTime() - ago) }), by)
    const order: unknown[] = []
    for (const _ of ordered) {
      const job = await repository.getNextJobToRun('p', now, deadline, now, by)
      order.push(job && keyOf(job))
    }
    t.same(order, ['older', 'high', 'low'], 'by priority')
  })

  t.test(`${name}: disableJobs, enableJobs, removeJobs, purgeAllJobs`, async t => {
    const { repository } = await open(t)
    const [one, two] = [
      await repository.saveJob(make('a', { key: '1' }), by),
      await repository.saveJob(make('a', { key: '2' }), by),
    ]
    await repository.saveJob(make('b', { key: '3' }), by)
    await repository.saveJob(make('c', { key: '4' }), by)
    t.equal(await repository.disableJobs({ name: 'a' }), 2)
    t.equal(await repository.disableJobs({}), 0, 'nothing is meant by no condition')
    const now = after(0)
    t.equal(await repository.getNextJobToRun('a', now, new Date(0), now, by), undefined, 'what is disabled is not run')
    t.equal(await repository.lockJob(await there(repository, one), by), undefined)
    t.match(await repository.queryJobs({ state: 'paused' }), { total: 2 })
    t.match(await repository.queryJobs({ name: 'a', includeDisabled: false }), { total: 0 })
    t.match(
      (await repository.getJobsOverview()).find(each => each.name === 'a'),
      { paused: 2 },
    )
    t.equal(await repository.enableJobs({ ids: [String(one._id)] }), 1)
    t.equal(await repository.enableJobs({}), 0)
    t.equal(String((await repository.getNextJobToRun('a', now, new Date(0), now, by))?._id), String(one._id))
    t.equal(await repository.removeJobs({}), 0)
    t.equal(await repository.removeJobs({ id: 'none' }), 0)
    t.equal(await repository.removeJobs({ data: { key: '3' } }), 1)
    t.equal(await repository.removeJobs({ ...defined({ id: two._id ? two._id : undefined }) }), 1)
    t.equal(await repository.removeJobs({ names: ['b', 'd'] }), 0)
    t.equal(await repository.removeJobs({ notNames: ['a'] }), 1)
    t.equal(await repository.purgeAllJobs(), 1)
    t.same(await repository.queryJobs(), { jobs: [], total: 0 })
  })

  t.test(
    `${name}: agenda on it: at a time and by cron, cancelled, purged, so many at once of a name, back-off`,
    async t => {
      const { backend, repository } = await open(t)
      const agenda = new Agenda({ backend, processEvery: 20, defaultLockLifetime: 400, name: 'bare' })
      await agenda.ready
      t.teardown(() => agenda.stop(false))
      const when = after(3 * MINUTE)
      const scheduled = await agenda.schedule(when, 'once', { n: 1 })
      t.same((await there(repository, scheduled.attrs)).nextRunAt, when)
      const madrid = { timezone: 'Europe/Madrid' }
      const weekly = async () => (await agenda.every('0 9 * * 1', 'weekly', { n: 1 }, madrid)).attrs
      const [cron, same] = [await weekly(), await weekly()]
      t.equal(String(cron._id), String(same._id), 'one of its name')
      const local = new Intl.DateTimeFormat('en-GB', {
        timeZone: 'Europe/Madrid',
        weekday: 'long',
        timeStyle: undefined,
        hour: '2-digit',
        minute: '2-digit',
      })
      const stored = await there(repository, cron)
      t.equal(local.format(stored.nextRunAt ?? undefined), 'Monday 09:00')
      t.ok(stored.nextRunAt && stored.nextRunAt > after(0))
      t.match(stored, { repeatInterval: '0 9 * * 1', repeatTimezone: 'Europe/Madrid', type: 'single' })

      let [running, most, ran] = [0, 0, 0]
      const { promise: go, resolve: open_ } = Promise.withResolvers<void>()
      agenda.define('weekly', async () => {
        ran += 1
      })
      agenda.define(
        'few',
        async () => {
          running += 1
          most = Math.max(most, running)
          await go
          running -= 1
        },
        { concurrency: 2 },
      )
      agenda.define('fails', async () => Promise.reject(new OwnError('not now')), {
        backoff: ({ attempt }) => (attempt < 2 ? 60_000 * attempt : null),
      })
      await repository.saveJobState({ ...stored, nextRunAt: after(-1) }, by)
      for (let n = 0; n < 5; n += 1) await agenda.now('few', { n })
      const fails = await agenda.now('fails', {})
      await agenda.start()
      await until('it ran, and is due again', async () => {
        const { nextRunAt, lockedAt } = await there(repository, cron)
        return ran === 1 && lockedAt === undefined && nextRunAt && nextRunAt > after(0)
      })
      t.equal(local.format((await there(repository, cron)).nextRunAt ?? undefined), 'Monday 09:00')
      await until('two at once', () => running === 2)
      open_()
      await until('all five', async () => (await repository.queryJobs({ name: 'few', state: 'completed' })).total === 5)
      t.equal(most, 2)
      const failed = await until('it failed', async () => {
        const found = await there(repository, fails.attrs)
        return found.failCount === 1 && found.lockedAt === undefined && found
      })
      t.match(failed, { failReason: 'not now', failCount: 1 })
      t.ok(failed.nextRunAt && failed.failedAt && failed.nextRunAt > failed.failedAt, 'and is tried again')
      await repository.saveJobState({ ...failed, nextRunAt: after(-1) }, by)
      await until('it failed for good', async () => {
        const found = await there(repository, fails.attrs)
        return found.failCount === 2 && found.lockedAt === undefined && found.nextRunAt === null
      })
      t.equal(await agenda.cancel({ name: 'weekly' }), 1)
      t.equal(await agenda.purge(), 1, 'of names that nobody defines')
      t.same((await repository.getDistinctJobNames()).toSorted(), ['fails', 'few'])
      t.equal(await agenda.cancelAll(), 6)
    },
  )
}
