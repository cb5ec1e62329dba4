/** An entry of the dictionary: one lemma of one language and part of speech, from draft to publication and beyond. */
import { defined } from '../defined.ts'
import type { Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import type { EntryContent, EntryStatus, PartOfSpeech } from './content.ts'
import { applyChange, emptyContent } from './content.ts'
import type { EntryEvent } from './events.ts'

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
  /** The decisions that hold it back, while its status is held. */
  readonly holds?: readonly string[]
  /** Who drafted it, or took it over; an imported entry has none. */
  readonly author?: string
  readonly contributors: readonly string[]
  readonly createdAt: string
  readonly updatedAt: string
  readonly removed: boolean
}

/** Whose proposal the event merges: they contributed, whoever let it in. */
export const proposerOf = (event: Recorded<EntryEvent>): string | undefined =>
  event.type === 'EntryEdited' && event.data.proposal?.act === 'merged' ? event.data.proposal.author : undefined

const touched = (entry: Entry, event: Recorded<EntryEvent>): Entry => {
  const contributor = proposerOf(event) ?? event.meta.actor.id
  return {
    ...entry,
    updatedAt: event.meta.at,
    contributors: entry.contributors.includes(contributor) ? entry.contributors : [...entry.contributors, contributor],
  }
}

const moved = (entry: Entry, status: EntryStatus, event: Recorded<EntryEvent>): Entry => ({
  ...entry,
  status,
  updatedAt: event.meta.at,
})

/** The entry that an event begins, or that an import gives anew what the source has; undefined for all other events. */
export const created = (event: Recorded<EntryEvent>, known: Entry | undefined): Entry | undefined => {
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
      // What a decision holds back no source brings back.
      status: known?.status === 'held' ? 'held' : 'published',
      ...defined({ holds: known?.holds }),
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
    case 'EntryHeld': {
      if (entry.status !== 'published' && entry.status !== 'held') return entry
      const { holds = [] } = entry
      const { decision } = event.data
      return { ...entry, status: 'held', holds: holds.includes(decision) ? holds : [...holds, decision] }
    }
    case 'EntryReleased': {
      if (entry.status !== 'held') return entry
      const { holds = [], ...rest } = entry
      const { decision, shows } = event.data
      if (shows) return { ...rest, status: 'published' }
      return { ...rest, holds: holds.filter(hold => hold !== decision) }
    }
    case 'EntryRedacted': {
      const { replacedBy: _, holds: _h, ...rest } = entry
      return { ...withoutText(rest), updatedAt: event.meta.at }
    }
    default:
      return entry
  }
}
