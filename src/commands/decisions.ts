/**
 * Taking decisions, and overturning them. What a decision is about are other streams: they are looked at first, and their revisions
 * recorded. What it does to them a subscriber does afterwards, once, also where a process ended in between.
 */
import type { Envelope, Result, Transactor } from '../core/write/transact.ts'
import { type AccountEvent, type AccountState, accountStream } from '../domain/account/account.ts'
import { staysAdministrator } from '../domain/account/standing.ts'
import { defined } from '../domain/defined.ts'
import { begunId } from '../domain/ids.ts'
import * as decide from '../domain/moderation/decision.ts'
import type { DecisionEvent } from '../domain/moderation/decision-events.ts'
import type { Measure } from '../domain/moderation/measures.ts'
import type { Statement } from '../domain/moderation/statement.ts'
import { type Moderated, type ModeratedWork, type ModeratedWorks, moderatedKey } from '../domain/moderation/target.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import type { Permission } from '../domain/roles.ts'

export type DecisionDeps = {
  readonly decisions: Pick<Transactor<decide.DecisionState, DecisionEvent>, 'load' | 'run'>
  readonly works: ModeratedWorks
  readonly accounts: Pick<Transactor<AccountState, AccountEvent>, 'load'>
}

/** Who decides: a moderator, with what they may, or a part of this service by its name. */
export type Decider =
  | { readonly account: string; readonly permissions: ReadonlySet<Permission> }
  | { readonly automation: string }

/** `case`: the key of the case that it ends. `facts`: in the words of who decides. */
export type NewDecision = {
  readonly case?: string
  readonly measures: readonly Measure[]
  readonly statement: Statement
  readonly facts: string
}

const distinct = (measures: readonly Measure[]): readonly Moderated[] => [
  ...new Map(measures.map(({ target }) => [moderatedKey(target), target])).values(),
]

/** As they stand; a refusal where one never was. */
const standing = async (works: ModeratedWorks, targets: readonly Moderated[]): Promise<ModeratedWork[] | Refusal> => {
  const found: ModeratedWork[] = []
  for (const target of targets) {
    const work = await works(target)
    if (!work) return refuse('moderated-not-found', `There is no ${target.kind} of the id ${target.id}.`)
    found.push(work)
  }
  return found
}

/** Why these measures are not for who decides to take; undefined where they are. Suspending needs what it needs without a decision. */
const beyond = (who: Decider, measures: readonly Measure[]): Refusal | undefined => {
  if ('automation' in who || who.permissions.has('accounts:manage')) return undefined
  return measures.some(({ measure }) => measure === 'suspend')
    ? refuse('permission-denied', 'An account is suspended by administrators.')
    : undefined
}

/** Who is an administrator for good, and not who decides, is taken that role from first: there, one of them has to stay. */
const administratorFault = async (
  { accounts }: Pick<DecisionDeps, 'accounts'>,
  measures: readonly Measure[],
  by: string,
): Promise<Refusal | undefined> => {
  for (const { measure, target } of measures) {
    if (measure !== 'suspend' || target.id === by) continue
    const { state } = await accounts.load(accountStream(target.id))
    if (staysAdministrator(state))
      return refuse('decision-invalid', 'The account is an administrator: take that role from it first.')
  }
  return undefined
}

/**
 * Takes the decision, whose id follows from the command. The actor of the envelope is who takes it.
 * Refuses with moderated-not-found, moderated-gone, own-case, decision-invalid, permission-denied, text-invalid.
 */
export const takeDecision = async (
  deps: DecisionDeps,
  who: Decider,
  { case: ends, measures, statement, facts }: NewDecision,
  envelope: Envelope,
): Promise<Result<decide.DecisionState>> => {
  const { decisions, works } = deps
  const denied = beyond(who, measures) ?? (await administratorFault(deps, measures, envelope.actor.id))
  if (denied) return denied
  const id = begunId('decision', envelope.commandId)
  const stream = decide.decisionStream(id)
  // Repeated it is answered as at first, whatever became of what it was about.
  const known = (await decisions.load(stream)).state
  const found = known ? [] : await standing(works, distinct(measures))
  if (isRefusal(found)) return found
  const taking = { measures, statement, facts, isAutomated: 'automation' in who, ...defined({ case: ends }) }
  return decisions.run(stream, decide.takeDecision(taking, found, envelope.actor.id), envelope)
}

export type Overturning = {
  readonly id: string
  readonly reason: string
  readonly through: decide.Overturned['through']
}

/** Ends what it does, and nothing that another decision does. Repeated it changes nothing. */
export const overturnDecision = (
  { decisions }: Pick<DecisionDeps, 'decisions'>,
  { id, reason, through }: Overturning,
  envelope: Envelope,
): Promise<Result<decide.DecisionState>> =>
  decisions.run(decide.decisionStream(id), decide.overturnDecision(reason, through, envelope.actor.id), envelope)
