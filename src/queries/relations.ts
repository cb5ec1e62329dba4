/** Whom one has blocked, and whom one has muted, newest first. */
import Type from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Cursor, Page, Query } from '../core/query/define.ts'
import type { RelationKind } from '../domain/relation/relations.ts'
import { type RelationDocument, relationsProjection } from '../projections/relations.ts'
import { accountOf, keyOf, nextOf } from './keyset-pages.ts'

const text = Type.String()
export const RelationSchema = Type.Object(
  { accountId: text, since: Type.String({ format: 'date-time' }) },
  { $id: 'RelationToPerson' },
)
export const RelationsSchema = Type.Object(
  {
    items: Type.Array(RelationSchema),
    next: Type.Union([text, Type.Null()]),
    names: Type.Optional(Type.Record(text, text)),
  },
  { $id: 'RelationsToPeople' },
)
export type RelationItem = { readonly accountId: string; readonly since: string }

const lists = {
  blocked: { name: 'own-blocks', owner: 'blocker', since: 'blockedAt' },
  muted: { name: 'own-mutes', owner: 'muter', since: 'mutedAt' },
} as const

export const ownRelations = (
  kind: RelationKind,
  relations: View<RelationDocument>,
): Query<{ readonly limit: number; readonly after?: Cursor }, Page<RelationItem>> => {
  const { name, owner, since } = lists[kind]
  return {
    name,
    permission: 'account:read',
    output: RelationsSchema,
    reads: [relationsProjection],
    closed: ['limit'],
    people: shown =>
      typeof shown === 'object' && shown !== null && 'accountId' in shown ? [String(shown.accountId)] : [],
    run: async ({ limit, after }, reader) => {
      const account = accountOf(reader)
      if (typeof account !== 'string') return account
      const where = [{ member: owner, op: 'eq' as const, value: account }]
      const page = await relations.find(
        { where, order: [since], backwards: true, limit, ...keyOf(after) },
        after?.generation,
      )
      const items = page.documents.map(({ body }) => ({ accountId: body.other, since: body[since] ?? '' }))
      return { value: { items, next: nextOf(page) }, position: page.position }
    },
  }
}
