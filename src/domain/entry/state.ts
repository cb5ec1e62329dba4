/** The state of an entry: what it is, and what is kept of its past so that any revision can be read without the others. */

import type { Aggregate, Decision, EventsByRevision } from '../decider.ts'
import { defined } from '../defined.ts'
import { sizeOf } from '../json.ts'
import { refuse } from '../refusal.ts'
import type { EntryContent } from './content.ts'
import { applyChange, emptyContent } from './content.ts'
import { created, type Entry, entryCategory, evolveEntry } from './entry.ts'
import { type EntryEvent, entryEvents } from './events.ts'
import {
  beginningOf,
  contentMembers,
  contributorsAt,
  type EntryPast,
  holdersOf,
  membersAt,
  momentOf,
  noPast,
  originAt,
  pastAfter,
  pastOfRemoved,
  pastUntil,
  standingAt,
  weightOf,
} from './past.ts'
import type { EntryRefusal } from './refusals.ts'
import { isRemovedEntry, pastIn, pastJson } from './snapshot.ts'

/** The content of a revision, from the events that hold it; undefined: its text was removed. */
export const contentAt = (
  past: EntryPast,
  revision: number,
  events: EventsByRevision<EntryEvent>,
): EntryContent | undefined => {
  const set = membersAt(past, revision, { events, members: contentMembers })
  return set && applyChange(emptyContent, set)
}

const timeOf = (at: number): string => new Date(at).toISOString()

/** The entry as it was at a revision, from the events that hold it (`holdersOf`); undefined: there was none, or its text was removed. */
export const entryAt = (past: EntryPast, revision: number, events: EventsByRevision<EntryEvent>): Entry | undefined => {
  const [moment, first, origin] = [momentOf(past, revision), beginningOf(past), originAt(past, revision)]
  const event = origin === undefined ? undefined : events.get(BigInt(origin))
  const found = event && created(event, undefined)
  const content = contentAt(past, revision, events)
  if (!moment || !first || !found || found.removed || !content) return undefined
  const { status, edited, author, replacedBy, holds } = standingAt(past, revision)
  const { author: _, ...identity } = found
  return {
    ...identity,
    content,
    status,
    edited,
    ...defined({ author, replacedBy, holds }),
    contributors: contributorsAt(past, revision),
    createdAt: timeOf(first.at),
    updatedAt: timeOf(moment.at),
  }
}

/** The entry, and what is kept of its past: of earlier revisions no content. */
export type EntryState = {
  readonly entry: Entry | undefined
  readonly past: EntryPast
}

export const entryAggregate: Aggregate<EntryState, EntryEvent> = {
  category: entryCategory,
  events: entryEvents,
  initial: { entry: undefined, past: noPast },
  evolve: (state, event) => {
    const entry = evolveEntry(state.entry, event)
    if (!entry) return { entry, past: noPast }
    if (entry.removed) return { entry, past: pastOfRemoved(state.past, event) }
    return { entry, past: pastAfter(state.past, entry, event) }
  },
  earlier: {
    needs: ({ entry, past }, revision) => (entry?.removed ? [] : holdersOf(past, Number(revision))),
    recall: (state, revision, events) => {
      if (state.entry?.removed) return state
      const entry = entryAt(state.past, Number(revision), events)
      return entry && { entry, past: pastUntil(state.past, Number(revision)) }
    },
  },
  snapshot: {
    version: 2,
    // What is removed has no text: it is kept as it is, since nothing that is left in the log would give it back for less than a fold.
    encode: ({ entry, past }) => ({
      past: pastJson(past),
      ...defined({ removed: entry?.removed ? entry : undefined }),
    }),
    decode: ({ past: json, removed }) => {
      const past = pastIn(json)
      if (!past) return undefined
      if (removed === undefined) return { entry: undefined, past }
      return isRemovedEntry(removed) ? { entry: removed, past } : undefined
    },
  },
  // Text that is not Latin has two bytes a character.
  isAskedForByAnybody: true,
  weigh: ({ entry, past }) => 2 * sizeOf(entry) + weightOf(past),
  isRemoved: ({ entry }) => entry?.removed === true,
  route: ({ entry }) =>
    entry === undefined
      ? { visibility: 'owner' }
      : {
          language: entry.language,
          visibility: entry.status === 'published' || entry.status === 'retired' ? 'public' : 'owner',
          ...defined({ owner: entry.author }),
        },
}

// Decide: src/domain/entry/decisions.ts

/** What every decision but the first needs: the entry, or why there is none to decide on. */
export const existing =
  (then: (entry: Entry, state: EntryState) => Decision<EntryEvent, EntryRefusal>) =>
  (state: EntryState): Decision<EntryEvent, EntryRefusal> =>
    !state.entry
      ? refuse('entry-not-found', 'There is no such entry.')
      : state.entry.removed
        ? refuse('entry-removed', 'The text of this entry was removed.')
        : then(state.entry, state)
