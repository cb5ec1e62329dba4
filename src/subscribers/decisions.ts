/**
 * Carries out what moderators decide: what a decision does is done to each thing that it names, and to an overturned one only what it did
 * itself ends. Each is decided on the stream as it stands, by the id of the decision, so that repeating it, or going on where a process
 * ended, is harmless. Whoever is affected is told of both.
 */
import { type Subscriber, subscriber } from '../core/subscribe/define.ts'
import type { Envelope, Result, Transactor } from '../core/write/transact.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import { actorId, stepId } from '../domain/ids.ts'
import {
  affectedBy,
  type Decision,
  type DecisionState,
  decisionCategory,
  decisionIdOf,
} from '../domain/moderation/decision.ts'
import { type DecisionEvent, DecisionOverturned, DecisionTaken } from '../domain/moderation/decision-events.ts'
import type { Measure } from '../domain/moderation/measures.ts'
import {
  type Given,
  giveStatement,
  type StatementEvent,
  statementStream,
  withdrawStatement,
} from '../domain/moderation/statement-given.ts'
import { moderatedKey } from '../domain/moderation/target.ts'
import { OwnError } from '../domain/own-error.ts'
import { isRefusal, type RefusalCode } from '../domain/refusal.ts'
import type { Clock } from '../ports/clock.ts'

/** A decision as it is carried out; `isOver`: what it did ends. */
export type Carrying = { readonly id: string; readonly decision: Decision; readonly isOver: boolean }
/** Does, or ends, what a measure says. */
export type CarryOut = (measure: Measure, carrying: Carrying, envelope: Envelope) => Promise<Result<unknown>>

export type DecisionSubscriberDeps = {
  readonly decisions: Pick<Transactor<DecisionState, DecisionEvent>, 'load'>
  readonly statements: Pick<Transactor<Given, StatementEvent>, 'run'>
  readonly carryOut: CarryOut
  readonly clock: Pick<Clock, 'now'>
}

const actor = { kind: 'system', id: actorId('system', 'decisions') } as const

/** What went meanwhile leaves nothing to be done. */
const gone: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'comment-gone',
  'comment-not-found',
  'story-not-found',
  'chapter-not-found',
  'chapter-unknown',
  'entry-not-found',
  'entry-removed',
  'entry-not-published',
  'account-not-found',
  'account-erased',
  'erasure-begun',
])

/** The measures on what is somebody's. */
const measuresOn = ({ about, measures }: Decision, accountId: string): readonly Measure[] => {
  const own = new Set(
    about.flatMap(({ target, authors }) => (authors.includes(accountId) ? [moderatedKey(target)] : [])),
  )
  return measures.filter(({ target }) => own.has(moderatedKey(target)))
}

export const decisionSubscriber = (deps: DecisionSubscriberDeps): Subscriber => {
  const envelope = ({ id, meta }: Recorded, step: string): Envelope => ({
    commandId: stepId(id, step),
    actor,
    correlationId: meta.correlationId,
    at: deps.clock.now(),
    ...defined({ traceparent: meta.traceparent }),
  })
  const must = (what: string, result: object): void => {
    if (isRefusal(result) && !gone.has(result.refused)) throw new OwnError(`${what}: ${result.refused}`)
  }

  const tell = async (event: Recorded, { id, decision, isOver }: Carrying): Promise<void> => {
    for (const accountId of affectedBy(decision)) {
      const about = { accountId, decision: id }
      const through = decision.overturned?.through ?? 'administrator'
      const telling = isOver
        ? withdrawStatement({ ...about, through })
        : giveStatement({ ...about, measures: [...measuresOn(decision, accountId)], statement: decision.statement })
      const told = await deps.statements.run(statementStream(id, accountId), telling, envelope(event, accountId))
      must('somebody was not told of a decision', told)
    }
  }

  const carry = async (event: Recorded): Promise<void> => {
    const { state: decision } = await deps.decisions.load(event.stream)
    if (!decision) return
    const carrying = { id: decisionIdOf(event), decision, isOver: event.type === DecisionOverturned.type }
    for (const measure of decision.measures) {
      const key = `${measure.measure} ${moderatedKey(measure.target)}`
      must(`not carried out: ${key}`, await deps.carryOut(measure, carrying, envelope(event, key)))
    }
    await tell(event, carrying)
  }

  return subscriber({
    name: 'decisions',
    categories: [decisionCategory],
    types: [DecisionTaken.type, DecisionOverturned.type],
    // What is parked would leave shown what was to be hidden: stores that are away come back.
    attempts: 20,
    handle: async (events, signal) => {
      for (const event of events) {
        signal.throwIfAborted()
        await carry(event)
      }
    },
  })
}
