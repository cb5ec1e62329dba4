/** A chapter of a story: a draft that its authors work on, and beside it what readers have. Of its text the state holds none. */
import type { Aggregate } from '../decider.ts'
import { defined } from '../defined.ts'
import type { Recorded } from '../event.ts'
import { type Growing, grown, nothingYet } from '../growing.ts'
import { streamName } from '../ids.ts'
import { sizeOf } from '../json.ts'
import { markOf } from '../mark.ts'
import { type ChapterEvent, chapterEvents, type TextChange } from './events.ts'
import { MOST_PARTS, PART_LENGTH } from './limits.ts'
import { digestOf } from './packed.ts'
import {
  emptyHead,
  type Head,
  headAfter,
  type Link,
  type Moment,
  type MomentKind,
  partsFor,
  type Waiting,
} from './past.ts'

// Stream

export const chapterCategory = 'chapter'
export const chapterStream = (id: string): string => streamName(chapterCategory, id)
/** The chapter's id from the name of its stream. */
export const chapterIdOf = ({ stream }: { readonly stream: string }): string => stream.slice(chapterCategory.length + 1)

// Fold

/** A text with what stands beside it. `revision`, `at` and `by` are of its last change. */
export type Version = Head & {
  readonly title: string
  readonly note?: string
  readonly links: Growing<Link>
  readonly revision: number
  readonly at: string
  readonly by: string
}

/**
 * `revision` and `mark` are those of the last event that says something: parts of texts do not. `published`: what readers have, or had
 * when it was unpublished.
 */
export type Chapter = {
  readonly story: string
  readonly author: string
  readonly draft: Version
  readonly published?: Version
  readonly isPublished: boolean
  readonly isDeleted: boolean
  readonly revision: number
  readonly mark: string
  readonly moments: Growing<Moment>
  /** Parts by digest, with their revisions. */
  readonly waiting: Waiting<number>
  readonly createdAt: string
  /** Of the first publication. */
  readonly publishedAt?: string
}
export type ChapterState = Chapter | undefined

type Written = { readonly title: string; readonly note?: string; readonly change?: TextChange }

const revisionOf = ({ revision }: Recorded): number => Number(revision)

const blank = (event: Recorded<ChapterEvent>): Version => ({
  ...emptyHead,
  title: '',
  links: nothingYet,
  revision: revisionOf(event),
  at: event.meta.at,
  by: event.meta.actor.id,
})

/** The version after it was written; what was removed has no words, and a digest that no text has. */
const rewritten = (
  before: Version,
  written: Written | undefined,
  event: Recorded<ChapterEvent>,
  waiting: Waiting<number>,
): Version => {
  const { note: _, ...rest } = before
  const touched = { revision: revisionOf(event), at: event.meta.at, by: event.meta.actor.id }
  if (!written) return { ...rest, ...touched, title: '', digest: '' }
  const { title, note, change } = written
  const said = { ...rest, ...touched, title, ...defined({ note }) }
  if (!change) return said
  const { form, packed } = change
  const parts = partsFor(change, waiting) ?? []
  // Of a text in parts, what it takes at least: all but the last are full.
  const size = packed?.length ?? Math.max(0, parts.length - 1) * PART_LENGTH
  return {
    ...said,
    ...headAfter(before, change, size),
    links: grown(before.links, { revision: touched.revision, form, size, parts }),
  }
}

const moment = (event: Recorded<ChapterEvent>, kind: MomentKind, words: number): Moment => ({
  revision: revisionOf(event),
  at: Date.parse(event.meta.at),
  by: event.meta.actor.id,
  kind,
  words,
})

/** The chapter as of an event that says something. */
const touched = (chapter: Chapter, event: Recorded<ChapterEvent>, kind: MomentKind, words: number): Chapter => ({
  ...chapter,
  revision: revisionOf(event),
  mark: markOf(event.id, event.meta.at),
  moments: grown(chapter.moments, moment(event, kind, words)),
  waiting: [],
})

const begun = (event: Recorded<Extract<ChapterEvent, { type: 'ChapterBegun' }>>): Chapter => {
  const { story, author, title } = event.data
  const draft = { ...blank(event), title: event.removed ? '' : title }
  const chapter: Chapter = {
    story,
    author,
    draft,
    isPublished: false,
    isDeleted: false,
    revision: 0,
    mark: '',
    moments: nothingYet,
    waiting: [],
    createdAt: event.meta.at,
  }
  return touched(chapter, event, 'begun', 0)
}

