/** Addresses, networks and accounts that are not served: what administrators see and do. */
import Type from 'typebox'
import type { Blocked, Blocker, BlockOrder } from '../../../commands/blocks.ts'
import type { Page } from '../../../core/query/define.ts'
import { type Block, blockKinds } from '../../../domain/access/block.ts'
import { defined } from '../../../domain/defined.ts'
import type { Json } from '../../../domain/event.ts'
import type { Refusal } from '../../../domain/refusal.ts'
import { ProblemError, problemFrom } from '../problems.ts'
import type { Answer, EdgeRequest, Route } from '../route.ts'
import { cursorOf, cursorScope, DEFAULT_LIMIT, linksOf, type QueryDeps } from '../route-query.ts'
import { done, doneAnswer, nothing, reading, strict, text } from './account-edge.ts'
import { timeOf } from './administration.ts'

/** What the routes need; src/app/blocks.ts has it. */
export type BlocksPort = {
  add(order: BlockOrder, by: Blocker): Promise<Blocked | Refusal>
  remove(id: string, by: Blocker): Promise<Blocked | Refusal>
  /** As far as this node has heard; once it is recorded who sees it. */
  find(id: string, by: Blocker): Promise<Block | Refusal>
  page(after: bigint | undefined, limit: number, by: Blocker): Promise<BlockPage | Refusal>
  /** What `page` and `find` reflect. */
  position(): bigint
  /** Have they come so far, two seconds from now at the latest? */
  reached(position: bigint): Promise<boolean>
}

export type BlockPage = { readonly blocks: readonly Block[]; readonly next?: bigint }

const id = '018f2c5a-7b1e-8cc2-8f43-0a1b2c3d4e5f'
const time = Type.String({ format: 'date-time' })
const BlockSchema = Type.Object(
  {
    id: Type.String(),
    kind: Type.Enum([...blockKinds]),
    target: Type.String(),
    reason: Type.String(),
    expiresAt: Type.Optional(time),
    createdAt: time,
    by: Type.String(),
  },
  { $id: 'Block' },
)
const BlockBody = Type.Object(
  {
    target: Type.String({
      minLength: 1,
      maxLength: 100,
      description: 'An address, a network (CIDR), or the id of an account.',
    }),
    reason: Type.String({ minLength: 1, maxLength: 500 }),
    expiresAt: Type.Optional(Type.String({ description: 'RFC 3339; absent: until it is taken away.' })),
  },
  { ...strict, $id: 'NewBlock' },
)
const BlockParams = Type.Object({ id: Type.String() }, strict)
const BlocksQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Items a page, 20 by default.' })),
    cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: '`next` of the page before.' })),
  },
  strict,
)

const shown = ({ id: named, kind, target = '', reason = '', expiresAt, at, by }: Block) => ({
  id: named,
  kind,
  target,
  reason,
  ...defined({ expiresAt }),
  createdAt: at,
  by,
})
const example: Json = {
  id,
  kind: 'network',
  target: '203.0.113.0/24',
  reason: 'Floods the search.',
  expiresAt: '2026-11-30T00:00:00.000Z',
  createdAt: '2026-11-23T10:00:00.000Z',
  by: '6fa1c0f2-58b7-4d5e-9f1a-8f0c1d2e3a4b',
}
const answer = { description: 'The block.', schema: BlockSchema, example }

const blockerOf = ({ id: correlationId, address, requester: { actor } }: EdgeRequest): Blocker => {
  if (actor) return { actor, address: address(), correlationId }
  throw new ProblemError('unauthenticated', 'This needs an access token.')
}

const base = { tag: 'Administration', permission: 'blocks:manage' } as const
const name = 'list-blocks'
const GENERATION = 'log'
/** Where it cannot be noted who sees it, nothing is shown. */
const unrecorded = ['store-unavailable', 'busy', 'conflict', 'outcome-unknown'] as const

const limitOf = (query: unknown): number => {
  const { limit }: { limit?: unknown } = Object(query)
  return typeof limit === 'number' ? limit : DEFAULT_LIMIT
}

