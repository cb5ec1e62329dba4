/** Overturns a decision whose appeal was decided so. Repeating it is harmless. */
import { type Subscriber, subscriber } from '../core/subscribe/define.ts'
import type { Transactor } from '../core/write/transact.ts'
import type { Recorded } from '../domain/event.ts'
import { actorId, stepId } from '../domain/ids.ts'
import { type AppealState, appealCategory } from '../domain/moderation/appeal.ts'
import { AppealDecided, type AppealEvent } from '../domain/moderation/appeal-events.ts'
import { type DecisionState, decisionStream, overturnDecision } from '../domain/moderation/decision.ts'
import type { DecisionEvent } from '../domain/moderation/decision-events.ts'
import { OwnError } from '../domain/own-error.ts'
import { isRefusal } from '../domain/refusal.ts'
import type { Clock } from '../ports/clock.ts'

export type AppealSubscriberDeps = {
  readonly decisions: Pick<Transactor<DecisionState, DecisionEvent>, 'run'>
  readonly appeals: Pick<Transactor<AppealState, AppealEvent>, 'load'>
  readonly clock: Pick<Clock, 'now'>
}

const actor = { kind: 'system', id: actorId('system', 'appeals') } as const
/** Where the words are gone by now, with the account of who appealed. */
const NO_WORDS = 'The appeal was decided so.'

export const appealSubscriber = ({ decisions, appeals, clock }: AppealSubscriberDeps): Subscriber => {
  const overturn = async (event: Recorded): Promise<void> => {
    if (event.data['outcome'] !== 'overturned') return
    const reason = (await appeals.load(event.stream)).state?.outcome?.reason ?? NO_WORDS
    const stream = decisionStream(String(event.data['decision']))
    const { correlationId } = event.meta
    const envelope = { commandId: stepId(event.id, 'overturned'), actor, correlationId, at: clock.now() }
    const done = await decisions.run(stream, overturnDecision(reason, 'appeal', actor.id), envelope)
    if (isRefusal(done)) throw new OwnError(`${stream} was not overturned: ${done.refused}`)
  }
  return subscriber({
    name: 'appeals',
    categories: [appealCategory],
    types: [AppealDecided.type],
    attempts: 20,
    handle: async (events, signal) => {
      for (const event of events) {
        signal.throwIfAborted()
        await overturn(event)
      }
    },
  })
}
