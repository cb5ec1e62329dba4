/** What the routes of decisions and appeals take, and what their examples name. */
import Type from 'typebox'
import { UUID } from '../../../domain/forms.ts'
import { MESSAGE_LENGTH } from '../../../domain/moderation/appeal-events.ts'
import { MeasureSchema, MOST_MEASURES } from '../../../domain/moderation/measures.ts'
import { FACTS_LENGTH, StatementSchema } from '../../../domain/moderation/statement.ts'
import { appealStates } from '../../../projections/appeals.ts'
import type { AppealView, DecisionView } from '../../../queries/decision-view.ts'
import { exampleComment, exampleTime } from './comment-schemas.ts'
import { exampleAccount } from './shelf-schemas.ts'

export const tag = 'Moderation'
const strict = { additionalProperties: false }
export const exampleDecision = '5b0f7f5e-2c1d-5a6b-9d11-4e3c2b1a0f9e'
export const exampleModerator = '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e61'

export const DecisionParams = Type.Object({
  id: Type.String({ pattern: UUID, description: 'The id of the decision.' }),
})

const { automation: _, ...statement } = StatementSchema.properties
/** By a person, so that nothing of it is said to be automated, unless it is. */
export const DecisionBody = Type.Object(
  {
    case: Type.Optional(Type.String({ minLength: 1, maxLength: 120, description: 'The case that it ends.' })),
    measures: Type.Array(MeasureSchema, { maxItems: 2 * MOST_MEASURES }),
    statement: Type.Object(
      {
        ...statement,
        automation: Type.Optional(StatementSchema.properties.automation),
        facts: Type.String({
          maxLength: 4 * FACTS_LENGTH,
          description: `What happened: ${FACTS_LENGTH} characters at most. Who it affects reads it.`,
        }),
      },
      strict,
    ),
  },
  { ...strict, $id: 'NewDecision' },
)
export const ReasonBody = Type.Object(
  { reason: Type.String({ maxLength: 4 * FACTS_LENGTH, description: 'Why: who it affects reads it.' }) },
  { ...strict, $id: 'Overturning' },
)
const message = Type.String({ maxLength: 4 * MESSAGE_LENGTH, description: `${MESSAGE_LENGTH} characters at most.` })
export const MessageBody = Type.Object({ message }, { ...strict, $id: 'AppealMessage' })
export const OutcomeBody = Type.Object(
  { outcome: Type.Enum(['upheld', 'overturned'], { description: 'upheld: the decision stands.' }), message },
  { ...strict, $id: 'AppealOutcome' },
)

const page = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, description: 'Items a page at most, 20 by default; go by `next`.' }),
  ),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: '`next` of the page before.' })),
}
export const PageQuery = Type.Object(page, strict)
export const DecisionsQuery = Type.Object(
  { state: Type.Optional(Type.Enum(['standing', 'overturned'], { description: 'standing by default.' })), ...page },
  strict,
)
export const AppealsQuery = Type.Object(
  { state: Type.Optional(Type.Enum([...appealStates], { description: 'open by default.' })), ...page },
  strict,
)

export const exampleMeasure: DecisionView['measures'][number] = {
  measure: 'hide',
  target: { kind: 'comment', id: exampleComment },
}
export const exampleStatement: DecisionView['statement'] = {
  category: 'illegal-or-harmful-speech',
  rule: 'Rule 3: no insults',
  ground: 'terms',
  source: 'own-initiative',
  automation: 'not',
}
export const exampleOwn: DecisionView = {
  id: exampleDecision,
  state: 'standing',
  at: exampleTime,
  automated: false,
  about: [{ target: { kind: 'comment', id: exampleComment }, text: 'You fool!' }],
  measures: [exampleMeasure],
  statement: exampleStatement,
  facts: 'The comment insults the author of the story.',
  appealUntil: '2026-07-05T10:00:00.000Z',
}
const { appealUntil: _a, ...example } = exampleOwn
export const exampleView: DecisionView = { ...example, by: exampleModerator }
export const exampleAppeal: AppealView = {
  filedAt: exampleTime,
  state: 'open',
  messages: [{ from: 'author', at: exampleTime, text: 'It was a joke between friends.' }],
}
export const exampleSeen: AppealView = { ...exampleAppeal, accountId: exampleAccount }
