/** The routes between stories and the dictionary: the words of the one, the uses of the other. */
import type { TSchema } from 'typebox'
import { defined } from '../../../domain/defined.ts'
import type { Json } from '../../../domain/event.ts'
import type { entryStories } from '../../../queries/entry-stories.ts'
import type { storyWords } from '../../../queries/story-words.ts'
import type { Edge } from '../edge.ts'
import { entryExample, ofExample } from '../examples.ts'
import type { Documented, Route } from '../route.ts'
import { pageRoute } from '../route-query.ts'
import { EntryParams } from './entry-parameters.ts'
import { ofStoryExample, storyExample } from './story-answers.ts'
import { EntryStoriesQuery, StoryParams, StoryWordsQuery } from './story-parameters.ts'

export type WordQueries = {
  readonly storyWords: ReturnType<typeof storyWords>
  readonly entryStories: ReturnType<typeof entryStories>
}

const chapterId = '7a6b5c4d-3e2f-5a1b-9c8d-0e1f2a3b4c5d'
const pageOf = (description: string, schema: TSchema, item: { readonly [member: string]: Json }): Documented => ({
  description,
  schema,
  example: { items: [item], next: null },
  headers: ['Link', 'Sync-Token'],
})

export const storyWordRoutes = (queries: WordQueries, edge: Edge): readonly Route[] => [
  pageRoute(
    {
      tag: 'Stories',
      params: StoryParams,
      path: '/v1/stories/:id/words',
      summary: 'The words of a story that the dictionary has',
      description:
        'Entries that its published chapters use, by the languages of the story; common words are passed over.',
      rate: 'search',
      querystring: StoryWordsQuery,
      query: queries.storyWords,
      input: ({ id, query: { adult, chapter }, limit, after }) => ({
        id,
        adult: adult === true,
        limit,
        ...defined({ chapter, after }),
      }),
      request: { needs: 'an account', params: ofStoryExample },
      answers: {
        200: pageOf('Entries, chapter after chapter, each once.', queries.storyWords.output, {
          entry: entryExample('published', '2'),
          matched: 'form',
          word: 'cats',
          chapterId,
        }),
      },
      problems: ['story-not-found', 'adult-content', 'chapter-not-found'],
    },
    edge,
  ),
  pageRoute(
    {
      tag: 'Dictionary',
      params: EntryParams,
      path: '/v1/entries/:id/stories',
      summary: 'Stories that use an entry',
      description: 'Of those that you are shown in lists, in the order of their ids.',
      rate: 'search',
      querystring: EntryStoriesQuery,
      query: queries.entryStories,
      input: ({ id, limit, after }) => ({ id, limit, ...defined({ after }) }),
      request: { after: 'publish-entry', params: ofExample },
      answers: {
        200: pageOf('Stories, each once.', queries.entryStories.output, {
          story: storyExample,
          matched: 'key',
          chapterId,
        }),
      },
      problems: ['entry-not-found', 'entry-removed', 'entry-gone'],
    },
    edge,
  ),
]
