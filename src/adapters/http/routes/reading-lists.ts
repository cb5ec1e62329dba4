/** Reading lists. */
import Type from 'typebox'
import * as shelf from '../../../commands/shelf.ts'
import { defined } from '../../../domain/defined.ts'
import { UUID } from '../../../domain/forms.ts'
import { idOf } from '../../../domain/ids.ts'
import { MOST_LISTED, type ReadingList, readingListStream } from '../../../domain/shelf/reading-list.ts'
import {
  type getReadingList,
  headOf,
  type myReadingLists,
  ReadingListHeadSchema,
  ReadingListSchema,
  ReadingListsSchema,
} from '../../../queries/reading-lists.ts'
import type { Routes } from '../edge.ts'
import { etagOf } from '../etags.ts'
import { ownCommandRoute } from '../own-command.ts'
import type { EdgeRequest } from '../route.ts'
import { itemRoute, pageRoute } from '../route-query.ts'
import { reading } from './account-edge.ts'
import type { OwnerOf } from './shelf.ts'
import { exampleBrief, exampleStory, PageQuery, tag } from './shelf-schemas.ts'

const strict = { additionalProperties: false }
const ListParams = Type.Object({ id: Type.String({ pattern: UUID, description: 'The id of the list.' }) })
const title = Type.String({ description: 'A line of 255 characters at most.' })
const isPrivate = Type.Optional(Type.Boolean({ description: 'true at first: nobody else sees it.' }))
const NewList = Type.Object({ title, isPrivate }, { ...strict, $id: 'ReadingListBeginning' })
const ListEdit = Type.Object({ title: Type.Optional(title), isPrivate }, { ...strict, $id: 'ReadingListEdit' })
const ListOrder = Type.Object(
  { stories: Type.Array(Type.String({ pattern: UUID }), { maxItems: MOST_LISTED }) },
  { ...strict, $id: 'ReadingListOrder' },
)
const readNew = reading(NewList)
const readEdit = reading(ListEdit)
const readOrder = reading(ListOrder)

const list = '9b8a7c6d-5e4f-5a3b-8c2d-1e0f9a8b7c6d'
const at = '2026-01-05T10:00:00.000Z'
const head = {
  id: list,
  owner: '5d9c68c6-c50e-5d3d-a2a5-1b2c3d4e5f60',
  title: 'For the winter',
  isPrivate: true,
  createdAt: at,
  updatedAt: at,
  revision: '0',
}

export type ReadingListQueries = {
  readonly mine: ReturnType<typeof myReadingLists>
  readonly one: ReturnType<typeof getReadingList>
}

const listOf = ({ params }: EdgeRequest): string => params['id'] ?? ''
const own = { tag, permission: 'shelf:write' } as const

/** The list as it stands, without its stories. */
const answered = (id: string, state: ReadingList, { revision, mark }: { revision: string; mark: string }) => ({
  body: JSON.stringify({ ...headOf(id, state, revision), count: state.stories.length }),
  etag: etagOf(revision, mark, 'list'),
})

