/** The events of an appeal against a decision. What is said in it is sealed under the appeal's own key. */
import Type from 'typebox'
import { type EventOf, eventType } from '../event.ts'

export const MESSAGE_LENGTH = 2_000

const strict = { additionalProperties: false }
const id = Type.String({ minLength: 1 })
const said = Type.String({ minLength: 1, maxLength: 2 * MESSAGE_LENGTH, seal: 'document' as const })

/** `accountId`: who appeals, which every event names, so that they are told of it. */
export const AppealFiled = eventType('AppealFiled', Type.Object({ decision: id, accountId: id, message: said }, strict))
/** A moderator asks; who appeals answers. */
export const AppealQuestionAsked = eventType(
  'AppealQuestionAsked',
  Type.Object({ decision: id, accountId: id, message: said }, strict),
)
export const AppealQuestionAnswered = eventType(
  'AppealQuestionAnswered',
  Type.Object({ decision: id, accountId: id, message: said }, strict),
)
export const appealOutcomes = ['upheld', 'overturned'] as const
/** `upheld`: the decision stands. `message`: why. */
export const AppealDecided = eventType(
  'AppealDecided',
  Type.Object({ decision: id, accountId: id, outcome: Type.Enum([...appealOutcomes]), message: said }, strict),
)
/** Nobody is left who appeals: what was said in it is gone, and the keys that sealed it are destroyed because of it. */
export const AppealClosed = eventType(
  'AppealClosed',
  Type.Object({ decision: id, accountId: id, ground: Type.Enum(['erasure']) }, strict),
)

export const appealEvents = [
  AppealFiled,
  AppealQuestionAsked,
  AppealQuestionAnswered,
  AppealDecided,
  AppealClosed,
] as const
export type AppealEvent = EventOf<(typeof appealEvents)[number]>
