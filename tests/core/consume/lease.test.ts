/** Whose lease need not be waited for beside that of the dead, and that what a challenger saw is kept over its attempts. */
import t, { type Test } from 'tap'
import { acquireLease, leaseRecord } from '../../../src/core/consume/lease.ts'
import { ReadStoreError } from '../../../src/ports/read-store.ts'
import { fakeClock } from '../../support/clocks.ts'
import { openReadSide, type ReadSide } from '../../support/projections.ts'
import { until } from '../../support/until.ts'

const withReadSide = (name: string, run: (test: Test, side: ReadSide) => Promise<void>): void => {
  t.test(name, async test => {
    const side = await openReadSide()
    try {
      await run(test, side)
    } finally {
      await side.close()
    }
  })
}

withReadSide('a lease says on which grounds it was taken; of the dead and of oneself at once', async (t, { store }) => {
  const clock = fakeClock()
  const take = (consumer: string) =>
    acquireLease({
      store,
      consumer,
      owner: 'me',
      clock,
      signal: new AbortController().signal,
      hasEnded: owner => owner === 'dead',
    })
  const record = (owner: string) => JSON.stringify({ owner, token: 7, beat: 9 })
  t.match(await take('new'), { takeover: 'free' })
  await store.swap(leaseRecord('released'), undefined, record(''))
  t.match(await take('released'), { token: 8, takeover: 'free' })
  await store.swap(leaseRecord('dead'), undefined, record('dead'))
  t.match(await take('dead'), { token: 8, takeover: 'ended' }, 'no time has passed')
  await store.swap(leaseRecord('own'), undefined, record('me'))
  t.match(await take('own'), { token: 8, takeover: 'own' }, 'its own, that a store which went away has cut short')
})

withReadSide('a store that fails now and then is no beat of the holder', async (t, { store }) => {
  const clock = fakeClock()
  await store.swap(leaseRecord('a'), undefined, '{"owner":"silent","token":7,"beat":9}')
  let reads = 0
  const failing: typeof store = {
    ...store,
    record: async name => {
      reads += 1
      if (reads % 5 === 0) throw new ReadStoreError('unavailable', 'it has not answered')
      return store.record(name)
    },
  }
  const sight = { text: undefined, since: clock.monotonic() }
  const options = { store: failing, consumer: 'a', owner: 'me', clock, signal: new AbortController().signal, sight }
  let taken: Awaited<ReturnType<typeof acquireLease>>
  const attempts = (async () => {
    while (taken === undefined) taken = await acquireLease(options).catch(() => undefined)
  })()
  for (let passed = 0; passed < 9_000; passed += 500) {
    await until('it sleeps', () => clock.sleepers() === 1)
    await clock.advance(500)
  }
  await until('it is taken', () => taken !== undefined)
  await attempts
  t.match(taken, { token: 8, takeover: 'silent' })
})