export const blockRoutes = (
  port: BlocksPort,
  { cursors, publicUrl }: Pick<QueryDeps, 'cursors' | 'publicUrl'>,
): readonly Route[] => {
  const read = reading(BlockBody)
  const caughtUp = async ({ after }: EdgeRequest): Promise<void> => {
    if (after !== undefined && !(await port.reached(after)))
      throw new ProblemError('projection-behind', 'The blocks are not known up to the Sync-Token.')
  }
  const list = async (request: EdgeRequest): Promise<Answer> => {
    const key = (await cursorOf(request, name, cursors))?.key
    await caughtUp(request)
    const position = port.position()
    const after = typeof key === 'string' ? BigInt(key) : undefined
    const found = await port.page(after, limitOf(request.query), blockerOf(request))
    if ('refused' in found) throw problemFrom(found)
    const { blocks, next } = found
    const further =
      next === undefined
        ? null
        : await cursors.of(cursorScope(request, name), { generation: GENERATION, key: String(next) }, position)
    const page: Omit<Page<unknown>, 'next'> = { items: blocks.map(shown) }
    return {
      status: 200,
      body: JSON.stringify({ ...page, next: further }),
      position,
      headers: { link: linksOf(request, further, { publicUrl }) },
    }
  }
  return [
    {
      ...base,
      method: 'GET',
      path: '/v1/blocks',
      name,
      rate: 'reads',
      summary: 'What is blocked',
      description:
        'In force now, newest first. That they were seen is in the log as BlocksRead, before they are shown.',
      querystring: BlocksQuery,
      request: { query: { limit: '20' } },
      answers: {
        200: {
          description: 'A page.',
          schema: Type.Object(
            { items: Type.Array(BlockSchema), next: Type.Union([Type.String(), Type.Null()]) },
            { $id: 'BlockPage' },
          ),
          example: { items: [example], next: null },
          headers: ['Link', 'Sync-Token'],
        },
      },
      problems: ['cursor-invalid', 'projection-behind', ...unrecorded],
      handle: list,
    },
    {
      ...base,
      method: 'POST',
      path: '/v1/blocks',
      name: 'add-block',
      rate: 'writes',
      summary: 'Block an address, a network or an account',
      description:
        'In force on every node within a second; live sockets and streams end. An IPv6 address alone stands for its /64. What is blocked already is blocked as said here from now on.',
      querystring: nothing,
      body: BlockBody,
      request: { body: { target: '203.0.113.0/24', reason: 'Floods the search.', expiresAt: '2126-11-30T00:00:00Z' } },
      answers: { 201: { ...answer, headers: ['Location', 'Sync-Token'] } },
      problems: [
        'block-target-invalid',
        'block-too-wide',
        'block-past',
        'block-protected',
        'block-not-found',
        'account-not-found',
        'reason-required',
        'store-unavailable',
        'busy',
        'conflict',
        'outcome-unknown',
        ...text,
      ],
      handle: async request => {
        const { expiresAt, ...order } = read(request.body)
        const ends = expiresAt === undefined ? {} : { expiresAt: timeOf(expiresAt) }
        const added = await port.add({ ...order, ...ends }, blockerOf(request))
        if ('refused' in added) throw problemFrom(added)
        const { block, position } = added
        const headers = { location: `/v1/blocks/${block.id}` }
        return { status: 201, body: JSON.stringify(shown(block)), position, headers }
      },
    },
    {
      ...base,
      method: 'GET',
      path: '/v1/blocks/:id',
      name: 'get-block',
      rate: 'reads',
      summary: 'One block',
      description: 'That it was seen is in the log as BlocksRead, before it is shown.',
      params: BlockParams,
      querystring: nothing,
      request: { needs: 'an id that is keyed', params: { id } },
      answers: { 200: answer },
      problems: ['block-not-found', 'projection-behind', ...unrecorded],
      handle: async request => {
        await caughtUp(request)
        const found = await port.find(request.params['id'] ?? '', blockerOf(request))
        if ('refused' in found) throw problemFrom(found)
        return { status: 200, body: JSON.stringify(shown(found)), position: port.position() }
      },
    },
    {
      ...base,
      method: 'DELETE',
      path: '/v1/blocks/:id',
      name: 'remove-block',
      rate: 'writes',
      summary: 'Take a block away',
      params: BlockParams,
      querystring: nothing,
      request: { needs: 'an id that is keyed', params: { id } },
      answers: doneAnswer,
      problems: ['block-not-found', 'block-target-invalid', 'store-unavailable', 'busy', 'conflict', 'outcome-unknown'],
      handle: async request => {
        const removed = await port.remove(request.params['id'] ?? '', blockerOf(request))
        if ('refused' in removed) throw problemFrom(removed)
        return { ...done, position: removed.position }
      },
    },
  ]
}
