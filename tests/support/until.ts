/** Waiting for what somebody else does: by looking, never by guessing how long it takes. */

/** Nothing takes so long but what has come to a stop: it tells "it hangs" from "it is slow" and is no verdict on speed. */
export const HANGS_MS = 120_000
const LONGEST_PAUSE_MS = 25

/** Notes what was seen at a look, for the error that tells of waiting in vain. */
export type Saw = (seen: unknown) => void

const shown = (seen: unknown): string => {
  if (seen instanceof Error) return seen.message
  return typeof seen === 'string' ? seen : (JSON.stringify(seen, (_, v) => (typeof v === 'bigint' ? `${v}` : v)) ?? '')
}

/**
 * Asks until the answer is neither undefined nor false, and resolves to it.
 * @throws what `ask` throws; after two minutes an error that says what was waited for and what `saw` was last told.
 */
export const until = async <T>(
  what: string,
  ask: (saw: Saw) => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> => {
  const end = performance.now() + HANGS_MS
  let last: unknown
  const saw: Saw = seen => {
    last = seen
  }
  for (let pause = 1; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const answer = await ask(saw)
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > end)
      throw new Error(`waited ${HANGS_MS} ms for ${what}${last === undefined ? '' : `; last seen: ${shown(last)}`}`)
    await new Promise(resolve => setTimeout(resolve, pause))
  }
}
