/**
 * Agenda leaves a timer of half a lock's life behind each job that it has done. The service ends its process; a test would
 * wait for it, so here such timers keep nothing alive.
 */
const plain = globalThis.setTimeout
const lives = new Set<unknown>()
globalThis.setTimeout = Object.assign((...given: Parameters<typeof plain>) => {
  const timer = plain(...given)
  if (lives.has(given[1]) && typeof timer === 'object') timer.unref()
  return timer
}, plain)

/** From here on no such timer keeps this process alive, where locks live so long. */
export const forgetTimersOf = (lockMs: number): void => {
  lives.add(lockMs / 2)
}
