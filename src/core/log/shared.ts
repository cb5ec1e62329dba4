/**
 * What was decoded at the head of the log a moment ago, for the other consumers that are there: a commit wakes some twenty-five, and
 * each would parse and open the same events. It is a window of events, bounded by bytes; who comes later decodes for themselves.
 * Whether what was sealed may still be told is asked of the keys each time (`openPage`), and never of this.
 */

import type { LoggedEvent } from '../../ports/event-store.ts'
import type { Region } from '../memory/memory.ts'
import type { Decoded, DecodedEvents } from './codec.ts'

/** Events at most, whatever their size: what some commits brought together. */
const EVENTS = 512
/** Of a character as it was stored, beside it as it was decoded and as it was opened. */
const CHARACTER_BYTES = 6

/** A log that was put back has other events at the same positions; of one event not all engines hand out one object. */
const isSame = (a: LoggedEvent, b: LoggedEvent): boolean =>
  a === b ||
  (a.id === b.id &&
    a.revision === b.revision &&
    a.recordedAt === b.recordedAt &&
    a.damaged === b.damaged &&
    a.type === b.type &&
    a.stream === b.stream &&
    a.data === b.data &&
    a.meta === b.meta)

export type Shared = DecodedEvents & {
  /** Something was removed: its text is to leave memory too. */
  forget(): void
}

export const openShared = (memory: Region): Shared => {
  const known = memory.cache<Decoded>({
    max: EVENTS,
    sizeOf: ({ logged: { data, meta } }) => CHARACTER_BYTES * (data.length + meta.length),
  })
  return {
    find: logged => {
      const found = known.peek(String(logged.position))
      return found && isSame(found.logged, logged) ? found : undefined
    },
    forget: () => known.clear(),
    add: decoded => known.set(String(decoded.logged.position), decoded),
  }
}
