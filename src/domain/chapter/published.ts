/**
 * What readers have of a chapter, folded from its events alone: for read models that hold its text. `evolvePublished` is a fold over one
 * document, as projections are.
 */
import { defined } from '../defined.ts'
import type { Recorded } from '../event.ts'
import type { ChapterEvent, TextChange } from './events.ts'
import { MOST_PARTS } from './limits.ts'
import { digestOf } from './packed.ts'
import { changed, type Waiting } from './past.ts'

/**
 * `isShown`: the chapter is published. The text stays while it is not, since the next change is of it: who reads it asks for `isShown`
 * first. It is absent before there is one, and when it was removed.
 */
export type Published = {
  readonly story: string
  readonly title: string
  readonly note?: string
  readonly isShown: boolean
  readonly text?: string
  readonly words: number
  readonly characters: number
  /** Parts of a text that has not come yet. */
  readonly waiting: Waiting<string>
  /** Of the first publication, and of the last change of what readers see. */
  readonly publishedAt?: string
  readonly editedAt?: string
}

/** Those that change what readers have: a draft that is saved is not among them. */
export const publishedTypes: readonly ChapterEvent['type'][] = [
  'ChapterBegun',
  'TextPart',
  'ChapterPublished',
  'ChapterEdited',
  'ChapterUnpublished',
  'HistoryPurged',
  'ChapterDeleted',
]

type Said = { readonly title: string; readonly note?: string; readonly change?: TextChange }

const without = ({ note: _n, text: _t, ...rest }: Published): Published => ({
  ...rest,
  title: '',
  words: 0,
  characters: 0,
})

const rewritten = (before: Published, { title, note, change }: Said): Published => {
  const { note: _n, text: known, ...rest } = before
  const text = change ? changed(known, change, before.waiting) : known
  const { words, characters } = change ?? before
  return { ...rest, title, words, characters, waiting: [], ...defined({ note, text }) }
}

/** What readers have after the event; undefined: the chapter is gone. Nothing throws. */
export const evolvePublished = (
  before: Published | undefined,
  event: Recorded<ChapterEvent>,
): Published | undefined => {
  if (event.type === 'ChapterBegun')
    return before ?? { story: event.data.story, title: '', words: 0, characters: 0, isShown: false, waiting: [] }
  if (!before || event.type === 'ChapterDeleted') return undefined
  const { at } = event.meta
  switch (event.type) {
    case 'TextPart': {
      if (event.removed || event.data.of === 'draft') return before
      const { of, part, begins } = event.data
      const waiting = [...(begins ? [] : before.waiting), { of, digest: digestOf(part), part }].slice(-MOST_PARTS)
      return { ...before, waiting }
    }
    case 'ChapterPublished':
    case 'ChapterEdited': {
      const told = { publishedAt: before.publishedAt ?? at, editedAt: at, isShown: true }
      return { ...(event.removed ? without(before) : rewritten(before, event.data)), ...told }
    }
    case 'ChapterUnpublished':
      return { ...before, isShown: false }
    case 'HistoryPurged': {
      if (event.removed) return without(before)
      const { published } = event.data
      return published ? rewritten(before, published) : { ...before, waiting: [] }
    }
    default:
      return before
  }
}
