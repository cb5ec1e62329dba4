/** What every engine of the queue promises where it is away for a while, in the middle of a job or for good. */
import type { Test } from 'tap'
import type { JobBackend } from '../../src/adapters/jobs/backend.ts'
import { LOCK_MS, RENEW_MS } from '../../src/adapters/jobs/locks.ts'
import { JobsError } from '../../src/ports/jobs.ts'
import { type FakeClock, fakeClock, realClock, settle } from '../support/clocks.ts'
import { type Engine, gate, job, kindOf, looked, type Node, startNode } from '../support/jobs.ts'
import { until } from '../support/until.ts'

type Save = JobBackend['saveLocked']

/** A node whose backend saves as it is told. */
const startAway = async (
  t: Test,
  backend: JobBackend,
  clock: FakeClock,
  save: (given: Parameters<Save>) => Promise<boolean>,
): Promise<Node> => startNode(t, async () => ({ ...backend, saveLocked: (...given) => save(given) }), 'first', clock)

const away = (): never => {
  throw new JobsError('unavailable', 'the engine is away')
}
const stateOf = async ({ jobs }: Node, key: string) => (await jobs.show(key))[0]?.state

/** Nine seconds are what the port says. */
const closed = async ({ jobs }: Node, clock: FakeClock): Promise<void> => {
  const closing = jobs.close()
  for (let second = 0; second < 9; second += 1) await clock.advance(1_000)
  await closing
}

