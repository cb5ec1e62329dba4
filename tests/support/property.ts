/**
 * Property tests, the only place that gives them seeds. In the gate every run draws the same values, so that it is red only
 * when the code is wrong; `npm run test:explore` draws others, fifty times as many, and prints seed and path of what fails.
 */
import fc from 'fast-check'

/** What the gate draws from, for ever. */
const GATE_SEED = 20_261_129
const EXPLORE_FACTOR = 50
const USUAL_RUNS = 100

/** TEST_EXPLORE names the seed of an exploration. */
const explored = process.env['TEST_EXPLORE']
const seed = explored === undefined ? GATE_SEED : Number(explored)
const factor = explored === undefined ? 1 : EXPLORE_FACTOR

/** Holds a synchronous property for `runs` drawn values. @throws with the smallest counterexample, its seed and path. */
export const holds = <T>(property: fc.IProperty<T>, runs: number = USUAL_RUNS): void =>
  fc.assert(property, { seed, numRuns: runs * factor })

/** Holds an asynchronous property for `runs` drawn values. @throws with the smallest counterexample, its seed and path. */
export const holdsAsync = <T>(property: fc.IAsyncProperty<T>, runs: number = USUAL_RUNS): Promise<void> =>
  fc.assert(property, { seed, numRuns: runs * factor })

/** As many values as asked for; `salt` tells the samples of one file apart. */
export const sample = <T>(arbitrary: fc.Arbitrary<T>, count: number, salt: number = 0): readonly T[] =>
  fc.sample(arbitrary, { seed: seed + salt, numRuns: count * factor })
