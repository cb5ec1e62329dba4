/**
 * Whether the log is still the one that this process has read and written. A server whose older backup was put back has another
 * history from there on: what is written to it stands at positions that meant other events, to this node and to its read models.
 */
import type { Clock } from '../../../ports/clock.ts'
import { EventStoreError, type LoggedEvent } from '../../../ports/event-store.ts'
import type { Reader } from './reader.ts'

/** Looks in vain for an event, before it is gone: a server that has just started may answer so what it means otherwise. */
const LOOKS = 3
/** Looks within this time, in milliseconds, are one: all who wait look at once when a server is back. */
const APART_MS = 40
const BETWEEN_MS = 100

export type History = {
  /** An event of the log, read or written; its id where it is known. */
  saw(position: bigint, id: string | undefined): void
  /**
   * Looks for the last event that was seen. @throws {EventStoreError} unavailable when it is not found, or the log cannot be read;
   * corrupt once it is known to be gone, and from then on.
   */
  look(): Promise<void>
  /** Set once the log has lost its end, for good. */
  readonly lost: EventStoreError | undefined
}

export const openHistory = (reader: Pick<Reader, 'at'>, clock: Pick<Clock, 'monotonic'>): History => {
  let last: { readonly position: bigint; readonly id: string | undefined } = { position: 0n, id: undefined }
  let missed = 0
  let missedAt = Number.NEGATIVE_INFINITY
  let lost: EventStoreError | undefined

  const missing = (there: LoggedEvent | undefined, position: bigint): EventStoreError => {
    if (clock.monotonic() - missedAt >= APART_MS) {
      missed += 1
      missedAt = clock.monotonic()
    }
    if (missed < LOOKS) return new EventStoreError('unavailable', 'the last event is not found')
    const stands = there ? 'another event' : 'no event'
    lost = new EventStoreError(
      'corrupt',
      `the log has lost its end: there is ${stands} at ${position}, which was read before. Start every node anew`,
    )
    return lost
  }

  return {
    saw: (position, id) => {
      if (position > last.position || (position === last.position && last.id === undefined)) last = { position, id }
    },
    look: async () => {
      if (lost) throw lost
      const { position, id } = last
      const there = position === 0n ? undefined : await reader.at(position)
      if (position > 0n && !(there && (id === undefined || there.id === id))) throw missing(there, position)
      missed = 0
    },
    get lost() {
      return lost
    },
  }
}

/** Whether an event of this log is at the position. A look in vain is no answer yet: it is looked for as often as above. */
export const isThere = async (reader: Pick<Reader, 'at'>, clock: Clock, position: bigint): Promise<boolean> => {
  for (let looks = 1; ; looks += 1) {
    if (await reader.at(position)) return true
    if (looks >= LOOKS) return false
    await clock.sleep(BETWEEN_MS)
  }
}
