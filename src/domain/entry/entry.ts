/** An entry of the dictionary: one lemma of one language and part of speech, from draft to publication and beyond. */
import type { Aggregate, Decision, EventsByRevision } from '../decider.ts'
import { defined } from '../defined.ts'
import type { Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { sizeOf } from '../json.ts'
import { refuse } from '../refusal.ts'
import type { EntryContent, EntryStatus, PartOfSpeech } from './content.ts'
import { applyChange, emptyContent } from './content.ts'
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

// Stream

export const entryCategory = 'entry'
export const entryStream = (id: string): string => streamName(entryCategory, id)
/** The entry's id from the name of its stream. */
export const entryIdOf = ({ stream }: { readonly stream: string }): string => stream.slice(entryCategory.length + 1)

// Fold

/** The entry as of one revision. `removed` entries keep their identity's id and nothing of their text. */
export type Entry = {
  readonly language: string
  readonly lemma: string
  readonly partOfSpeech: PartOfSpeech
  readonly homograph: number
  readonly status: EntryStatus
  readonly content: EntryContent
  readonly licence: string
  readonly source?: string
  /** Digest of the source's record, while nobody has edited what was imported. */
  readonly record?: string
  /** People have changed the content since it was imported. */
  readonly edited: boolean
  readonly rank: number
  readonly replacedBy?: string
  /** Who drafted it, or took it over; an imported entry has none. */
  readonly author?: string
  readonly contributors: readonly string[]
  readonly createdAt: string
  readonly updatedAt: string
  readonly removed: boolean
}

const touched = (entry: Entry, event: Recorded<EntryEvent>): Entry => ({
  ...entry,
  updatedAt: event.meta.at,
  contributors: entry.contributors.includes(event.meta.actor.id)
    ? entry.contributors
    : [...entry.contributors, event.meta.actor.id],
})

const moved = (entry: Entry, status: EntryStatus, event: Recorded<EntryEvent>): Entry => ({
  ...entry,
  status,
  updatedAt: event.meta.at,
})

const created = (event: Recorded<EntryEvent>, known: Entry | undefined): Entry | undefined => {
  if (event.type === 'EntryDrafted') {
    const { language, lemma, partOfSpeech, homograph, licence, source, content } = event.data
    return {
      language,
      partOfSpeech,
      homograph,
      licence,
      ...defined({ source }),
      lemma: event.removed ? '' : lemma,
      content: event.removed ? emptyContent : content,
      removed: event.removed === true,
      status: 'draft',
      edited: true,
      rank: 0,
      author: event.meta.actor.id,
      contributors: [event.meta.actor.id],
      createdAt: event.meta.at,
      updatedAt: event.meta.at,
    }
  }
  if (event.type === 'EntryImported') {
    const { language, lemma, partOfSpeech, homograph, licence, source, content, rank, record } = event.data
    return {
      language,
      lemma,
      partOfSpeech,
      homograph,
      licence,
      source,
      content,
      rank,
      record,
      removed: false,
      edited: false,
      status: 'published',
      contributors: known?.contributors ?? [event.meta.actor.id],
      createdAt: known?.createdAt ?? event.meta.at,
      updatedAt: event.meta.at,
    }
  }
  return undefined
}

const withoutText = (entry: Entry): Entry => ({ ...entry, lemma: '', content: emptyContent, removed: true })

/** The entry after the event. An event that cannot follow (in a broken order) leaves it as it is; nothing throws. */
export const evolveEntry = (entry: Entry | undefined, event: Recorded<EntryEvent>): Entry | undefined => {
  // Nothing that comes after a removal brings text back.
  if (entry?.removed) return entry
  const fresh = created(event, entry)
  if (fresh) return fresh
  if (!entry) return undefined
  switch (event.type) {
    case 'DraftEdited':
    case 'EntryEdited':
      return event.removed
        ? withoutText(entry)
        : { ...touched(entry, event), content: applyChange(entry.content, event.data.changes), edited: true }
    case 'EntryReverted':
      return event.removed
        ? withoutText(entry)
        : { ...touched(entry, event), content: event.data.content, edited: true }
    case 'EntrySubmitted':
      return moved(entry, 'submitted', event)
    case 'EntryReturned':
      return moved(entry, 'draft', event)
    case 'EntryPublished':
      return moved(entry, 'published', event)
    case 'EntryRetired': {
      const { replacedBy: _, ...rest } = entry
      const { replacedBy } = event.data
      return moved({ ...rest, ...defined({ replacedBy }) }, 'retired', event)
    }
    case 'EntryRestored': {
      const { replacedBy: _, ...rest } = entry
      return moved(rest, 'published', event)
    }
    case 'EntryTakenOver':
      return { ...touched(entry, event), author: event.meta.actor.id }
    case 'EntryRedacted': {
      const { replacedBy: _, ...rest } = entry
      return { ...withoutText(rest), updatedAt: event.meta.at }
    }
    default:
      return entry
  }
}

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
  const { status, edited, author, replacedBy } = standingAt(past, revision)
  const { author: _, ...identity } = found
  return {
    ...identity,
    content,
    status,
    edited,
    ...defined({ author, replacedBy }),
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
    needs: ({ past }, revision) => holdersOf(past, Number(revision)),
    recall: ({ entry, past }, revision, events) => {
      const then = entryAt(past, Number(revision), events)
      return then
        ? { entry: then, past: pastUntil(past, Number(revision)) }
        : { entry: entry && withoutText(entry), past: noPast }
    },
  },
  weigh: ({ entry, past }) => sizeOf(entry) + weightOf(past),
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
  (then: (entry: Entry, state: EntryState) => Decision<EntryEvent>) =>
  (state: EntryState): Decision<EntryEvent> =>
    !state.entry
      ? refuse('entry-not-found', 'There is no such entry.')
      : state.entry.removed
        ? refuse('entry-removed', 'The text of this entry was removed.')
        : then(state.entry, state)
