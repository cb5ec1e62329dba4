/** Decisions of moderators, and appeals against them: for moderators, and for whom they affect. */
import Type, { type Static } from 'typebox'
import type { Log } from '../core/log/log.ts'
import type { View } from '../core/project/view.ts'
import type { Page, Query } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import { decisionNotFound } from '../domain/moderation/decision.ts'
import { type AppealDocument, appealStates, appealsProjection } from '../projections/appeals.ts'
import { type DecisionDocument, decisionsProjection } from '../projections/decisions.ts'
import {
  DecisionSchema,
  type DecisionStreams,
  type DecisionView,
  decisionForAuthor,
  decisionForModerators,
} from './decision-view.ts'
import { accountOf, keyOf, nextOf, type PageInput, pageOf } from './keyset-pages.ts'

export type DecisionReads = DecisionStreams & {
  readonly documents: View<DecisionDocument>
  readonly openAppeals: View<AppealDocument>
  readonly log: Pick<Log, 'head'>
}

const text = Type.String()
const time = Type.String({ format: 'date-time' })

/** A decision of a list, without what people wrote. */
export const DecisionItemSchema = Type.Object(
  {
    id: text,
    state: DecisionSchema.properties.state,
    at: time,
    automated: Type.Boolean(),
    measures: DecisionSchema.properties.measures,
    statement: DecisionSchema.properties.statement,
    by: text,
    case: Type.Optional(text),
  },
  { $id: 'DecisionItem' },
)
export type DecisionItem = Static<typeof DecisionItemSchema>
export const DecisionsSchema = pageOf(DecisionItemSchema, 'Decisions')
export const OwnDecisionsSchema = pageOf(DecisionSchema, 'OwnDecisions')

export const AppealItemSchema = Type.Object(
  {
    decision: text,
    state: Type.Enum([...appealStates]),
    accountId: text,
    filedAt: time,
    messages: Type.Integer({ minimum: 1 }),
    endedAt: Type.Optional(time),
  },
  { $id: 'AppealItem' },
)
export type AppealItem = Static<typeof AppealItemSchema>
export const AppealsSchema = pageOf(AppealItemSchema, 'Appeals')

type DecisionsInput = PageInput & { readonly state: DecisionDocument['state'] }

/** Newest first. */
export const listDecisions = ({ documents }: DecisionReads): Query<DecisionsInput, Page<DecisionItem>> => ({
  name: 'list-decisions',
  permission: 'decisions:read',
  output: DecisionsSchema,
  reads: [decisionsProjection],
  closed: ['state', 'limit'],
  run: async ({ state, limit, after }) => {
    const where = [{ member: 'state', op: 'eq' as const, value: state }]
    const page = await documents.find(
      { where, order: ['at'], backwards: true, limit, ...keyOf(after) },
      after?.generation,
    )
    const items = page.documents.map(({ id, body }): DecisionItem => {
      const { isAutomated: automated, measures, statement, by, at, case: ends } = body
      return {
        id,
        state: body.state,
        at,
        automated,
        measures: [...measures],
        statement,
        by,
        ...defined({ case: ends }),
      }
    })
    return { value: { items, next: nextOf(page) }, position: page.position }
  },
})

/** With what it was about, and the appeal against it. */
export const getDecision = (reads: DecisionReads): Query<{ readonly id: string }, DecisionView> => ({
  name: 'get-decision',
  permission: 'decisions:read',
  output: DecisionSchema,
  reads: [],
  closed: [],
  run: async ({ id }) => {
    const position = await reads.log.head()
    const value = await decisionForModerators(reads, id)
    return value ? { value, position } : decisionNotFound()
  },
})

/** Those about what is one's own, newest first. */
export const ownDecisions = (reads: DecisionReads): Query<PageInput, Page<DecisionView>> => ({
  name: 'own-decisions',
  permission: 'appeals:file',
  output: OwnDecisionsSchema,
  reads: [decisionsProjection],
  closed: ['limit'],
  run: async ({ limit, after }, reader) => {
    const account = accountOf(reader)
    if (typeof account !== 'string') return account
    const where = [{ member: 'affected', op: 'any' as const, value: [account] }]
    const page = await reads.documents.find(
      { where, order: ['at'], backwards: true, limit, ...keyOf(after) },
      after?.generation,
    )
    const found = await Promise.all(page.documents.map(({ id }) => decisionForAuthor(reads, id, account)))
    return { value: { items: found.flatMap(each => each ?? []), next: nextOf(page) }, position: page.position }
  },
})

export const ownDecision = (reads: DecisionReads): Query<{ readonly id: string }, DecisionView> => ({
  name: 'own-decision',
  permission: 'appeals:file',
  output: DecisionSchema,
  reads: [],
  closed: [],
  run: async ({ id }, reader) => {
    const account = accountOf(reader)
    if (typeof account !== 'string') return account
    const position = await reads.log.head()
    const value = await decisionForAuthor(reads, id, account)
    return value ? { value, position } : decisionNotFound()
  },
})

type AppealsInput = PageInput & { readonly state: AppealDocument['state'] }

/** Those that have waited longest first. */
export const listAppeals = ({ openAppeals }: DecisionReads): Query<AppealsInput, Page<AppealItem>> => ({
  name: 'list-appeals',
  permission: 'decisions:read',
  output: AppealsSchema,
  reads: [appealsProjection],
  closed: ['state', 'limit'],
  run: async ({ state, limit, after }) => {
    const where = [{ member: 'state', op: 'eq' as const, value: state }]
    const page = await openAppeals.find({ where, order: ['filedAt'], limit, ...keyOf(after) }, after?.generation)
    const items = page.documents.map(({ id, body }) => ({ decision: id, ...body }))
    return { value: { items, next: nextOf(page) }, position: page.position }
  },
})