export const readingListRoutes =
  (deps: shelf.ShelfDeps, ownerOf: OwnerOf, { mine, one }: ReadingListQueries): Routes =>
  edge => {
    const revised = { transactor: deps.lists, stream: (request: EdgeRequest) => readingListStream(listOf(request)) }
    const changed = {
      200: {
        description: 'As it stands.',
        schema: ReadingListHeadSchema,
        headers: ['ETag'],
        example: { ...head, count: 1 },
      },
    }
    const shown = (id: string, state: ReadingList | undefined, at: { revision: unknown; mark: string }) =>
      state
        ? { status: 200, ...answered(id, state, { revision: String(at.revision), mark: at.mark }) }
        : { status: 204 }
    return [
      ownCommandRoute(
        {
          ...own,
          method: 'POST',
          path: '/v1/me/lists',
          name: 'begin-reading-list',
          summary: 'Begin a reading list',
          body: NewList,
          request: { needs: 'an account', body: { title: 'For the winter' } },
          answers: {
            201: {
              description: 'The list, with nothing in it.',
              schema: ReadingListHeadSchema,
              headers: ['ETag', 'Location'],
              example: { ...head, count: 0 },
            },
          },
          problems: ['text-invalid'],
          run: async (request, asking, envelope) => {
            const { title: named, isPrivate: hidden = true } = readNew(request.body)
            const given = { title: named, isPrivate: hidden }
            return shelf.beginReadingList(deps, ownerOf(asking), given, envelope)
          },
          answer: ({ state, stream, revision, mark }) => {
            const id = idOf(stream)
            return { ...shown(id, state, { revision, mark }), status: 201, headers: { location: `/v1/lists/${id}` } }
          },
        },
        edge,
      ),
      ownCommandRoute(
        {
          ...own,
          method: 'PATCH',
          path: '/v1/me/lists/:id',
          name: 'edit-reading-list',
          summary: 'Rename a reading list, hide it, or show it to others',
          params: ListParams,
          body: ListEdit,
          revised,
          request: { needs: 'an account', params: { id: list }, body: { isPrivate: false } },
          answers: changed,
          problems: ['reading-list-not-found', 'text-invalid'],
          run: async (request, asking, envelope) => {
            const change = { id: listOf(request), ...readEdit(request.body) }
            return shelf.editReadingList(deps, ownerOf(asking), change, envelope)
          },
          answer: ({ state, revision, mark }, request) => shown(listOf(request), state, { revision, mark }),
        },
        edge,
      ),
      ownCommandRoute(
        {
          ...own,
          method: 'PUT',
          path: '/v1/me/lists/:id/stories',
          name: 'order-reading-list',
          summary: 'Say which stories a reading list has, in which order',
          description:
            'All of them, each once, 500 at most. Those that stand in it may stay, also where you may no longer see them.',
          params: ListParams,
          body: ListOrder,
          revised,
          request: { needs: 'an account', params: { id: list }, body: { stories: [exampleStory] } },
          answers: changed,
          problems: ['reading-list-not-found', 'reading-list-invalid'],
          run: async (request, asking, envelope) => {
            const stories = readOrder(request.body).stories.map(story => story.toLowerCase())
            return shelf.orderReadingList(deps, ownerOf(asking), { id: listOf(request), stories }, envelope)
          },
          answer: ({ state, revision, mark }, request) => shown(listOf(request), state, { revision, mark }),
        },
        edge,
      ),
      ownCommandRoute(
        {
          ...own,
          method: 'DELETE',
          path: '/v1/me/lists/:id',
          name: 'delete-reading-list',
          summary: 'Delete a reading list',
          params: ListParams,
          request: { needs: 'an account', params: { id: list } },
          answers: { 204: { description: 'It is gone.' } },
          problems: ['reading-list-not-found'],
          run: async (request, asking, envelope) =>
            shelf.deleteReadingList(deps, ownerOf(asking), listOf(request), envelope),
          answer: () => ({ status: 204 }),
        },
        edge,
      ),
      pageRoute(
        {
          tag,
          path: '/v1/me/lists',
          summary: 'Your reading lists, the one changed last first',
          querystring: PageQuery,
          query: mine,
          input: ({ limit, after }) => ({ limit, ...defined({ after }) }),
          request: { needs: 'an account', query: { limit: '20' } },
          answers: {
            200: {
              description: 'A page.',
              schema: ReadingListsSchema,
              headers: ['Link'],
              example: { items: [{ ...head, count: 1 }], next: null },
            },
          },
          problems: ['not-an-account'],
        },
        edge,
      ),
      itemRoute(
        {
          tag,
          path: '/v1/lists/:id',
          summary: 'A reading list',
          description:
            'A private one is its owner’s alone. Its owner is told of stories that they may no longer see by their ids and `gone`; others find in it what they may see.',
          params: ListParams,
          querystring: Type.Object({}, strict),
          query: one,
          input: ({ id }) => ({ id }),
          request: { needs: 'an account', params: { id: list } },
          answers: {
            200: {
              description: 'The list.',
              schema: ReadingListSchema,
              example: { ...head, stories: [{ storyId: exampleStory, story: exampleBrief }] },
            },
          },
          problems: ['reading-list-not-found'],
        },
        edge,
      ),
    ]
  }