export const jobsAwayContract = (t: Test, name: string, engine: Engine): void => {
  t.test(`${name}: the end of a job is written once the engine answers, and it is held until then`, async t => {
    const open = await engine(t)
    const [mine, theirs] = [fakeClock(realClock().now()), fakeClock(realClock().now())]
    const backend = await open()
    let refused = 0
    let failing = true
    const first = await startAway(t, backend, mine, async ([job, lock]) => {
      if (!failing || job.lockedAt) return backend.saveLocked(job, lock)
      refused += 1
      return away()
    })
    const second = await startNode(t, open, 'second', theirs)
    const ran: string[] = []
    await first.jobs.add(job('sent'))
    await first.jobs.work([kindOf('letter', async () => void ran.push('first'))])
    await until('its end was refused', () => refused === 1)
    await second.jobs.work([kindOf('letter', async () => void ran.push('second'))])
    const lockedAt = async () => (await backend.pick({ key: 'sent', limit: 1 }))[0]?.lockedAt?.getTime()
    for (let renewal = 0; renewal < LOCK_MS / RENEW_MS + 1; renewal += 1) {
      const before = await lockedAt()
      await mine.advance(RENEW_MS)
      await until('it is renewed', async () => (await lockedAt()) !== before)
      await theirs.advance(RENEW_MS)
      await looked(second)
    }
    t.same(ran, ['first'], 'longer than a lock, and nobody does it again')
    t.ok(refused > LOCK_MS / RENEW_MS, 'it is tried again and again')
    failing = false
    await mine.advance(RENEW_MS)
    await until('done', async () => (await stateOf(second, 'sent')) === 'done')
    await theirs.advance(LOCK_MS)
    await looked(second)
    t.same(ran, ['first'])
  })

  t.test(`${name}: a node that could write nothing until its lock was over does not do the job again`, async t => {
    const clock = fakeClock(realClock().now())
    const backend = await (await engine(t))()
    let failing = false
    // Neither the end is written nor a renewal after it; what has begun anew would be.
    const node = await startAway(t, backend, clock, async ([job, lock]) =>
      failing && (!job.lockedAt || job.lastFinishedAt) ? away() : backend.saveLocked(job, lock),
    )
    const ran: string[] = []
    await node.jobs.add(job('sent'))
    await node.jobs.work([
      kindOf('letter', async ({ key }) => {
        ran.push(key)
        failing = true
      }),
    ])
    await until('it ran', () => ran.length === 1)
    await looked(node)
    const [held] = await backend.pick({ key: 'sent', limit: 1 })
    await clock.advance(LOCK_MS + 1)
    await until('it was taken again', async () => {
      const [found] = await backend.pick({ key: 'sent', limit: 1 })
      return found?.lockedAt?.getTime() !== held?.lockedAt?.getTime()
    })
    await looked(node)
    failing = false
    await clock.advance(RENEW_MS)
    await until('done', async () => (await stateOf(node, 'sent')) === 'done')
    t.same(ran, ['sent'])
  })

  t.test(`${name}: a renewal of which no answer came loses nothing`, async t => {
    const clock = fakeClock(realClock().now())
    const backend = await (await engine(t))()
    let unanswered = 0
    let failing = false
    const node = await startAway(t, backend, clock, async given => {
      const saved = await backend.saveLocked(...given)
      if (!failing) return saved
      unanswered += 1
      return away()
    })
    const ends = gate()
    const ran: string[] = []
    const helds: (() => Promise<boolean>)[] = []
    await node.jobs.add(job('sent'))
    await node.jobs.work([
      kindOf('letter', async ({ key, held }) => {
        ran.push(key)
        helds.push(held)
        await ends.passed
      }),
    ])
    await until('it runs', () => ran.length === 1)
    failing = true
    await clock.advance(RENEW_MS)
    await until('it was renewed', () => unanswered === 1)
    failing = false
    t.equal(await helds[0]?.(), true)
    ends.open()
    await until('done', async () => (await stateOf(node, 'sent')) === 'done')
    t.same(ran, ['sent'])
  })

  t.test(`${name}: what was done and cannot be written is not given back by a node that closes`, async t => {
    const open = await engine(t)
    const clock = fakeClock(realClock().now())
    const backend = await open()
    const next = await startNode(t, open, 'next')
    let refused = 0
    let failing = true
    const node = await startAway(t, backend, clock, async ([job, lock]) => {
      if (!failing || job.lockedAt) return backend.saveLocked(job, lock)
      refused += 1
      return away()
    })
    const work = async (key: string): Promise<void> => {
      const before = refused
      await node.jobs.add(job(key))
      await until('its end was refused', () => refused > before)
    }
    await node.jobs.work([kindOf('letter', async () => undefined)])
    await work('sent')
    await closed(node, clock)
    t.match(await next.jobs.show('sent'), [{ state: 'running', node: 'first' }])
    failing = false
  })

  t.test(
    `${name}: a queue whose engine never answers closes in nine seconds; what it holds is left to its lock`,
    async t => {
      const open = await engine(t)
      const clock = fakeClock(realClock().now())
      const next = await startNode(t, open, 'next')
      const backend = await open()
      t.teardown(() => backend.disconnect())
      let hanging = false
      const orNever =
        <A extends readonly unknown[], R>(work: (...given: A) => Promise<R>) =>
        (...given: A): Promise<R> =>
          hanging ? new Promise(() => undefined) : work(...given)
      const { repository, consumers } = backend
      const hung: JobBackend = {
        ...backend,
        saveLocked: orNever(backend.saveLocked),
        giveBack: orNever(backend.giveBack),
        disconnect: async () => (hanging ? new Promise(() => undefined) : undefined),
        consumers: { ...consumers, records: orNever(consumers.records), swap: orNever(consumers.swap) },
        repository: Object.assign(Object.create(repository), {
          getNextJobToRun: orNever((...given: Parameters<typeof repository.getNextJobToRun>) =>
            repository.getNextJobToRun(...given),
          ),
        }),
      }
      const node = await startNode(t, async () => hung, 'first', clock)
      const signals: AbortSignal[] = []
      await node.jobs.addAll([job('ends'), job('goes on')])
      const ends = gate()
      await node.jobs.work([
        kindOf('letter', async ({ key, signal }) => {
          signals.push(signal)
          await (key === 'ends' ? ends.passed : new Promise(() => undefined))
        }),
      ])
      await until('both are begun', () => signals.length === 2)
      hanging = true
      ends.open()
      await settle()
      await closed(node, clock)
      t.ok(signals.every(({ aborted }) => aborted))
      for (const key of ['ends', 'goes on']) t.match(await next.jobs.show(key), [{ state: 'running', node: 'first' }])
    },
  )
}
