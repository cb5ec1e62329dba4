/** Time as an argument: `now` is wall time for records, `monotonic` (milliseconds) for durations and leases. */
export type Clock = {
  now(): Date
  monotonic(): number
  /** Resolves after `ms`, or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Waits for the work, but for `ms` at most: it goes on then, and what becomes of it is nobody's concern. @throws what the work does in time. */
export const waitAtMost = async (
  { sleep }: Pick<Clock, 'sleep'>,
  ms: number,
  work: Promise<unknown>,
): Promise<void> => {
  const over = new AbortController()
  try {
    await Promise.race([work, sleep(ms, over.signal)])
  } finally {
    over.abort()
  }
}
