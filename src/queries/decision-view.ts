/** A decision as its reader may see it: moderators all of it, whoever it affects what is about them. */
import Type, { type Static } from 'typebox'
import type { Transactor } from '../core/write/transact.ts'
import { defined } from '../domain/defined.ts'
import { type Appeal, type AppealState, appealStream, appealUntil } from '../domain/moderation/appeal.ts'
import { type AppealEvent, appealOutcomes } from '../domain/moderation/appeal-events.ts'
import { type Decision, type DecisionState, decisionStream } from '../domain/moderation/decision.ts'
import { type DecisionEvent, overturnedBy } from '../domain/moderation/decision-events.ts'
import { MeasureSchema } from '../domain/moderation/measures.ts'
import { StatementSchema } from '../domain/moderation/statement.ts'
import { type Given, type StatementEvent, statementStream } from '../domain/moderation/statement-given.ts'
import { ModeratedSchema, moderatedKey } from '../domain/moderation/target.ts'

const text = Type.String()
const time = Type.String({ format: 'date-time' })

const reasonless = 'Absent where nobody is left who appealed.'
export const AppealSchema = Type.Object(
  {
    filedAt: time,
    state: Type.Enum(['open', ...appealOutcomes, 'closed']),
    messages: Type.Array(
      Type.Object({ from: Type.Enum(['author', 'moderator']), at: time, text: Type.Optional(text) }),
      { description: 'What was filed first, then the dialogue.' },
    ),
    decidedAt: Type.Optional(time),
    reason: Type.Optional(Type.String({ description: `Why it was decided so. ${reasonless}` })),
    accountId: Type.Optional(Type.String({ description: 'Who appeals: for moderators.' })),
    decidedBy: Type.Optional(Type.String({ description: 'For moderators.' })),
  },
  { $id: 'Appeal' },
)
export type AppealView = Static<typeof AppealSchema>

/** What moderators alone are shown stands last. */
export const DecisionSchema = Type.Object(
  {
    id: text,
    state: Type.Enum(['standing', 'overturned']),
    at: time,
    automated: Type.Boolean({ description: 'No person took it.' }),
    about: Type.Array(
      Type.Object({
        target: ModeratedSchema,
        text: Type.Optional(Type.String({ description: 'What it said when it was decided about.' })),
      }),
    ),
    measures: Type.Array(MeasureSchema),
    statement: StatementSchema,
    facts: Type.Optional(Type.String({ description: 'In the words of who decided.' })),
    overturned: Type.Optional(
      Type.Object({ at: time, through: Type.Enum([...overturnedBy]), reason: Type.Optional(text) }),
    ),
    appealUntil: Type.Optional(Type.String({ format: 'date-time', description: 'Until when you may appeal.' })),
    appeal: Type.Optional(AppealSchema),
    by: Type.Optional(text),
    case: Type.Optional(text),
  },
  { $id: 'Decision' },
)
export type DecisionView = Static<typeof DecisionSchema>

export type DecisionStreams = {
  readonly decisions: Pick<Transactor<DecisionState, DecisionEvent>, 'load'>
  readonly appeals: Pick<Transactor<AppealState, AppealEvent>, 'load'>
  readonly statements: Pick<Transactor<Given, StatementEvent>, 'load'>
}

/** `isModerator`: is told who appeals, and who decided. */
export const appealView = (appeal: Appeal, isModerator: boolean): AppealView => {
  const { filedAt, messages, outcome, isClosed, accountId } = appeal
  return {
    filedAt,
    state: outcome?.outcome ?? (isClosed ? 'closed' : 'open'),
    messages: messages.map(message => ({ ...message })),
    ...defined({ decidedAt: outcome?.at, reason: outcome?.reason }),
    ...(isModerator ? { accountId, ...defined({ decidedBy: outcome?.by }) } : {}),
  }
}

/** `account`: the one that asks about what is its own; absent: a moderator, who sees all. */
const viewOf = (id: string, decision: Decision, account?: string): DecisionView => {
  const { about, texts, measures, statement, facts, overturned } = decision
  const seen = about.flatMap(({ target, authors }, index) =>
    account === undefined || authors.includes(account)
      ? [{ target: { ...target }, ...defined({ text: texts?.[index] }) }]
      : [],
  )
  const keys = new Set(seen.map(({ target }) => moderatedKey(target)))
  return {
    id,
    state: overturned ? 'overturned' : 'standing',
    at: decision.at,
    automated: decision.isAutomated,
    about: seen,
    measures: measures.filter(({ target }) => keys.has(moderatedKey(target))),
    statement,
    ...defined({
      facts,
      overturned: overturned && {
        at: overturned.at,
        through: overturned.through,
        ...defined({ reason: overturned.reason }),
      },
    }),
  }
}

/** As moderators see it; undefined: there is none. */
export const decisionForModerators = async (
  { decisions, appeals }: DecisionStreams,
  id: string,
): Promise<DecisionView | undefined> => {
  const { state: decision } = await decisions.load(decisionStream(id))
  if (!decision) return undefined
  const { state: appeal } = await appeals.load(appealStream(id))
  const { by, case: ends } = decision
  return { ...viewOf(id, decision), by, ...defined({ appeal: appeal && appealView(appeal, true), case: ends }) }
}

/** As somebody sees it whom it affects; undefined: it affects nothing of theirs. */
export const decisionForAuthor = async (
  { decisions, appeals, statements }: DecisionStreams,
  id: string,
  account: string,
): Promise<DecisionView | undefined> => {
  const { state: decision } = await decisions.load(decisionStream(id))
  if (!decision?.about.some(({ authors }) => authors.includes(account))) return undefined
  const { state: appeal } = await appeals.load(appealStream(id))
  const { givenAt = decision.at } = (await statements.load(statementStream(id, account))).state
  // Another author's appeal is theirs: that there is one is told.
  const own = appeal && (appeal.accountId === account ? appeal : { ...appeal, messages: [] })
  return {
    ...viewOf(id, decision, account),
    appealUntil: appealUntil(givenAt),
    ...defined({ appeal: own && appealView(own, false) }),
  }
}
