/** Whoever is not let in hears of it on a beat that began with the request, whatever was done in between. */
import t from 'tap'
import { openBeat } from '../../src/commands/beat.ts'
import { fakeClock, settle } from '../support/clocks.ts'

/** Works for so long, and says when it was heard of, in ms since the start. */
const heard = async (workMs: number, outcome: 'yes' | 'no' | 'fault', beatMs = 100): Promise<number | undefined> => {
  const clock = fakeClock()
  const work = async () => {
    await clock.sleep(workMs)
    if (outcome === 'fault') throw new Error('a fault')
    return outcome
  }
  let at: number | undefined
  const note = (): void => {
    at = clock.monotonic()
  }
  const answer = openBeat(clock, beatMs)(work, told => told === 'yes')
  const told = answer.then(
    value => t.equal(value, outcome),
    (error: unknown) => t.match(error, { message: 'a fault' }),
  )
  void told.then(note)
  for (let ms = 0; ms < 400 && at === undefined; ms += 1) await clock.advance(1)
  await settle()
  return at
}

t.test('a no leaves on the same beat however long the work took', async t => {
  for (const ms of [1, 7, 50, 98]) t.equal(await heard(ms, 'no'), 100, `work of ${ms} ms`)
  for (const ms of [101, 150, 199]) t.equal(await heard(ms, 'no'), 200, `work of ${ms} ms`)
})
t.test('what fails is a no', async t => {
  t.equal(await heard(7, 'fault'), 100)
  t.equal(await heard(101, 'fault'), 200)
})
t.test('a yes leaves at once', async t => {
  for (const ms of [1, 99, 150]) t.equal(await heard(ms, 'yes'), ms, `work of ${ms} ms`)
})
t.test('without a beat so does a no', async t => {
  t.equal(await heard(7, 'no', 0), 7)
})
