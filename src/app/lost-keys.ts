/** Keys that are gone or damaged, as those who read the log met them: health says so while they are met. */
import type { Clock } from '../ports/clock.ts'
import { type Keys, KeysError } from '../ports/keys.ts'

/** Whoever cannot read goes on trying each five seconds; so long after the last try it is told, in milliseconds. */
const TOLD_MS = 60_000

/** `lost`: the sentence of the last fault, undefined when none was met lately. */
export const openLost = (
  keys: Keys,
  clock: Pick<Clock, 'monotonic'>,
): { readonly keys: Keys; readonly lost: () => string | undefined } => {
  let met: { readonly message: string; readonly at: number } | undefined
  return {
    keys: {
      ...keys,
      find: async names => {
        try {
          return await keys.find(names)
        } catch (error) {
          if (error instanceof KeysError && error.code === 'corrupt')
            met = { message: error.message, at: clock.monotonic() }
          throw error
        }
      },
    },
    lost: () => (met && clock.monotonic() - met.at < TOLD_MS ? met.message : undefined),
  }
}
