/**
 * The chapters in two read models: what there is, small enough for a table of contents of a thousand, which follows every draft that is
 * saved; and what readers have, which follows publications alone. Its HTML is made as it is read (src/adapters/rendering): no fold
 * takes the time of a text full of markup.
 */
import { projection } from '../core/project/define.ts'
import { chapterCategory, chapterIdOf, isChapterEvent } from '../domain/chapter/chapter.ts'
import { ChapterDeleted, type ChapterEvent } from '../domain/chapter/events.ts'
import { evolvePublished, type Published, publishedTypes } from '../domain/chapter/published.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import { markOf } from '../domain/mark.ts'

/** A title with how much there is under it, and when it was changed. */
export type Summary = { readonly title: string; readonly words: number; readonly at: string }
export type ChapterDocument = {
  readonly story: string
  readonly draft: Summary
  readonly published?: Summary
  readonly isPublished: boolean
  /** Of the first publication. */
  readonly publishedAt?: string
}

type Said = { readonly title: string; readonly change?: { readonly words: number } }

/** What was removed has no words. */
const summary = (before: Summary | undefined, said: Said | undefined, at: string): Summary => ({
  title: said?.title ?? '',
  words: said ? (said.change?.words ?? before?.words ?? 0) : 0,
  at,
})

const evolveChapterDocument = (
  before: ChapterDocument | undefined,
  event: Recorded<ChapterEvent>,
): ChapterDocument | undefined => {
  const { at } = event.meta
  if (event.type === 'ChapterBegun') {
    const { story, title } = event.data
    return before ?? { story, draft: summary(undefined, event.removed ? undefined : { title }, at), isPublished: false }
  }
  if (!before || event.type === 'ChapterDeleted') return undefined
  switch (event.type) {
    case 'DraftSaved':
      return { ...before, draft: summary(before.draft, event.removed ? undefined : event.data, at) }
    case 'ChapterPublished':
    case 'ChapterEdited': {
      const published = summary(before.published, event.removed ? undefined : event.data, at)
      return { ...before, published, isPublished: true, publishedAt: before.publishedAt ?? at }
    }
    case 'ChapterUnpublished':
      return { ...before, isPublished: false }
    case 'HistoryPurged': {
      // When it was written is not when the history was purged.
      const { draft, published } = event.removed ? {} : event.data
      const again = before.published && summary(undefined, published, before.published.at)
      return { ...before, draft: summary(undefined, draft, before.draft.at), ...defined({ published: again }) }
    }
    default:
      return before
  }
}

export const chaptersProjection = projection<ChapterDocument>({
  name: 'chapters',
  version: 1,
  categories: [chapterCategory],
  removals: [ChapterDeleted.type],
  indexes: [{ name: 'story', on: ['story'] }],
  key: chapterIdOf,
  evolve: (document, event) => (isChapterEvent(event) ? evolveChapterDocument(document, event) : document),
})

/** `revision` and `mark` are those of the last event that changed what readers have. */
export type ChapterTextDocument = Published & { readonly revision: string; readonly mark: string }

/** A part of a text says nothing yet: what readers have is as of the event before. */
const asOf = (
  before: ChapterTextDocument | undefined,
  published: Published,
  event: Recorded<ChapterEvent>,
): ChapterTextDocument => {
  const said = event.type === 'TextPart' ? before : undefined
  return {
    ...published,
    revision: said?.revision ?? String(event.revision),
    mark: said?.mark ?? markOf(event.id, event.meta.at),
  }
}

export const chapterTextsProjection = projection<ChapterTextDocument>({
  name: 'chapter-texts',
  version: 2,
  categories: [chapterCategory],
  types: publishedTypes,
  removals: [ChapterDeleted.type],
  indexes: [{ name: 'story', on: ['story'] }],
  key: chapterIdOf,
  evolve: (document, event) => {
    if (!isChapterEvent(event)) return document
    const published = evolvePublished(document, event)
    if (published === document) return document
    return published && asOf(document, published, event)
  },
})
