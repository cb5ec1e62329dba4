/** Stories: every route that reads them, each with its query. */
import { defined } from '../../../domain/defined.ts'
import { NO_MARK } from '../../../domain/mark.ts'
import type { getStory, ownInvitations, ownStories } from '../../../queries/stories.ts'
import type { storyHistory } from '../../../queries/story-history.ts'
import type { listStories } from '../../../queries/story-lists.ts'
import type { listTags } from '../../../queries/tags.ts'
import type { Edge } from '../edge.ts'
import type { Route } from '../route.ts'
import { itemRoute, pageRoute } from '../route-query.ts'
import { languageOf, timeOf } from './entry-parameters.ts'
import * as answers from './story-answers.ts'
import * as p from './story-parameters.ts'

export type StoryQueries = {
  readonly getStory: ReturnType<typeof getStory>
  readonly listStories: ReturnType<typeof listStories>
  readonly ownStories: ReturnType<typeof ownStories>
  readonly ownInvitations: ReturnType<typeof ownInvitations>
  readonly storyHistory: ReturnType<typeof storyHistory>
  readonly listTags: ReturnType<typeof listTags>
}

const tag = 'Stories'
const unseen = ['story-not-found', 'adult-content'] as const
const ofExample = answers.ofStoryExample

export const storyQueryRoutes = (queries: StoryQueries, edge: Edge): readonly Route[] => {
  const tags = answers.openStoryTags(edge.version)
  return [
    itemRoute(
      {
        tag,
        params: p.StoryParams,
        path: '/v1/stories/:id',
        summary: 'One story',
        description: 'What it is called and of what it tells; its chapters have routes of their own.',
        querystring: p.GetStoryQuery,
        query: queries.getStory,
        input: ({ id, query: { adult } }) => ({ id, adult: adult === true }),
        etag: ({ value, mark = NO_MARK }) => tags.ofStory(value, mark),
        request: { needs: 'an account', params: ofExample },
        answers: { 200: answers.storyAnswer },
        problems: unseen,
      },
      edge,
    ),
    pageRoute(
      {
        tag,
        path: '/v1/stories',
        summary: 'List stories',
        querystring: p.ListStoriesQuery,
        query: queries.listStories,
        input: ({ query: { cursor: _c, fields: _f, language, updatedSince, ...filters }, limit, after }) => ({
          ...filters,
          ...defined({
            language: language && languageOf(language),
            updatedSince: updatedSince && timeOf('updatedSince', updatedSince).toISOString(),
            after,
          }),
          limit,
        }),
        request: { query: { language: 'en', limit: '2' } },
        answers: { 200: answers.storiesAnswer },
        problems: [],
      },
      edge,
    ),
    pageRoute(
      {
        tag,
        path: '/v1/me/stories',
        summary: 'Your stories',
        description: 'Drafts too, the last changed first.',
        querystring: p.OwnStoriesQuery,
        query: queries.ownStories,
        input: ({ limit, after }) => ({ limit, ...defined({ after }) }),
        request: { needs: 'an account' },
        answers: { 200: answers.ownStoriesAnswer },
        problems: ['not-an-account'],
      },
      edge,
    ),
    pageRoute(
      {
        tag,
        path: '/v1/me/invitations',
        summary: 'Stories that you are asked to write too',
        querystring: p.OwnInvitationsQuery,
        query: queries.ownInvitations,
        input: ({ limit, after }) => ({ limit, ...defined({ after }) }),
        request: { needs: 'an account' },
        answers: { 200: answers.invitationsAnswer },
        problems: ['not-an-account'],
      },
      edge,
    ),
    pageRoute(
      {
        tag,
        params: p.StoryParams,
        path: '/v1/stories/:id/history',
        summary: 'What happened to a story, newest first',
        description: 'To its authors all of it, to others what they could see as it happened.',
        querystring: p.StoryHistoryQuery,
        query: queries.storyHistory,
        input: ({ id, query: { adult }, limit, after }) => ({
          id,
          adult: adult === true,
          limit,
          ...defined({ after }),
        }),
        request: { needs: 'an account', params: ofExample },
        answers: { 200: answers.storyHistoryAnswer },
        problems: unseen,
      },
      edge,
    ),
    pageRoute(
      {
        tag,
        path: '/v1/tags',
        summary: 'Tags of stories',
        description:
          'With how many stories have them that everybody may see, the most used first; up to a minute behind.',
        querystring: p.ListTagsQuery,
        query: queries.listTags,
        input: ({ query: { language, q }, limit, after }) => ({
          limit,
          ...defined({ language: language && languageOf(language), startsWith: q, after }),
        }),
        request: { query: { language: 'en' } },
        answers: { 200: answers.tagsAnswer },
        problems: [],
      },
      edge,
    ),
  ]
}
