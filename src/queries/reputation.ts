/** What somebody's word weighs in each language, and what it comes from. */
import Type, { type Static } from 'typebox'
import type { View } from '../core/project/view.ts'
import type { Page, Query } from '../core/query/define.ts'
import { reputationGrounds, weightOf } from '../domain/proposal/reputation.ts'
import {
  type GainDocument,
  pointsOf,
  type ReputationDocument,
  reputationGainsProjection,
  reputationProjection,
} from '../projections/reputation.ts'
import { accountOf, keyOf, nextOf, type PageInput } from './keyset-pages.ts'

const text = Type.String()
const count = Type.Integer({ minimum: 0 })

export const ReputationSchema = Type.Object(
  {
    accountId: text,
    languages: Type.Array(
      Type.Object({
        language: text,
        points: Type.Integer(),
        weight: Type.Number({ minimum: 0, description: 'What a review of theirs counts for.' }),
        merged: count,
        rejected: count,
        reverted: count,
        agreed: count,
      }),
      { description: 'Those in which there was anything; in all others nothing is against them, and they weigh 0.5.' },
    ),
  },
  { $id: 'Reputation' },
)
export type ReputationView = Static<typeof ReputationSchema>

const GainSchema = Type.Object(
  {
    language: text,
    ground: Type.Enum([...reputationGrounds]),
    points: Type.Integer(),
    proposalId: text,
    entryId: text,
    at: Type.String({ format: 'date-time' }),
  },
  { $id: 'ReputationGain' },
)
export type GainView = Static<typeof GainSchema>
export const GainsSchema = Type.Object(
  { items: Type.Array(GainSchema), next: Type.Union([text, Type.Null()]) },
  { $id: 'ReputationGains' },
)

/** `account`: whose; absent: the reader's own. */
type Whose = { readonly account?: string }
type Kind = { readonly name: string; readonly permission: 'account:read' | 'proposals:read' }

export const reputation = (
  view: View<ReputationDocument>,
  { name, permission }: Kind,
): Query<Whose, ReputationView> => ({
  name,
  permission,
  output: ReputationSchema,
  reads: [reputationProjection],
  run: async ({ account }, reader) => {
    const accountId = account ?? accountOf(reader)
    if (typeof accountId !== 'string') return accountId
    const position = view.position()
    const found = (await view.get([accountId])).get(accountId)
    const languages = Object.entries(found?.body.languages ?? {}).map(([language, counts]) => {
      const points = pointsOf(counts)
      return { language, points, weight: weightOf(points), ...counts }
    })
    return { value: { accountId, languages }, position }
  },
})

/** Newest first. */
export const reputationGains = (
  view: View<GainDocument>,
  { name, permission }: Kind,
): Query<Whose & PageInput, Page<GainView>> => ({
  name,
  permission,
  output: GainsSchema,
  reads: [reputationGainsProjection],
  closed: ['limit'],
  run: async ({ account, limit, after }, reader) => {
    const accountId = account ?? accountOf(reader)
    if (typeof accountId !== 'string') return accountId
    const position = view.position()
    const where = [{ member: 'account', op: 'eq' as const, value: accountId }]
    const page = await view.find({ where, order: ['at'], backwards: true, limit, ...keyOf(after) }, after?.generation)
    const items = page.documents.map(({ body: { account: _, proposal, entry, ...gain } }) => ({
      ...gain,
      proposalId: proposal,
      entryId: entry,
    }))
    return { value: { items, next: nextOf(page) }, position }
  },
})
