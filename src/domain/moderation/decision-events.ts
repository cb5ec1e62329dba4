/** The events of a decision. What people wrote of it is sealed under the decision's own key, beside the text that it is about. */
import Type from 'typebox'
import { type EventOf, eventType } from '../event.ts'
import { MeasureSchema, MOST_MEASURES } from './measures.ts'
import { FACTS_LENGTH, StatementSchema } from './statement.ts'
import { ModeratedSchema } from './target.ts'

const strict = { additionalProperties: false }
const sealed = { seal: 'document' as const }
const id = Type.String({ minLength: 1 })

/** Something that was decided about, as it stood then: whose it was, at which revision of its stream. */
export const DecidedSchema = Type.Object(
  { target: ModeratedSchema, authors: Type.Array(id), revision: Type.String() },
  strict,
)

/**
 * Measures were taken, for the reasons of the statement. `case`: the key of the case that it ends. `isAutomated`: no person took it.
 * `facts`: what the moderator says of it; `texts`: what it was about, in the order of `about`.
 */
export const DecisionTaken = eventType(
  'DecisionTaken',
  Type.Object(
    {
      case: Type.Optional(id),
      isAutomated: Type.Boolean(),
      about: Type.Array(DecidedSchema, { minItems: 1, maxItems: MOST_MEASURES }),
      measures: Type.Array(MeasureSchema, { minItems: 1, maxItems: MOST_MEASURES }),
      statement: StatementSchema,
      facts: Type.String({ minLength: 1, maxLength: 2 * FACTS_LENGTH, ...sealed }),
      texts: Type.Array(Type.String(), sealed),
    },
    strict,
  ),
)
/** `moderator`: it was automated, and a moderator has looked at what it was about. */
export const overturnedBy = ['administrator', 'appeal', 'moderator'] as const
/** Its measures end, and those of no other decision. `reason`: why, for whoever was affected. */
export const DecisionOverturned = eventType(
  'DecisionOverturned',
  Type.Object(
    {
      case: Type.Optional(id),
      through: Type.Enum([...overturnedBy]),
      reason: Type.String({ minLength: 1, maxLength: 2 * FACTS_LENGTH, ...sealed }),
    },
    strict,
  ),
)

export const decisionEvents = [DecisionTaken, DecisionOverturned] as const
export type DecisionEvent = EventOf<(typeof decisionEvents)[number]>
