/** What every engine of the queue promises: the port's sentences. agenda's own are in jobs-repository.ts. */

import type { Test } from 'tap'
import { LOCK_MS, RENEW_MS } from '../../src/adapters/jobs/locks.ts'
import { openQueue } from '../../src/adapters/jobs/queue.ts'
import { OwnError } from '../../src/domain/own-error.ts'
import { CLOCKS_APART_MS, type JobFailure, JobsError, PermanentFailure, TRIES } from '../../src/ports/jobs.ts'
import { fakeClock, realClock } from '../support/clocks.ts'
import { type Engine, gate, ignore, job, kindOf, LOOK_MS, looked, type Node, startNode } from '../support/jobs.ts'
import { until } from '../support/until.ts'

export const jobsContract = (t: Test, name: string, engine: Engine): void => {
  const only = async (t: Test): Promise<Node> => startNode(t, await engine(t), 'node')

  t.test(`${name}: a job is added once, done, and remembered until it is forgotten`, async t => {
    const { jobs } = await only(t)
    const done: string[] = []
    t.same(await jobs.counts(), { waiting: 0, running: 0, parked: 0 })
    t.equal(await jobs.add(job('a')), true)
    t.equal(await jobs.add(job('a')), false, 'the same key')
    t.equal(await jobs.add({ ...job('a'), kind: 'other' }), true, 'of another kind')
    t.match(await jobs.counts(), { waiting: 2, running: 0, parked: 0, oldest: Date })
    await jobs.work([kindOf('letter', async ({ key, data }) => void done.push(`${key} ${data['to']}`))])
    await until('done', async () => (await jobs.list({ state: 'done', limit: 10 })).length === 1)
    t.same(done, ['a a'])
    t.equal(await jobs.add(job('a')), false, 'done is done')
    t.match(await jobs.list({ state: 'done', limit: 10 }), [
      { kind: 'letter', key: 'a', failures: 0, finishedAt: Date },
    ])
    t.match(await jobs.list({ limit: 10 }), [{ kind: 'other', state: 'waiting' }], 'what is done is not in the way')
    t.match(
      (await jobs.show('a')).toSorted((a, b) => (a.kind < b.kind ? -1 : 1)),
      [
        { kind: 'letter', state: 'done', data: { to: 'a' }, priority: 0, node: 'node' },
        { kind: 'other', state: 'waiting', data: { to: 'a' } },
      ],
    )
    t.same(await jobs.show('nobody'), [])
    const [finished] = await jobs.list({ state: 'done', limit: 1 })
    t.equal(await jobs.purge(finished?.finishedAt ?? new Date(0)), 0)
    t.equal(await jobs.purge(new Date((finished?.finishedAt?.getTime() ?? 0) + 1)), 1)
    t.equal((await jobs.counts()).waiting, 1, 'what is not done is not forgotten')
    t.equal(await jobs.add(job('a')), true)
    await until('again', () => done.length === 2)
  })

  t.test(`${name}: of an account that is gone no job is left, whatever its state`, async t => {
    const { jobs } = await only(t)
    const running = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const held: boolean[] = []
    const about = { about: 'ada' }
    await jobs.addAll([job('runs', about), job('late', { ...about, runAt: new Date(8.64e14) })])
    await jobs.addAll([
      job('parked', { ...about, parked: 'a reason' }),
      job('bob', { about: 'bob', parked: 'a reason' }),
    ])
    await jobs.addAll([job('nobody', { parked: 'a reason' })])
    await jobs.work([
      kindOf('letter', async ({ held: isHeld }) => {
        running.resolve()
        await goOn.promise
        held.push(await isHeld())
      }),
    ])
    await running.promise
    t.equal(await jobs.forgetAbout('ada'), 3)
    t.equal(await jobs.forgetAbout('ada'), 0)
    for (const key of ['runs', 'late', 'parked']) t.same(await jobs.show(key), [], key)
    goOn.resolve()
    await until('its end', () => held.length === 1)
    t.same(held, [false], 'what runs does not do what cannot be taken back')
    await until('nothing to run', async () => (await jobs.counts()).running === 0)
    t.same(await jobs.show('runs'), [], 'and does not come back as it ends')
    t.match(await jobs.counts(), { waiting: 0, running: 0, parked: 2 })
  })

  t.test(`${name}: ten thousand are added at once, and none of them twice`, async t => {
    const { jobs } = await only(t)
    const many = Array.from({ length: 10_000 }, (_, n) => job(`job ${n}`, { position: BigInt(n + 7) }))
    t.equal(await jobs.addAll(many.slice(0, 600)), 600)
    t.equal(await jobs.addAll(many), 9_400, 'those that were there are no fault')
    t.equal(await jobs.addAll(many), 0)
    t.equal(await jobs.addAll([]), 0)
    t.match(await jobs.counts(), { waiting: 10_000 })
    t.equal(await jobs.firstPosition('letter'), 7n)
    t.equal(await jobs.drop('job 0'), true)
    t.equal(await jobs.firstPosition('letter'), 8n, 'of what is not done')
    t.equal(await jobs.firstPosition('other'), undefined)
    const both = await Promise.all([jobs.addAll([job('x')]), jobs.addAll([job('x')])])
    t.same(both.toSorted(), [0, 1], 'at the same moment')
  })

  t.test(
    `${name}: a failure is tried again later and later; at the eighth it is parked, and waits for an operator`,
    async t => {
      const { jobs, backend } = await only(t)
      const runs: string[] = []
      let mended = false
      const handle = async ({ key }: { readonly key: string }): Promise<void> => {
        runs.push(key)
        if (key === 'never') throw new PermanentFailure('no such address: ada@example.org')
        if (!mended) throw new OwnError('try later')
      }
      const told: JobFailure[] = []
      const kind = kindOf('letter', handle, { firstMs: 60_000, longestMs: 40 * 60_000 })
      await jobs.work([kind], failure => void told.push(failure))
      for (const key of ['always', 'never']) t.ok(await jobs.add(job(key)))
      const failed = (n: number) =>
        until(`failure ${n}`, async saw => {
          const [found] = await backend.pick({ key: 'always', limit: 1 })
          saw(found)
          return found?.failCount === n && found.lockedAt === undefined ? found : undefined
        })
      const waits: (number | undefined)[] = []
      for (let n = 1; n <= TRIES; n += 1) {
        const stored = await failed(n)
        const { nextRunAt, lastFinishedAt } = stored
        waits.push(
          nextRunAt === null || !lastFinishedAt
            ? undefined
            : Math.round((nextRunAt.getTime() - lastFinishedAt.getTime()) / 60_000),
        )
        // Its time comes without anybody waiting for it.
        if (nextRunAt)
          await backend.repository.saveJobState({ ...stored, nextRunAt: lastFinishedAt ?? null }, undefined)
      }
      t.same(
        told.filter(({ key }) => key === 'always').map(({ failures, parked }) => [failures, parked]),
        Array.from({ length: TRIES }, (_, n) => [n + 1, n + 1 === TRIES]),
        'each failure is told, the last one as parked',
      )
      t.match(
        told.filter(({ key }) => key === 'never'),
        [{ kind: 'letter', failures: 1, parked: true, reason: 'no such address: [address]' }],
      )
      t.same(waits, [1, 2, 4, 8, 16, 32, 40, undefined], 'twice as long each time, in minutes')
      t.equal(runs.filter(key => key === 'never').length, 1, 'no repetition helps')
      t.match(await jobs.counts(), { waiting: 0, running: 0, parked: 2 })
      t.match(
        (await jobs.list({ state: 'parked', limit: 10 })).toSorted((a, b) => (a.key < b.key ? -1 : 1)),
        [
          { key: 'always', failures: TRIES, reason: 'try later' },
          { key: 'never', failures: 1, reason: 'no such address: [address]' },
        ],
      )
      t.equal(await jobs.add(job('never')), false, 'parked is there')
      t.equal(await jobs.drop('never'), true)
      t.equal(await jobs.drop('never'), false)
      t.equal(await jobs.drop('nobody'), false)
      mended = true
      t.equal(await jobs.retry('nobody'), 0)
      t.equal(await jobs.retry('always'), 1)
      await until('mended', async () => (await jobs.list({ limit: 10 })).length === 0)
      t.equal(await jobs.retry(), 0, 'what was dropped is not retried')
      t.same([runs.filter(key => key === 'always').length, runs.filter(key => key === 'never').length], [TRIES + 1, 1])
    },
  )

  t.test(`${name}: one that waits for its next try is due at once when it is named`, async t => {
    const { jobs } = await only(t)
    let runs = 0
    const handle = async (): Promise<void> => {
      runs += 1
      if (runs === 1) throw new OwnError('smtp://***@mail.example:587 refuses me@there.example')
    }
    await jobs.add(job('early', { runAt: realClock(3_600_000).now() }))
    await jobs.work([kindOf('letter', handle, { firstMs: 3_600_000, longestMs: 3_600_000 })])
    await jobs.add(job('failed'))
    const failed = () => jobs.show('failed').then(([found]) => found)
    await until('it failed', async () => {
      const found = await failed()
      return found?.failures === 1 && found.state === 'waiting'
    })
    t.match(await failed(), { reason: 'smtp://***@mail.example:587 refuses [address]' }, 'the host of an engine stays')
    t.equal(await jobs.retry(), 0, 'all that are parked: none')
    t.equal(await jobs.retry('early'), 0, 'what has not failed has its own time')
    t.equal(await jobs.retry('failed'), 1)
    await until('it is done', async () => (await failed())?.state === 'done')
    t.equal(runs, 2)
  })

  t.test(
    `${name}: an engine of ours that is away parks nothing, and a job may be added as one that is parked`,
    async t => {
      const { jobs, backend } = await only(t)
      t.equal(await jobs.add(job('asked for', { parked: 'an operator decides' })), true)
      t.match(await jobs.list({ state: 'parked', limit: 2 }), [{ key: 'asked for', reason: 'an operator decides' }])
      t.equal(await jobs.drop('asked for'), true)
      await jobs.add(job('a'))
      const [stored] = await backend.pick({ key: 'a', limit: 1 })
      if (!stored) throw new OwnError('it is not there')
      await backend.repository.saveJobState({ ...stored, failCount: TRIES + 3 }, undefined)
      await jobs.work([kindOf('letter', async () => Promise.reject(new JobsError('unavailable', 'away')))])
      await until('it failed', async () => (await backend.pick({ key: 'a', limit: 1 }))[0]?.failCount !== TRIES + 3)
      await until('it waits', async () => (await jobs.counts()).waiting === 1)
    },
  )

  t.test(`${name}: of several nodes one does a job, no more at once than it may`, async t => {
    const open = await engine(t)
    const all = await Promise.all(['a', 'b', 'c'].map(nodeId => startNode(t, open, nodeId)))
    const [first] = all
    if (!first) throw new OwnError('no node')
    const ran: string[] = []
    const [running, most] = [new Map<number, number>(), new Map<number, number>()]
    await first.jobs.addAll(Array.from({ length: 60 }, (_, n) => job(`job ${n}`)))
    await Promise.all(
      all.map(({ jobs }, node) =>
        jobs.work([
          kindOf(
            'letter',
            async ({ key, held }) => {
              running.set(node, (running.get(node) ?? 0) + 1)
              most.set(node, Math.max(most.get(node) ?? 0, running.get(node) ?? 0))
              ran.push(key)
              t.equal(await held(), true)
              running.set(node, (running.get(node) ?? 0) - 1)
            },
            { concurrency: 2 },
          ),
        ]),
      ),
    )
    await until('all', async () => (await first.jobs.list({ limit: 1 })).length === 0)
    t.equal(new Set(ran).size, 60)
    t.equal(ran.length, 60, 'each once')
    t.ok(
      [...most.values()].every(each => each <= 2),
      `${[...most.values()]} at once`,
    )
  })

  t.test(`${name}: of a thousand jobs neither of two nodes does fewer than 250`, async t => {
    const open = await engine(t)
    const nodes = await Promise.all(['a', 'b'].map(nodeId => startNode(t, open, nodeId)))
    const did = [0, 0]
    await nodes[0]?.jobs.addAll(Array.from({ length: 1_000 }, (_, n) => job(`job ${n}`)))
    const both = gate()
    await Promise.all(
      nodes.map(({ jobs }, node) =>
        jobs.work([
          kindOf('letter', async () => {
            did[node] = (did[node] ?? 0) + 1
            // One that starts later than the other is not what this is about.
            if (did.every(each => each > 0)) both.open()
            await both.passed
          }),
        ]),
      ),
    )
    await until('all are done', async saw => {
      saw(did)
      return (await nodes[0]?.jobs.counts())?.running === 0 && did.reduce((sum, each) => sum + each, 0) >= 1_000
    })
    t.equal(
      did.reduce((sum, each) => sum + each, 0),
      1_000,
    )
    t.ok(
      did.every(each => each >= 250),
      `${did}`,
    )
  })

  t.test(`${name}: the urgent first among those that are due, whichever was due first`, async t => {
    const { jobs } = await only(t)
    const ran: string[] = []
    const now = realClock().now().getTime()
    for (const [key, priority, agoMs] of [
      ['low', -5, 9_000],
      ['middle', 0, 5_000],
      ['high', 10, 1_000],
      ['high before', 10, 2_000],
    ] as const)
      await jobs.add(job(key, { priority, runAt: new Date(now - agoMs) }))
    await jobs.add(job('later', { priority: 99, runAt: new Date(now + 3_600_000) }))
    await jobs.work([kindOf('letter', async ({ key }) => void ran.push(key), { concurrency: 1 })])
    await until('four', () => ran.length === 4)
    t.same(ran, ['high before', 'high', 'middle', 'low'])
    t.match(await jobs.list({ limit: 5 }), [{ key: 'later', state: 'waiting' }])
    t.equal(await jobs.drop('later'), true, 'one that waits can be cancelled')
    t.same(await jobs.list({ limit: 5 }), [])
  })

  t.test(
    `${name}: the job of a node that died is done by another when its lock is over, not before; each time is a failure`,
    async t => {
      const node = await only(t)
      const { jobs, backend } = node
      const now = realClock().now().getTime()
      /** As a node leaves a job that was killed so long ago in the middle of it. */
      const orphan = async (key: string, agoMs: number, failCount: number): Promise<void> => {
        await jobs.add(job(key))
        const [stored] = await backend.pick({ key, limit: 1 })
        if (!stored) throw new OwnError('it is not there')
        const lockedAt = new Date(now - agoMs)
        await backend.repository.saveJobState(
          { ...stored, lockedAt, nextRunAt: null, failCount },
          { lastModifiedBy: 'dead' },
        )
      }
      await orphan('fresh', LOCK_MS - 30_000, 0)
      await orphan('over', LOCK_MS + 1, 0)
      await orphan('deadly', LOCK_MS + 1, TRIES - 1)
      const ran: string[] = []
      const { passed, open } = gate()
      await jobs.work([
        kindOf('letter', async ({ key }) => {
          ran.push(key)
          await passed
        }),
      ])
      await until('one is taken over, one parked', async saw => {
        saw(await jobs.list({ limit: 5 }))
        return ran.length === 1 && (await jobs.counts()).parked === 1
      })
      await looked(node)
      t.same(ran, ['over'])
      t.match(await jobs.show('over'), [{ state: 'running', failures: 1, node: 'node' }])
      t.match(await jobs.show('fresh'), [{ state: 'running', node: 'dead' }])
      t.match(await jobs.show('deadly'), [{ state: 'parked', failures: TRIES, reason: /ended, or hung/ }])
      open()
      await until('done', async () => (await jobs.show('over'))[0]?.state === 'done')
      t.match(await jobs.show('over'), [{ failures: 0 }])
    },
  )

  t.test(
    `${name}: a lock is renewed while the work goes on; who slept through it writes nothing and is told`,
    async t => {
      const open = await engine(t)
      // The second one's clock is ahead by as much as is allowed.
      const [mine, theirs] = [fakeClock(realClock().now()), fakeClock(realClock(CLOCKS_APART_MS).now())]
      const [first, second] = [await startNode(t, open, 'first', mine), await startNode(t, open, 'second', theirs)]
      const ran: string[] = []
      const gates = new Map(['first', 'second'].map(each => [each, gate()]))
      const signals: AbortSignal[] = []
      const helds: (() => Promise<boolean>)[] = []
      const work = (node: string) =>
        kindOf('letter', async ({ signal, held }) => {
          ran.push(node)
          signals.push(signal)
          helds.push(held)
          await gates.get(node)?.passed
        })
      await first.jobs.add(job('long'))
      await first.jobs.work([work('first')])
      await until('it is begun', () => ran.length === 1)
      await second.jobs.work([work('second')])
      const lockedAt = async () => (await first.backend.pick({ key: 'long', limit: 1 }))[0]?.lockedAt?.getTime()
      for (let renewal = 0; renewal < 6; renewal += 1) {
        const before = await lockedAt()
        await theirs.advance(RENEW_MS)
        await looked(second)
        await mine.advance(RENEW_MS)
        await until('it is renewed', async () => (await lockedAt()) !== before)
      }
      t.same(ran, ['first'], 'three minutes, and it is still the first one’s')
      t.equal(await helds[0]?.(), true)
      // From here on the first one's process stands still.
      await theirs.advance(LOCK_MS - CLOCKS_APART_MS - 1_000)
      await looked(second)
      t.same(ran, ['first'])
      await theirs.advance(1_001)
      await until('it is taken over', () => ran.length === 2)
      t.equal(await helds[0]?.(), false, 'asked before an effect, it says so')
      t.equal(await helds[1]?.(), true)
      await mine.advance(RENEW_MS)
      await until('the first is told', () => signals[0]?.aborted === true)
      gates.get('first')?.open()
      await looked(first)
      t.match(await second.jobs.show('long'), [{ state: 'running', node: 'second' }], 'its end is not written')
      gates.get('second')?.open()
      await until('done', async () => (await second.jobs.show('long'))[0]?.state === 'done')
      t.equal(ran.length, 2)
    },
  )

  t.test(`${name}: what is due is due by the queue's own clock`, async t => {
    const clock = fakeClock(new Date('2020-05-04T03:02:01Z'))
    const node = await startNode(t, await engine(t), 'node', clock)
    const ran: string[] = []
    await node.jobs.add(job('now'))
    await node.jobs.add(job('in an hour', { runAt: new Date('2020-05-04T04:02:01Z') }))
    const handle = async ({ key }: { readonly key: string }): Promise<void> => {
      ran.push(key)
      if (ran.length === 1) throw new OwnError('once more')
    }
    await node.jobs.work([kindOf('letter', handle, { firstMs: 60_000, longestMs: 60_000 })])
    await until('it failed', async () => (await node.jobs.show('now'))[0]?.failures === 1)
    const [failed] = await node.jobs.show('now')
    t.match(JSON.stringify(failed?.nextRunAt), /2020-05-04T03:03:0/)
    await looked(node)
    t.same(ran, ['now'])
    await clock.advance(60_100)
    await until('again', () => ran.length === 2)
    await clock.advance(3_600_000)
    await until('the other one', () => ran.length === 3)
    await until('done', async () => (await node.jobs.show('in an hour'))[0]?.state === 'done')
    t.match(JSON.stringify((await node.jobs.show('in an hour'))[0]?.finishedAt), /2020-05-04T04:0/)
    t.same(ran, ['now', 'now', 'in an hour'])
  })

  t.test(`${name}: nodes see how far their clocks are apart`, async t => {
    const open = await engine(t)
    const [mine, theirs] = [fakeClock(realClock().now()), fakeClock(realClock(45_000).now())]
    const [first, second] = [await startNode(t, open, 'first', mine), await startNode(t, open, 'second', theirs)]
    t.equal(first.jobs.clocksApart(), 0)
    await Promise.all([first.jobs.work([]), second.jobs.work([])])
    await until('both have seen the other', async saw => {
      await mine.advance(1_000)
      await theirs.advance(1_000)
      saw([first.jobs.clocksApart(), second.jobs.clocksApart()])
      return first.jobs.clocksApart() > CLOCKS_APART_MS && second.jobs.clocksApart() < -CLOCKS_APART_MS
    })
    await second.jobs.close()
    await until('the other is gone', async () => {
      await mine.advance(1_000)
      return first.jobs.clocksApart() === 0
    })
  })

  t.test(`${name}: a queue that closes finishes what ends in time and gives the rest back`, async t => {
    const open = await engine(t)
    const clock = fakeClock(realClock().now())
    const next = await startNode(t, open, 'next')
    const slow = Promise.withResolvers<void>()
    // A take that is on its way when the queue closes.
    const holding = { on: false }
    const backend = await open()
    const taking = gate()
    const late = Object.assign(Object.create(backend.repository), {
      getNextJobToRun: async (...given: Parameters<typeof backend.repository.getNextJobToRun>) => {
        const taken = await backend.repository.getNextJobToRun(...given)
        if (holding.on && taken) {
          taking.open()
          await slow.promise
        }
        return taken
      },
    })
    const first = await openQueue({
      backend: { ...backend, repository: late },
      nodeId: 'first',
      clock,
      random: () => 0.5,
      lookMs: LOOK_MS,
      onError: ignore,
    })
    t.teardown(() => first.close())
    const begun = new Map<string, AbortSignal>()
    const ends = gate()
    await first.addAll([job('ends'), job('goes on')])
    await first.work([
      kindOf('letter', async ({ key, signal }) => {
        begun.set(key, signal)
        await (key === 'ends' ? ends.passed : new Promise<void>(() => undefined))
      }),
    ])
    await until('two are begun', () => begun.size === 2)
    holding.on = true
    await first.add(job('on its way'))
    await taking.passed
    let closed = false
    const closing = first.close().then(() => {
      closed = true
    })
    await t.rejects(first.add(job('another')), { name: 'JobsError', code: 'closed' })
    ends.open()
    await until('the one that ends is done', async () => (await next.jobs.show('ends'))[0]?.state === 'done')
    await clock.advance(6_000)
    t.equal(begun.get('goes on')?.aborted, true, 'it is told to end')
    t.equal(closed, false)
    slow.resolve()
    await clock.advance(2_000)
    await closing
    for (const key of ['goes on', 'on its way'])
      t.match(await next.jobs.show(key), [{ state: 'waiting', failures: 0 }], `${key} is free at once`)
    const ran: string[] = []
    await next.jobs.work([kindOf('letter', async ({ key }) => void ran.push(key))])
    await until('another node does them', () => ran.length === 2)
    t.same(ran.toSorted(), ['goes on', 'on its way'])
  })

  t.test(`${name}: a node that is told to end counts no failure, and begins nothing more`, async t => {
    const open = await engine(t)
    const next = await startNode(t, open, 'next')
    const clock = fakeClock(realClock().now())
    const first = await startNode(t, open, 'first', clock)
    const begun: string[] = []
    await first.jobs.addAll([job('a'), job('b')])
    await first.jobs.work([
      kindOf(
        'letter',
        ({ key, signal }) => {
          begun.push(key)
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new OwnError('told to end'))))
        },
        { concurrency: 1 },
      ),
    ])
    await until('one is begun', () => begun.length === 1)
    first.jobs.rest()
    await clock.advance(6_000)
    await first.jobs.close()
    t.equal(begun.length, 1)
    t.match(await next.jobs.list({ limit: 5 }), [
      { state: 'waiting', failures: 0 },
      { state: 'waiting', failures: 0 },
    ])
  })

  t.test(`${name}: what consumers know lies with the jobs, and an older lease changes nothing`, async t => {
    const { jobs } = await only(t)
    const { consumers } = jobs
    const at = (position: bigint, token: number) => ({
      consumer: 'subscriber:mail',
      value: { logId: 'log', position, eventId: 'e 1 s', token },
    })
    t.equal(await consumers.checkpoint('subscriber:mail'), undefined)
    await consumers.apply('', [], at(2n ** 60n, 5))
    t.same(await consumers.checkpoint('subscriber:mail'), at(2n ** 60n, 5).value)
    await t.rejects(consumers.apply('', [], at(1n, 4)), { name: 'ReadStoreError', code: 'fenced' })
    await consumers.apply('', [], at(3n, 5))
    t.same([...(await consumers.checkpoints())], [['subscriber:mail', at(3n, 5).value]])
    await t.rejects(consumers.apply('words@1#1', [], at(4n, 5)), TypeError)
    t.equal(await consumers.swap('lease:a', undefined, undefined), true)
    t.equal(await consumers.swap('lease:a', undefined, 'one'), true)
    t.equal(await consumers.swap('lease:a', undefined, 'two'), false)
    t.equal(await consumers.swap('lease:a', 'two', 'three'), false)
    t.equal(await consumers.swap('lease:a', 'one', 'two'), true)
    t.equal(await consumers.swap('lease:b', undefined, 'x'), true)
    t.equal(await consumers.swap('leasf', undefined, 'x'), true)
    t.same(
      [...(await consumers.records('lease:'))],
      [
        ['lease:a', 'two'],
        ['lease:b', 'x'],
      ],
    )
    t.equal(await consumers.swap('lease:a', 'two', undefined), true)
    t.equal(await consumers.record('lease:a'), undefined)
    await jobs.close()
    await t.rejects(consumers.record('lease:b'), { name: 'ReadStoreError', code: 'closed' })
  })
}
