/** Appealing against decisions: filing, the dialogue, and what comes of it. */
import type { Envelope, Result, Transactor } from '../core/write/transact.ts'
import { defined } from '../domain/defined.ts'
import * as decide from '../domain/moderation/appeal.ts'
import type { AppealEvent } from '../domain/moderation/appeal-events.ts'
import { affectedBy, type DecisionState, decisionNotFound, decisionStream } from '../domain/moderation/decision.ts'
import type { DecisionEvent } from '../domain/moderation/decision-events.ts'
import { type Given, type StatementEvent, statementStream } from '../domain/moderation/statement-given.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'

export type AppealDeps = {
  readonly appeals: Pick<Transactor<decide.AppealState, AppealEvent>, 'load' | 'run'>
  readonly decisions: Pick<Transactor<DecisionState, DecisionEvent>, 'load'>
  readonly statements: Pick<Transactor<Given, StatementEvent>, 'load'>
}

type Done = Promise<Result<decide.AppealState>>
/** `id`: of the decision, and of the appeal. */
export type Said = { readonly id: string; readonly message: string }

const against = async (
  { decisions, statements }: AppealDeps,
  id: string,
  account?: string,
): Promise<decide.Against | Refusal> => {
  const { state: decision } = await decisions.load(decisionStream(id))
  if (!decision) return decisionNotFound()
  const given = account === undefined ? undefined : (await statements.load(statementStream(id, account))).state
  return { id, decision, ...defined({ givenAt: given?.givenAt }) }
}

/** By whom it affects, once, within six months from when they were told. */
export const fileAppeal = async (deps: AppealDeps, { id, message }: Said, envelope: Envelope): Done => {
  const { id: account } = envelope.actor
  const found = await against(deps, id, account)
  if (isRefusal(found)) return found
  const file = decide.fileAppeal(found, message, { id: account, now: envelope.at })
  return deps.appeals.run(decide.appealStream(id), file, envelope)
}

/** By who filed it. To those whom the decision does not affect there is none. */
export const answerInAppeal = async (deps: AppealDeps, { id, message }: Said, envelope: Envelope): Done => {
  const { id: account } = envelope.actor
  const found = await against(deps, id)
  if (isRefusal(found)) return found
  if (!affectedBy(found.decision).includes(account)) return decisionNotFound()
  return deps.appeals.run(decide.appealStream(id), decide.answerInAppeal(id, message, account), envelope)
}

/** By a moderator who may decide it. */
export const askInAppeal = async (deps: AppealDeps, { id, message }: Said, envelope: Envelope): Done => {
  const found = await against(deps, id)
  if (isRefusal(found)) return found
  return deps.appeals.run(decide.appealStream(id), decide.askInAppeal(found, message, envelope.actor.id), envelope)
}

/** By another moderator than who took the decision. An overturned decision is overturned afterwards, by a subscriber. */
export const decideAppeal = async (
  deps: AppealDeps,
  { id, ...given }: Said & { readonly outcome: decide.Outcome },
  envelope: Envelope,
): Done => {
  const found = await against(deps, id)
  if (isRefusal(found)) return found
  return deps.appeals.run(decide.appealStream(id), decide.decideAppeal(found, given, envelope.actor.id), envelope)
}