const withPublished = (
  chapter: Chapter,
  event: Recorded<Extract<ChapterEvent, { type: 'ChapterPublished' | 'ChapterEdited' }>>,
): Chapter => {
  const written = event.removed ? undefined : event.data
  const published = rewritten(chapter.published ?? blank(event), written, event, chapter.waiting)
  const kind = event.type === 'ChapterPublished' ? 'published' : 'edited'
  const publishedAt = chapter.publishedAt ?? event.meta.at
  return { ...touched(chapter, event, kind, published.words), published, publishedAt, isPublished: true }
}

/** Of what came before, when it began and was first published is left, and the last change of each text. */
const purged = (chapter: Chapter, event: Recorded<Extract<ChapterEvent, { type: 'HistoryPurged' }>>): Chapter => {
  const again = (version: Version, written: Written | undefined): Version => {
    const { at, by } = version
    return { ...rewritten(blank(event), written, event, chapter.waiting), at, by }
  }
  const { removed, data } = event
  const draft = again(chapter.draft, removed ? undefined : data.draft)
  const published = chapter.published && again(chapter.published, removed ? undefined : data.published)
  return {
    ...touched({ ...chapter, moments: nothingYet }, event, 'purged', draft.words),
    draft,
    ...defined({ published }),
  }
}

const withoutText = (chapter: Chapter, event: Recorded<ChapterEvent>): Chapter => {
  const { published: _, ...rest } = chapter
  const draft = blank(event)
  return { ...rest, draft, isPublished: false, isDeleted: true, moments: nothingYet, waiting: [] }
}

const withPart = (chapter: Chapter, event: Recorded<Extract<ChapterEvent, { type: 'TextPart' }>>): Chapter => {
  if (event.removed) return chapter
  const { of, part: text } = event.data
  const part = { of, digest: digestOf(text), part: revisionOf(event) }
  // What waited under the key before goes with it. Parts of a change that never came make room.
  const waiting = event.data.begins ? [] : chapter.waiting
  return { ...chapter, waiting: [...waiting, part].slice(-MOST_PARTS) }
}

/** The chapter after the event. An event that cannot follow leaves it as it is; nothing throws. */
export const evolveChapter = (chapter: ChapterState, event: Recorded<ChapterEvent>): ChapterState => {
  if (event.type === 'ChapterBegun') return chapter ?? begun(event)
  // Nothing that comes after a deletion brings text back.
  if (!chapter || chapter.isDeleted) return chapter
  switch (event.type) {
    case 'TextPart':
      return withPart(chapter, event)
    case 'DraftSaved': {
      const draft = rewritten(chapter.draft, event.removed ? undefined : event.data, event, chapter.waiting)
      const kind = event.data.restored === undefined ? 'saved' : 'restored'
      return { ...touched(chapter, event, kind, draft.words), draft }
    }
    case 'ChapterPublished':
    case 'ChapterEdited':
      return withPublished(chapter, event)
    case 'ChapterUnpublished':
      return { ...touched(chapter, event, 'unpublished', chapter.published?.words ?? 0), isPublished: false }
    case 'HistoryPurged':
      return purged(chapter, event)
    case 'ChapterDeleted':
      return {
        ...withoutText(chapter, event),
        revision: revisionOf(event),
        mark: markOf(event.id, event.meta.at),
      }
    default:
      return chapter
  }
}

const MOMENT_BYTES = 120
const LINK_BYTES = 100

/** Bytes that a chapter takes in memory, about. */
export const weightOf = ({ draft, published, moments, ...rest }: Chapter): number => {
  const heads = [draft, ...(published ? [published] : [])].map(({ links, ...head }) => ({ head, count: links.length }))
  const links = heads.reduce((sum, { count }) => sum + count, 0)
  return 2 * sizeOf([rest, heads.map(({ head }) => head)]) + moments.length * MOMENT_BYTES + links * LINK_BYTES
}

export const chapterAggregate: Aggregate<ChapterState, ChapterEvent> = {
  category: chapterCategory,
  events: chapterEvents,
  initial: undefined,
  evolve: evolveChapter,
  // Who sees a chapter its story says as it stands then: whoever shows an event of one asks there.
  route: chapter => ({ visibility: 'owner', ...defined({ owner: chapter?.author }) }),
  isRemoved: chapter => chapter?.isDeleted === true,
  weigh: chapter => (chapter ? weightOf(chapter) : 0),
  isAskedForByAnybody: true,
}

const types: ReadonlySet<string> = new Set(chapterEvents.map(({ type }) => type))
export const isChapterEvent = (event: Recorded): event is Recorded<ChapterEvent> => types.has(event.type)

// Decide: src/domain/chapter/decisions.ts
