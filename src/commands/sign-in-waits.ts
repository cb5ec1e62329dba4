/**
 * How often one may try to get into an account. Whoever tries too often waits, and longer each time. A device that the account
 * knows is counted by itself, so that what strangers do from anywhere keeps nobody out of their own account.
 */
import type { Cache } from '../ports/cache.ts'

/** So many tries in so many ms: windows one within the other, so that the wait grows from each to the next. */
type Tier = { readonly tries: number; readonly ms: number }
const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Of strangers, from one place (an address, or its /64) and from everywhere; of a known device; of a session's step-up. */
const tiers = {
  place: [
    { tries: 10, ms: 15 * MINUTE },
    { tries: 30, ms: 6 * HOUR },
    { tries: 60, ms: 24 * HOUR },
  ],
  everywhere: [
    { tries: 50, ms: 15 * MINUTE },
    { tries: 150, ms: 6 * HOUR },
    { tries: 300, ms: 24 * HOUR },
  ],
  device: [
    { tries: 10, ms: 15 * MINUTE },
    { tries: 60, ms: 24 * HOUR },
  ],
} as const satisfies Record<string, readonly Tier[]>

/** Who tries: a device that the account knows (by its hash), or a stranger at a place. */
export type Trying = { readonly claim: string } & ({ readonly device: string } | { readonly place: string })

/**
 * Counts a try before it is made, so that many at once are counted one by one. The ms to wait where there were too many, else
 * undefined. A try that has to wait is not counted in the longer windows. Without the cache the limits of the routes are left.
 */
export const countTry = async (cache: Pick<Cache, 'hit'>, trying: Trying): Promise<number | undefined> => {
  const within = async (key: string, counted: readonly Tier[]): Promise<number | undefined> => {
    for (const { tries, ms } of counted) {
      const hit = await Promise.resolve(cache.hit(`limit:sign-in:${key}:${ms}`, ms)).catch(() => undefined)
      if (hit && hit.count > tries) return hit.resetMs
    }
    return undefined
  }
  const { claim } = trying
  if ('device' in trying) return within(`device:${claim}:${trying.device}`, tiers.device)
  // A place that waits is not counted everywhere: one alone cannot use that up.
  return (await within(`place:${claim}:${trying.place}`, tiers.place)) ?? within(`all:${claim}`, tiers.everywhere)
}
