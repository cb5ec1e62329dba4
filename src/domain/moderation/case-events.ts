/** The events of a case: what is to be judged, by whom, and how it ended. Whoever reported it is named in their reports alone. */
import Type from 'typebox'
import { type EventOf, eventType } from '../event.ts'
import { ReportCategorySchema } from './report-events.ts'
import { CASE_REASON } from './report-limits.ts'
import { ModeratedSchema } from './target.ts'

const strict = { additionalProperties: false }
const id = Type.String({ minLength: 1 })
const round = Type.Integer({ minimum: 1, description: 'How often there was a case of this so far.' })
const until = Type.String({ format: 'date-time' })
const reason = Type.String({ minLength: 1, maxLength: 2 * CASE_REASON, seal: 'document' as const })

/** By what there is a case: somebody's report, a step that looked at it before it was shown, or a moderator. */
export const caseSources = ['report', 'pipeline', 'moderator'] as const
export type CaseSource = (typeof caseSources)[number]
export const CaseSourceSchema = Type.Enum([...caseSources])

/** `step`: of the pipeline, that held it back. `revision`: as it stood then. */
export const CaseOpened = eventType(
  'CaseOpened',
  Type.Object(
    {
      round,
      target: ModeratedSchema,
      source: CaseSourceSchema,
      authors: Type.Array(id),
      revision: Type.String(),
      language: Type.Optional(id),
      step: Type.Optional(id),
      by: Type.Optional(id),
    },
    strict,
  ),
)
/** A report more. `filings`: as often its reporter has reported this. */
export const CaseReported = eventType(
  'CaseReported',
  Type.Object(
    {
      round,
      report: id,
      filings: Type.Integer({ minimum: 1 }),
      category: ReportCategorySchema,
      revision: Type.String(),
      weight: Type.Number({ minimum: 0 }),
    },
    strict,
  ),
)
/** An automated decision holds it back until a moderator has looked. */
export const CaseHeld = eventType('CaseHeld', Type.Object({ round, decision: id }, strict))
export const CaseClaimed = eventType('CaseClaimed', Type.Object({ round, by: id, until }, strict))
/** `by`: who gave it to them. */
export const CaseAssigned = eventType('CaseAssigned', Type.Object({ round, to: id, by: id, until }, strict))
/** Whoever has claimed it is asked after it. */
export const CaseReminded = eventType('CaseReminded', Type.Object({ round, claimant: id, until }, strict))
/** It is free again. `lapsed`: the claim had its time. */
export const CaseReleased = eventType(
  'CaseReleased',
  Type.Object({ round, claimant: id, because: Type.Enum(['released', 'lapsed']) }, strict),
)

export const caseEnds = ['decision', 'dismissed', 'gone'] as const
export type CaseEnd = (typeof caseEnds)[number]
export const CaseEndSchema = Type.Enum([...caseEnds])

/**
 * `said`: a digest of what was judged; only a report on something else opens it again. `holds`: the automated decisions that it ends. `by`: absent where it
 * ended since what it was about is no more.
 */
export const CaseClosed = eventType(
  'CaseClosed',
  Type.Object(
    {
      round,
      target: ModeratedSchema,
      because: CaseEndSchema,
      said: Type.Optional(Type.String({ minLength: 1, seal: 'document' as const })),
      holds: Type.Array(id),
      by: Type.Optional(id),
      decision: Type.Optional(id),
      reason: Type.Optional(reason),
    },
    strict,
  ),
)

export const caseEvents = [
  CaseOpened,
  CaseReported,
  CaseHeld,
  CaseClaimed,
  CaseAssigned,
  CaseReminded,
  CaseReleased,
  CaseClosed,
] as const
export type CaseEvent = EventOf<(typeof caseEvents)[number]>
