/**
 * The decisions of moderators, newest first, and by whom they are about. Nothing that people wrote is in it: who may read that reads it
 * from the decision's own stream.
 */
import { projection } from '../core/project/define.ts'
import type { Recorded } from '../domain/event.ts'
import { affectedBy, decisionCategory, decisionIdOf } from '../domain/moderation/decision.ts'
import { type DecisionEvent, decisionEvents } from '../domain/moderation/decision-events.ts'
import type { Measure } from '../domain/moderation/measures.ts'
import type { Statement } from '../domain/moderation/statement.ts'

const names: ReadonlySet<string> = new Set(decisionEvents.map(({ type }) => type))
export const isDecisionEvent = (event: Recorded): event is Recorded<DecisionEvent> => names.has(event.type)

/** `affected`: whose things it is about. `by`: who took it. `state` and `category` are what it is listed under. */
export type DecisionDocument = {
  readonly state: 'standing' | 'overturned'
  readonly by: string
  readonly at: string
  readonly isAutomated: boolean
  readonly affected: readonly string[]
  readonly measures: readonly Measure[]
  readonly statement: Statement
  readonly case?: string
}

const evolveDecisionDocument = (
  before: DecisionDocument | undefined,
  event: Recorded<DecisionEvent>,
): DecisionDocument | undefined => {
  if (event.type === 'DecisionOverturned') return before && { ...before, state: 'overturned' }
  const { facts: _f, texts: _t, about, ...taken } = event.data
  const { at, actor } = event.meta
  return before ?? { ...taken, affected: affectedBy({ about }), state: 'standing', by: actor.id, at }
}

export const decisionsProjection = projection<DecisionDocument>({
  name: 'decisions',
  version: 1,
  categories: [decisionCategory],
  indexes: [
    { name: 'state', on: ['state', 'at'] },
    { name: 'affected', on: ['affected', 'at'], terms: 'affected' },
  ],
  key: decisionIdOf,
  evolve: (document, event) => (isDecisionEvent(event) ? evolveDecisionDocument(document, event) : document),
})
