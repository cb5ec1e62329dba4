/** Follows the log from a position on without a checkpoint: for what each node keeps in its own memory. */
import type { Recorded } from '../domain/event.ts'
import type { Log } from '../log/log.ts'
import type { Clock } from '../ports/clock.ts'
import type { LogFilter } from '../ports/event-store.ts'

export type TailOptions = {
  readonly log: Pick<Log, 'subscribe'>
  readonly clock: Clock
  readonly from: bigint
  readonly filter: LogFilter
  readonly signal: AbortSignal
  readonly onEvents: (events: readonly Recorded[]) => void
  readonly onError: (error: unknown) => void
}

const RETRY_MS = 1000

/** Resolves once the signal has ended it. */
export const tail = async (options: TailOptions): Promise<void> => {
  const { log, clock, filter, signal } = options
  let position = options.from
  while (!signal.aborted) {
    try {
      for await (const batch of log.subscribe(position, filter, signal)) {
        options.onEvents(batch.events)
        position = batch.position
      }
    } catch (error) {
      options.onError(error)
    }
    await clock.sleep(RETRY_MS, signal)
  }
}
