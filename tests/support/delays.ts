/**
 * A slow network between a program and its event store, drawn from the seed TEST_DELAYS: each consumer hears of the log by as
 * much later as it has drawn, so that they overtake one another, and appends are answered late. Nothing without a seed.
 *
 * What a test sees of a read model, a mail, the feed or the record of a request right after a write is a race; here it is lost.
 */
import type { Between } from '../../src/adapters/cli/app-port.ts'
import { elapse } from './clocks.ts'

const CONSUMER_MOST_MS = 160
const APPEND_MOST_MS = 20

/** Values from 0 to below 1 that the seed alone determines (mulberry32). */
const draws = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

async function* late<Batch>(batches: AsyncIterable<Batch>, ms: number): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    await elapse(ms)
    yield batch
  }
}

const delayed = (seed: number): Between => {
  const draw = draws(seed)
  return store => ({
    ...store,
    subscribe: (after, filter, signal) => late(store.subscribe(after, filter, signal), draw() * CONSUMER_MOST_MS),
    append: async (stream, expected, events) => {
      await elapse(draw() * APPEND_MOST_MS)
      const result = await store.append(stream, expected, events)
      await elapse(draw() * APPEND_MOST_MS)
      return result
    },
    appendMany: async appends => {
      const results = await store.appendMany(appends)
      await elapse(draw() * APPEND_MOST_MS)
      return results
    },
  })
}

const seed = process.env['TEST_DELAYS']

/** For `openApp`: the delays, where they are asked for. */
export const delays: { readonly between?: Between } = seed === undefined ? {} : { between: delayed(Number(seed)) }
