/** The words of a story that the dictionary has: found by the words of its chapters, each entry joined as it stands now. */
import Type from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Cursor, Page, Query } from '../core/query/define.ts'
import { chapterNotFound } from '../domain/chapter/decisions.ts'
import { defined } from '../domain/defined.ts'
import type { Json } from '../domain/event.ts'
import { wordUses } from '../domain/search/word-use.ts'
import { shownChapters } from '../domain/story/story.ts'
import { type EntryDocument, entriesProjection } from '../projections/entries.ts'
import { type SearchDocument, searchProjection } from '../projections/search.ts'
import { storiesProjection } from '../projections/stories.ts'
import { type StorySearchDocument, storySearchProjection } from '../projections/story-search.ts'
import { EntrySchema, entryView, peopleIn } from './entry-view.ts'
import type { StoryReads } from './stories.ts'
import { shownStory, viewerOf } from './story-view.ts'
import { storyWordsPage, type WordsCursor } from './story-words-pages.ts'

export type StoryWordsReads = Pick<StoryReads, 'stories' | 'people'> & {
  readonly chapters: View<StorySearchDocument>
  readonly entries: View<EntryDocument>
  readonly search: View<SearchDocument>
}
/** `chapter`: of this one alone. */
export type StoryWordsInput = {
  readonly id: string
  readonly adult: boolean
  readonly chapter?: string
  readonly limit: number
  readonly after?: Cursor
}

const text = Type.String()
export const StoryWordSchema = Type.Object({
  entry: EntrySchema,
  matched: Type.Enum([...wordUses], {
    description: 'By its lemma, by a form or variant of it, or by a word of the same stem.',
  }),
  word: Type.String({ description: 'As the chapter has it written first.' }),
  chapterId: Type.String({ description: 'A chapter that has it.' }),
})
export type StoryWord = Type.Static<typeof StoryWordSchema>

const output = Type.Object(
  { items: Type.Array(StoryWordSchema), next: Type.Union([text, Type.Null()]) },
  { $id: 'StoryWordPage' },
)

const cursorOf = (key: Json | undefined): WordsCursor | undefined => {
  if (!Array.isArray(key)) return undefined
  const [at, chapter, step, after] = key
  return typeof at === 'number' && typeof chapter === 'string' && typeof step === 'number'
    ? { at, chapter, step, after: Array.isArray(after) ? after : null }
    : undefined
}

/** Entries that the published chapters of a story use, each once; what is not published, of either, is as what is not there. */
export const storyWords = (reads: StoryWordsReads): Query<StoryWordsInput, Page<StoryWord>> => ({
  name: 'story-words',
  permission: 'stories:read',
  people: item => (typeof item === 'object' && item !== null && 'entry' in item ? peopleIn(item.entry) : []),
  output,
  reads: [storiesProjection, storySearchProjection, entriesProjection, searchProjection],
  closed: ['adult', 'chapter', 'limit'],
  run: async ({ id, adult, chapter, limit, after }, reader) => {
    // Before the reads: what is read then reflects these positions at least.
    const views = [reads.stories, reads.chapters, reads.entries, reads.search]
    const position = views.map(view => view.position()).reduce((a, b) => (a < b ? a : b))
    const found = (await reads.stories.get([id])).get(id)
    const seen = shownStory(found?.body, viewerOf(reader, reads.people, adult))
    if ('refused' in seen) return seen
    const { story } = seen
    const order = shownChapters(story)
    const shown = new Set(order)
    if (chapter !== undefined && !shown.has(chapter)) return chapterNotFound()
    await reads.search.ready()
    const generation = after?.generation ?? (reads.search.generation() || undefined)
    const { hits, next } = await storyWordsPage(
      {
        index: {
          get: ids => reads.chapters.get(ids),
          select: (query, members) => reads.chapters.select(query, members),
        },
        entries: { find: query => reads.search.find(query, generation) },
        story: id,
        language: story.language,
        chapters: chapter === undefined ? order : [chapter],
        shown,
      },
      { limit, ...defined({ cursor: cursorOf(after?.key) }) },
    )
    const documents = await reads.entries.get(hits.map(({ entry }) => entry))
    const items = hits.flatMap(({ entry, matched, word, chapter: chapterId }) => {
      const body = documents.get(entry)?.body
      return body?.status === 'published'
        ? [{ entry: entryView(entry, body, body.revision), matched, word, chapterId }]
        : []
    })
    const key = next && [next.at, next.chapter, next.step, next.after && [...next.after]]
    return { value: { items, next: key && { generation: generation ?? '', key } }, position }
  },
})
