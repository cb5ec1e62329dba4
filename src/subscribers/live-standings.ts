/**
 * What may be seen of entries now, for a feed that replays what was seen then. It comes from the log itself and not from a
 * read model, which may be behind: an entry that GET no longer shows must not be shown by a replay in the meantime.
 */

import type { Standing, Standings } from '../core/live/channels.ts'
import { openReadingUp } from '../core/log/removals.ts'
import { EntryRedacted, EntryRestored, EntryRetired, EntryTakenOver } from '../domain/entry/events.ts'
import type { EventStore, LoggedEvent } from '../ports/event-store.ts'

type Change = { readonly type: string; readonly stream: string; readonly position: bigint; readonly by: () => string }
/** Where the log said last whether it is retired, and who its author is. */
type Known = Standing & { readonly movedAt: bigint; readonly takenAt: bigint }

const types: readonly string[] = [EntryRetired.type, EntryRestored.type, EntryRedacted.type, EntryTakenOver.type]
const wanted: ReadonlySet<string> = new Set(types)

const AS_EVER: Known = { removed: false, retired: false, movedAt: -1n, takenAt: -1n }

/** In whatever order the changes come: the tail is ahead of a look at the log from its start. */
const changed = (known: Known, { type, position, by }: Change): Known => {
  if (type === EntryRedacted.type) return { ...known, removed: true }
  if (type === EntryTakenOver.type)
    return position > known.takenAt ? { ...known, author: by(), takenAt: position } : known
  return position > known.movedAt ? { ...known, retired: type === EntryRetired.type, movedAt: position } : known
}

const actorIn = ({ meta }: LoggedEvent): string => {
  const { actor }: { readonly actor?: { readonly id?: unknown } } = JSON.parse(meta)
  return String(actor?.id)
}

/** Of entries that were never withdrawn or taken over nothing is kept: the others are few, and each takes some 200 bytes. */
export const openStandings = (store: Pick<EventStore, 'readAll' | 'head'>): Standings => {
  const known = new Map<string, Known>()
  const take = (change: Change): void => {
    known.set(change.stream, changed(known.get(change.stream) ?? AS_EVER, change))
  }
  return {
    refresh: openReadingUp(store, types, event => take({ ...event, by: () => actorIn(event) })),
    note: events => {
      for (const event of events) if (wanted.has(event.type)) take({ ...event, by: () => event.meta.actor.id })
    },
    of: stream => known.get(stream),
  }
}
