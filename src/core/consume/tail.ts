/** Follows the log from a position on without a checkpoint: for what each node keeps in its own memory. */
import type { Recorded } from '../../domain/event.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LogFilter } from '../../ports/event-store.ts'
import { type Log, UndecodableEventError } from '../log/log.ts'

export type TailOptions = {
  readonly log: Pick<Log, 'subscribe'>
  readonly clock: Clock
  readonly from: bigint
  readonly filter: LogFilter
  readonly signal: AbortSignal
  /** `position`: everything up to it has been considered, though there may be no events. */
  readonly onEvents: (events: readonly Recorded[], position: bigint) => void
  readonly onError: (error: unknown) => void
}

const RETRY_MS = 1000

/**
 * Resolves once the signal has ended it. An event that this build cannot read is told and passed over: what comes after it is
 * others' business, and waiting would keep it from them for as long as this build runs.
 */
export const tail = async (options: TailOptions): Promise<void> => {
  const { log, clock, filter, signal } = options
  let position = options.from
  while (!signal.aborted) {
    try {
      for await (const batch of log.subscribe(position, filter, signal)) {
        options.onEvents(batch.events, batch.position)
        position = batch.position
      }
    } catch (error) {
      options.onError(error)
      if (error instanceof UndecodableEventError) {
        if (error.event.position > position) position = error.event.position
        options.onEvents([], position)
        continue
      }
    }
    await clock.sleep(RETRY_MS, signal)
  }
}
