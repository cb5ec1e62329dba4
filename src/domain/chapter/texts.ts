/**
 * The texts of chapters, from the events that hold them: two wholes of bytes at most a text, however often it was saved. Those of late
 * are kept in memory, by their digests, in the bytes that are there for streams.
 */
import type { EventsByRevision } from '../decider.ts'
import { defined } from '../defined.ts'
import type { Recorded } from '../event.ts'
import type { Chapter, Version } from './chapter.ts'
import type { ChapterEvent } from './events.ts'
import { holdersOf, type Moment, publicationBefore, textAt, type Which, whichAt } from './past.ts'

/** Texts kept at most, of whatever size. */
export const KEPT_TEXTS = 2_000
export type KeptText = { readonly text: string }
/** Text that is not Latin has two bytes a character. */
export const bytesOfText = ({ text }: KeptText): number => 2 * text.length

/** What a revision says. */
export type ChapterRevision = { readonly title: string; readonly note?: string; readonly text: string }

export type ChapterTexts = {
  /** The text as it stands; undefined: there is none, or it was removed meanwhile. */
  current(id: string, version: Version | undefined, which: Which): Promise<string | undefined>
  /** What the chapter was at a revision of its history; undefined: it was removed meanwhile. */
  at(id: string, chapter: Chapter, moment: Moment): Promise<ChapterRevision | undefined>
  /** Keeps a text that was written: the next difference is of it. */
  keep(id: string, digest: string, text: string): void
}

type Said = Pick<ChapterRevision, 'title' | 'note'>

/** Title and note as an event has them. */
const saidIn = (event: Recorded<ChapterEvent> | undefined, which: Which): Said | undefined => {
  if (!event || event.removed) return undefined
  switch (event.type) {
    case 'ChapterBegun':
      return { title: event.data.title }
    case 'DraftSaved':
    case 'ChapterPublished':
    case 'ChapterEdited': {
      const { title, note } = event.data
      return { title, ...defined({ note }) }
    }
    case 'HistoryPurged': {
      const kept = event.data[which]
      return kept && { title: kept.title, ...defined({ note: kept.note }) }
    }
    default:
      return undefined
  }
}

/** `events`: those of the chapter at these revisions; what is not there, or none of its own, is left out. */
export const openChapterTexts = (deps: {
  readonly events: (id: string, revisions: readonly bigint[]) => Promise<EventsByRevision<ChapterEvent>>
  readonly kept: { get(key: string): KeptText | undefined; set(key: string, text: KeptText): void }
}): ChapterTexts => {
  const { events, kept } = deps
  const keyOf = (id: string, digest: string): string => `${id} ${digest}`

  const read = async (
    id: string,
    links: Version['links'],
    revision: number,
    which: Which,
  ): Promise<string | undefined> => {
    const holders = holdersOf(links, revision)
    return textAt(links, revision, { events: await events(id, holders), which })
  }

  return {
    current: async (id, version, which) => {
      if (!version) return undefined
      const known = kept.get(keyOf(id, version.digest))
      if (known) return known.text
      const text = await read(id, version.links, version.revision, which)
      if (text !== undefined) kept.set(keyOf(id, version.digest), { text })
      return text
    },
    at: async (id, chapter, moment) => {
      const which = whichAt(moment)
      const version = which === 'draft' ? chapter.draft : chapter.published
      if (!version) return undefined
      // What was unpublished is what was published last.
      const said = moment.kind === 'unpublished' ? publicationBefore(chapter.moments, moment.revision) : moment
      const holder = said && BigInt(said.revision)
      const found = holder === undefined ? undefined : saidIn((await events(id, [holder])).get(holder), which)
      const text = found && (await read(id, version.links, moment.revision, which))
      return text === undefined || !found ? undefined : { ...found, text }
    },
    keep: (id, digest, text) => kept.set(keyOf(id, digest), { text }),
  }
}
