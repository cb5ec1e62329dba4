/**
 * The events of a report. What its reporter says is sealed under the reporter's own key, and goes with their account; what was reported, as
 * it was at that moment, is sealed under a key of the report's own, so that no edit, deletion or erasure of its author takes it away.
 */
import Type from 'typebox'
import { type EventOf, eventType } from '../event.ts'
import { EVIDENCE_LENGTH, REPORT_WORDS } from './report-limits.ts'
import { ModeratedSchema } from './target.ts'

const strict = { additionalProperties: false }
const id = Type.String({ minLength: 1 })

/** What is wrong with it, as whoever reports it says. */
export const reportCategories = [
  'spam',
  'harassment',
  'hate',
  'violence',
  'self-harm',
  'sexual',
  'minors',
  'privacy',
  'intellectual-property',
  'misleading',
  'illegal',
  'other',
] as const
export type ReportCategory = (typeof reportCategories)[number]
export const ReportCategorySchema = Type.Enum([...reportCategories])

/** How a report ends: something was done about it, nothing was, or what it was about is no more. */
export const reportOutcomes = ['upheld', 'dismissed', 'gone'] as const
export type ReportOutcome = (typeof reportOutcomes)[number]
export const ReportOutcomeSchema = Type.Enum([...reportOutcomes])

/**
 * `revision`: of what was reported, when it was looked at. `weight`: of this reporter at that moment (src/domain/moderation/report-weight.ts).
 * `isGone`: its author had deleted it.
 */
export const ReportFiled = eventType(
  'ReportFiled',
  Type.Object(
    {
      reporter: id,
      target: ModeratedSchema,
      authors: Type.Array(id),
      category: ReportCategorySchema,
      rule: Type.Optional(id),
      revision: Type.String(),
      language: Type.Optional(id),
      weight: Type.Number({ minimum: 0 }),
      isGone: Type.Boolean(),
      words: Type.Optional(Type.String({ maxLength: 2 * REPORT_WORDS, seal: 'subject' as const })),
    },
    strict,
  ),
  { subject: ({ reporter }) => String(reporter) },
)
/** What it said when it was reported. `isCut`: it is longer. */
export const EvidenceKept = eventType(
  'EvidenceKept',
  Type.Object(
    {
      revision: Type.String(),
      isCut: Type.Boolean(),
      text: Type.String({ maxLength: 2 * EVIDENCE_LENGTH, seal: 'document' as const }),
    },
    strict,
  ),
  // Each under a key of its own: what is reported once more outlives the end of what was kept before.
  { freshKey: () => true },
)
/** Its reporter is told how the case ended. `filings`: as often it had been reported by then. */
export const ReportOutcomeTold = eventType(
  'ReportOutcomeTold',
  Type.Object(
    {
      reporter: id,
      target: ModeratedSchema,
      round: Type.Integer({ minimum: 1 }),
      outcome: ReportOutcomeSchema,
      filings: Type.Integer({ minimum: 1 }),
    },
    strict,
  ),
)
/** Nobody may appeal any more: the keys of all evidence before are destroyed because of it. */
export const EvidenceDestroyed = eventType(
  'EvidenceDestroyed',
  Type.Object({ round: Type.Integer({ minimum: 1 }) }, strict),
)
/** Its reporter was erased, and what they said with them. */
export const ReporterLeft = eventType('ReporterLeft', Type.Object({ reporter: id }, strict))

export const reportEvents = [ReportFiled, EvidenceKept, ReportOutcomeTold, EvidenceDestroyed, ReporterLeft] as const
export type ReportEvent = EventOf<(typeof reportEvents)[number]>
