/** Jobs by the clock: what fails is tried again soon, not at its next time, which may be a day away. */

import t from 'tap'
import { openHousekeeping } from '../../src/adapters/jobs/housekeeping.ts'
import { OwnError } from '../../src/domain/own-error.ts'
import { fakeClock } from '../support/clocks.ts'

/** A job whose time never comes within a test. */
const YEARLY = '0 0 1 1 *'

const open = (run: (signal: AbortSignal) => Promise<string | undefined>) => {
  const clock = fakeClock()
  const told: string[] = []
  const housekeeping = openHousekeeping({
    jobs: [{ name: 'sweep', at: YEARLY, run }],
    clock,
    onDone: (job, what) => told.push(`${job}: ${what}`),
    onError: (job, error) => told.push(`${job}: ${String(error)}`),
  })
  return { clock, told, housekeeping }
}

t.test('a job that fails is tried again after 5 s, then ever more rarely, until it is done', async t => {
  let runs = 0
  let away = true
  const { clock, told, housekeeping } = open(async () => {
    runs += 1
    if (away) throw new OwnError('the store is away')
    return 'swept'
  })
  t.teardown(() => housekeeping.close())
  await housekeeping.runNow('sweep')
  t.match(housekeeping.reports(), [{ failed: 1, done: 0, error: 'the store is away' }])
  for (const [ms, after] of [
    [4_999, 1],
    [1, 2],
    [9_999, 2],
    [1, 3],
  ] as const) {
    await clock.advance(ms)
    t.equal(runs, after, `${ms} ms later`)
  }
  for (let n = 0; n < 20; n += 1) await clock.advance(5 * 60_000)
  t.equal(runs, 23, 'every five minutes at least')
  t.equal(clock.sleepers(), 1, 'one wait at a time')
  away = false
  await clock.advance(5 * 60_000)
  t.equal(told.at(-1), 'sweep: swept')
  t.match(housekeeping.reports(), [{ failed: 23, done: 1, error: undefined }])
  t.equal(clock.sleepers(), 0)
  away = true
  await housekeeping.runNow('sweep')
  await clock.advance(5_000)
  t.equal(runs, 26, 'the next fault is tried again after 5 s as well')
})

t.test('a run in between ends the wait; so does the end', async t => {
  let away = true
  let runs = 0
  const { clock, housekeeping } = open(async () => {
    runs += 1
    if (away) throw new OwnError('the store is away')
    return undefined
  })
  await housekeeping.runNow('sweep')
  away = false
  await housekeeping.runNow('sweep')
  t.equal(clock.sleepers(), 0)
  await clock.advance(60_000)
  t.equal(runs, 2)
  away = true
  await housekeeping.runNow('sweep')
  t.equal(clock.sleepers(), 1)
  await housekeeping.close()
  t.equal(clock.sleepers(), 0)
  await clock.advance(60_000)
  t.equal(runs, 3)
})
