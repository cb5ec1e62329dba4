/** Time as an argument: `now` is wall time for records, `monotonic` (milliseconds) for durations and leases. */
export type Clock = {
  now(): Date
  monotonic(): number
  /** Resolves after `ms`, or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}
