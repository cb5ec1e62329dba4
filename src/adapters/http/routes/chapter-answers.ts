/** How commands and queries of chapters are answered, and how that is documented. */
import Type from 'typebox'
import type { Json, JsonObject } from '../../../domain/event.ts'
import { UUID } from '../../../domain/forms.ts'
import {
  ChapterDifferences,
  ChapterHistoryPage,
  ChapterMoment,
  ChapterRevisionSchema,
  DraftSchema,
} from '../../../queries/chapter-history.ts'
import { ChapterItem, ChapterSchema } from '../../../queries/chapters.ts'
import { NamesSchema } from '../names.ts'
import type { Documented } from '../route.ts'
import { StoryParams } from './story-parameters.ts'

export const ChapterParams = Type.Object({
  ...StoryParams.properties,
  chapterId: Type.String({ pattern: UUID, description: 'The id of the chapter.' }),
})
export const RevisionParams = Type.Object({
  ...ChapterParams.properties,
  revision: Type.String({ pattern: '^(0|[1-9][0-9]{0,14})$', description: 'The number of a revision.' }),
})

const storyId = '0b6c2a1e-9a54-5f0e-8d0c-4a2b6c8d0e1f'
const id = '5a1c9d3e-7b2f-5c4d-9e6a-0f1b2c3d4e5f'
const author = '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f'
export const ofStoryExample = { id: storyId }
export const ofChapterExample = { id: storyId, chapterId: id }

const named = { names: Type.Optional(NamesSchema) }
const revised = ['ETag', 'Sync-Token', 'Idempotent-Replayed'] as const

export const draftBodyExample: JsonObject = { title: 'The Storm', text: 'The sea was *calm* that morning.\n' }
const draftExample: JsonObject = {
  id,
  storyId,
  title: 'The Storm',
  words: 6,
  readingMinutes: 1,
  characters: 33,
  savedAt: '2026-11-24T17:30:00.000Z',
  savedBy: author,
  published: false,
  changed: true,
  revision: '1',
}
const NamedDraft = Type.Object({ ...DraftSchema.properties, ...named }, { $id: 'NamedDraft' })

export const changedDraft = (description: string): Documented => ({
  description,
  schema: NamedDraft,
  example: draftExample,
  headers: revised,
})
export const createdChapter: Documented = {
  ...changedDraft('The chapter, an empty draft.'),
  headers: ['Location', ...revised],
}
export const draftAnswer: Documented = {
  description: 'The draft.',
  schema: Type.Partial(NamedDraft, { $id: 'ShownDraft' }),
  example: { ...draftExample, text: 'The sea was *calm* that morning.\n' },
  headers: ['ETag', 'Sync-Token'],
}
export const deletedAnswer: Documented = {
  description: 'What is left of it.',
  schema: Type.Object(
    { id: Type.String(), removed: Type.Literal(true), revision: Type.String() },
    { $id: 'ChapterRemoved' },
  ),
  example: { id, removed: true, revision: '9' },
  headers: ['Sync-Token', 'Idempotent-Replayed'],
}

export const chaptersAnswer: Documented = {
  description: 'Every chapter that you may see, in the order of the story.',
  schema: Type.Object({ items: Type.Array(ChapterItem) }, { $id: 'TableOfContents' }),
  example: {
    items: [
      {
        id,
        title: 'The Storm',
        words: 6,
        readingMinutes: 1,
        publishedAt: '2026-11-24T18:00:00.000Z',
        editedAt: '2026-11-24T18:00:00.000Z',
      },
    ],
  },
  headers: ['Sync-Token'],
}
export const chapterAnswer: Documented = {
  description: 'The chapter.',
  schema: Type.Partial(ChapterSchema, { $id: 'ShownChapter' }),
  example: {
    id,
    storyId,
    title: 'The Storm',
    text: 'The sea was *calm* that morning.\n',
    html: '<p>The sea was <em>calm</em> that morning.</p>\n',
    words: 6,
    readingMinutes: 1,
    publishedAt: '2026-11-24T18:00:00.000Z',
    editedAt: '2026-11-24T18:00:00.000Z',
    previous: null,
    next: null,
    revision: '2',
  },
  headers: ['ETag', 'Sync-Token'],
}

const momentExample = { revision: '1', kind: 'saved', at: '2026-11-24T17:30:00.000Z', by: author, words: 6 }
const page = (item: Type.TSchema, example: Json, $id: string): Documented => ({
  description: 'A page.',
  schema: Type.Object({ items: Type.Array(item), next: ChapterHistoryPage.properties.next, ...named }, { $id }),
  example: { items: [example], next: null },
  headers: ['Link', 'Sync-Token'],
})
export const historyAnswer = page(ChapterMoment, momentExample, 'ChapterHistory')
export const revisionAnswer: Documented = {
  description: 'What the chapter said.',
  schema: Type.Object({ ...ChapterRevisionSchema.properties, ...named }, { $id: 'NamedChapterRevision' }),
  example: { ...momentExample, title: 'The Storm', text: 'The sea was *calm* that morning.\n' },
  headers: ['Sync-Token'],
}
export const differencesAnswer: Documented = {
  description:
    'Passages in their order: all but those that were added are the text before, all but those removed the text after.',
  schema: ChapterDifferences,
  example: {
    from: momentExample,
    to: { ...momentExample, revision: '2' },
    passages: [
      { kind: 'same', text: 'The sea was ' },
      { kind: 'removed', text: 'calm' },
      { kind: 'added', text: 'wild' },
    ],
  },
  headers: ['Sync-Token'],
}
