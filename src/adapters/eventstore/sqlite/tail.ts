/**
 * The end of the log, read once for all who wait there. A commit wakes every consumer of the process, some twenty of them, and each
 * of them would ask the file where the log ends and what of it is for it.
 */

import { categoryOf } from '../../../domain/ids.ts'
import type { LogFilter, LoggedEvent } from '../../../ports/event-store.ts'
import type { LogPage, Reader } from './reader.ts'

/** Who is further behind reads for themselves; so many events at most are held until the next commit. */
const SHARED_POSITIONS = 64

type Recent = { readonly from: number; readonly until: number; readonly events: readonly LoggedEvent[] }

export type Tail = {
  /** Something was committed, or may have been: what is known of the end counts no more. */
  renew(): void
  /** The position of the last event, as of the last commit that was heard of. */
  head(): number
  /** What comes after the position up to the head, for one filter; undefined where it is to be read by whoever asks. */
  after(position: number, wants: (event: LoggedEvent) => boolean): LogPage | undefined
}

/** As the filter of a cursor says it. */
export const wanting = ({ categories, types }: LogFilter = {}): ((event: LoggedEvent) => boolean) => {
  const [wantedCategories, wantedTypes] = [categories && new Set(categories), types && new Set(types)]
  return ({ stream, type }) => (wantedTypes?.has(type) ?? true) && (wantedCategories?.has(categoryOf(stream)) ?? true)
}

export const openTail = (reader: Pick<Reader, 'head' | 'cursor'>): Tail => {
  const whole = reader.cursor()
  let end: number | undefined
  let recent: Recent | undefined

  const head = (): number => {
    end ??= reader.head()
    return end
  }
  const read = (from: number, until: number): Recent | undefined => {
    const { events, position } = whole.next(from, until)
    // Which consumer a damaged event would be for, its row alone does not say.
    return position === until && !events.some(({ damaged }) => damaged) ? { from, until, events } : undefined
  }

  return {
    renew: () => {
      end = undefined
      recent = undefined
    },
    head,
    after: (position, wants) => {
      const until = head()
      if (until - position > SHARED_POSITIONS) return undefined
      if (!recent || position < recent.from) recent = read(position, until)
      if (!recent) return undefined
      const events = recent.events.filter(event => event.position > position && wants(event))
      return { events, position: until, caughtUp: true }
    },
  }
}
