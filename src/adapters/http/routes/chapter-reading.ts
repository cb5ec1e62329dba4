/** Chapters: every route that reads them, each with its query. */
import { hash } from 'node:crypto'
import Type, { type TSchema } from 'typebox'
import { defined } from '../../../domain/defined.ts'
import { REVISION } from '../../../domain/forms.ts'
import { NO_MARK } from '../../../domain/mark.ts'
import {
  type chapterDifferences,
  type chapterHistory,
  DraftSchema,
  type getChapterRevision,
  type getDraft,
} from '../../../queries/chapter-history.ts'
import { ChapterSchema, type getChapter, type listChapters } from '../../../queries/chapters.ts'
import type { Edge } from '../edge.ts'
import { etagOf } from '../etags.ts'
import type { Route } from '../route.ts'
import { itemRoute, pageRoute } from '../route-query.ts'
import * as answers from './chapter-answers.ts'
import { StoryParams } from './story-parameters.ts'

export type ChapterQueries = {
  readonly listChapters: ReturnType<typeof listChapters>
  readonly getChapter: ReturnType<typeof getChapter>
  readonly getDraft: ReturnType<typeof getDraft>
  readonly chapterHistory: ReturnType<typeof chapterHistory>
  readonly getChapterRevision: ReturnType<typeof getChapterRevision>
  readonly chapterDifferences: ReturnType<typeof chapterDifferences>
}

const query = <P extends Record<string, TSchema>>(properties: P) =>
  Type.Object(properties, { additionalProperties: false, explode: false })
const adult = Type.Optional(Type.Boolean({ description: 'true: what is for adults is shown as well.' }))
const images = Type.Optional(
  Type.Boolean({ description: 'true: html has the images themselves, which are links otherwise.' }),
)
const fieldsOf = (schema: { readonly properties: object }) =>
  Type.Optional(
    Type.Array(Type.Enum(Object.keys(schema.properties)), {
      uniqueItems: true,
      description: 'Members to answer with, by commas or a parameter each.',
    }),
  )
const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 100, description: 'Items a page at most, 20 by default; go by `next`.' }),
)
const cursor = Type.Optional(Type.String({ description: '`next` of the page before.', minLength: 1, maxLength: 4096 }))
const revision = (description: string) => Type.String({ pattern: REVISION, description })
const none = query({})

const tag = 'Stories'
const unseen = ['story-not-found', 'adult-content', 'chapter-not-found', 'chapters-busy'] as const
const ofAuthors = ['story-not-found', 'chapter-not-found', 'conflict'] as const

/** What an entity tag says beside revision and mark: which form, in which release, and all that else is shown. */
export const chapterForm = (version: string, shown: unknown): string =>
  hash('sha256', JSON.stringify([version, ChapterSchema, DraftSchema, shown]), 'base64url').slice(0, 12)

export const chapterQueryRoutes = (queries: ChapterQueries, edge: Edge): readonly Route[] => [
  itemRoute(
    {
      tag,
      params: StoryParams,
      path: '/v1/stories/:id/chapters',
      summary: 'The table of contents of a story',
      description: 'Its published chapters; to its authors all of them, with what their drafts are.',
      querystring: query({ adult }),
      query: queries.listChapters,
      input: ({ id, query: { adult: wanted } }) => ({ id, adult: wanted === true }),
      request: { needs: 'an account', params: answers.ofStoryExample },
      answers: { 200: answers.chaptersAnswer },
      problems: ['story-not-found', 'adult-content'],
    },
    edge,
  ),
  itemRoute(
    {
      tag,
      params: answers.ChapterParams,
      path: '/v1/stories/:id/chapters/:chapterId',
      summary: 'One chapter, as readers have it',
      description:
        'Images are links in html, since loading one tells another host who reads; with images=true they are shown.',
      querystring: query({ adult, images, fields: fieldsOf(ChapterSchema) }),
      query: queries.getChapter,
      input: ({ id, query: given, request }) => ({
        id,
        chapterId: request.params['chapterId'] ?? '',
        adult: given.adult === true,
        images: given.images === true,
      }),
      etag: ({ value: { revision: at, previous, next, html }, mark = NO_MARK }) =>
        etagOf(at, mark, chapterForm(edge.version, [previous, next, html.length, html.includes('<img ')])),
      request: { needs: 'an account', params: answers.ofChapterExample },
      answers: { 200: answers.chapterAnswer },
      problems: unseen,
    },
    edge,
  ),
  itemRoute(
    {
      tag,
      params: answers.ChapterParams,
      path: '/v1/stories/:id/chapters/:chapterId/draft',
      summary: 'The draft of a chapter',
      description: 'For the authors of the story.',
      querystring: query({ fields: fieldsOf(DraftSchema) }),
      query: queries.getDraft,
      input: ({ id, request }) => ({ id, chapterId: request.params['chapterId'] ?? '' }),
      etag: ({ value: { text: _, ...shown }, mark = NO_MARK }) =>
        etagOf(shown.revision, mark, chapterForm(edge.version, shown)),
      request: { needs: 'an account', params: answers.ofChapterExample },
      answers: { 200: answers.draftAnswer },
      problems: ofAuthors,
    },
    edge,
  ),
  pageRoute(
    {
      tag,
      params: answers.ChapterParams,
      path: '/v1/stories/:id/chapters/:chapterId/history',
      summary: 'The history of a chapter, newest first',
      description: 'For the authors of the story: every draft that was saved, and what was published when.',
      querystring: query({ limit, cursor }),
      query: queries.chapterHistory,
      input: ({ id, request, limit: most, after }) => ({
        id,
        chapterId: request.params['chapterId'] ?? '',
        limit: most,
        ...defined({ after }),
      }),
      request: { needs: 'an account', params: answers.ofChapterExample },
      answers: { 200: answers.historyAnswer },
      problems: ofAuthors,
    },
    edge,
  ),
  itemRoute(
    {
      tag,
      params: answers.RevisionParams,
      path: '/v1/stories/:id/chapters/:chapterId/history/:revision',
      summary: 'What a chapter said at a revision',
      querystring: none,
      query: queries.getChapterRevision,
      input: ({ id, request: { params } }) => ({
        id,
        chapterId: params['chapterId'] ?? '',
        revision: Number(params['revision']),
      }),
      request: { needs: 'an account', params: { ...answers.ofChapterExample, revision: '1' } },
      answers: { 200: answers.revisionAnswer },
      problems: [...ofAuthors, 'chapter-revision-unknown'],
    },
    edge,
  ),
  itemRoute(
    {
      tag,
      params: answers.ChapterParams,
      path: '/v1/stories/:id/chapters/:chapterId/differences',
      summary: 'What differs between two revisions, word by word',
      description:
        'What is the same is cut to what stands beside a change. A passage with too many changes is shown as gone and come.',
      querystring: query({ from: revision('The revision before.'), to: revision('The revision after.') }),
      query: queries.chapterDifferences,
      input: ({ id, query: { from, to }, request }) => ({
        id,
        chapterId: request.params['chapterId'] ?? '',
        from: Number(from),
        to: Number(to),
      }),
      request: { needs: 'an account', params: answers.ofChapterExample, query: { from: '1', to: '2' } },
      answers: { 200: answers.differencesAnswer },
      problems: [...ofAuthors, 'chapter-revision-unknown'],
    },
    edge,
  ),
]
