/** What the routes of reports and cases take, and what their examples name. */
import Type from 'typebox'
import type { Json } from '../../../domain/event.ts'
import { CASE, UUID } from '../../../domain/forms.ts'
import { ReportCategorySchema } from '../../../domain/moderation/report-events.ts'
import { CASE_REASON, MOST_AT_ONCE, REPORT_WORDS } from '../../../domain/moderation/report-limits.ts'
import { moderatedKinds } from '../../../domain/moderation/target.ts'
import { exampleAccount } from './shelf-schemas.ts'

export const tag = 'Moderation'
const strict = { additionalProperties: false }
const exampleId = '0d1c2b3a-4f5e-5d6c-8b7a-9f8e7d6c5b4a'
export const exampleTime = '2026-01-05T10:00:00.000Z'
export const exampleTarget = { kind: 'comment', id: exampleId } as const
export const exampleKey = `comment-${exampleId}`

const Target = Type.Object(
  { kind: Type.Enum([...moderatedKinds]), id: Type.String({ pattern: UUID, description: 'What it is about.' }) },
  strict,
)
const reason = Type.String({ description: `Why nothing is done, ${CASE_REASON} characters at most.` })

export const ReportBody = Type.Object(
  {
    target: Target,
    category: ReportCategorySchema,
    rule: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: 'The rule that it breaks, by its name.' }),
    ),
    words: Type.Optional(Type.String({ description: `What is wrong with it, ${REPORT_WORDS} characters at most.` })),
  },
  { ...strict, $id: 'Reporting' },
)
export const OpenBody = Type.Object({ target: Target }, { ...strict, $id: 'CaseOpening' })
export const AssignBody = Type.Object(
  { moderator: Type.String({ pattern: UUID, description: 'The account of a moderator.' }) },
  { ...strict, $id: 'CaseAssignment' },
)
export const DismissBody = Type.Object({ reason }, { ...strict, $id: 'CaseDismissal' })
export const BulkBody = Type.Object(
  {
    action: Type.Enum(['claim', 'dismiss']),
    cases: Type.Array(Type.String({ pattern: CASE }), { minItems: 1, maxItems: MOST_AT_ONCE }),
    reason: Type.Optional(reason),
  },
  { ...strict, $id: 'CasesAtOnce' },
)
export const BulkSchema = Type.Object(
  {
    items: Type.Array(
      Type.Object({
        id: Type.String(),
        outcome: Type.Enum(['done', 'refused']),
        isOpen: Type.Optional(Type.Boolean()),
        code: Type.Optional(Type.String({ description: 'Why not: the code of a problem.' })),
        detail: Type.Optional(Type.String()),
      }),
    ),
  },
  { $id: 'CaseOutcomes' },
)

export const CaseParams = Type.Object({
  id: Type.String({ pattern: CASE, description: 'What it is about: the kind and the id, joined by a hyphen.' }),
})
const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 100, description: 'Items a page at most, 20 by default; go by `next`.' }),
)
const cursor = Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: '`next` of the page before.' }))
export const PageQuery = Type.Object({ limit, cursor }, strict)
export const QueueQuery = Type.Object(
  {
    state: Type.Optional(Type.Enum(['open', 'closed'], { description: 'open by default.' })),
    kind: Type.Optional(Type.Enum([...moderatedKinds])),
    language: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'BCP 47, as the work has it.' })),
    category: Type.Optional(ReportCategorySchema),
    claimant: Type.Optional(Type.String({ pattern: UUID, description: 'Those that this account has claimed.' })),
    automated: Type.Optional(
      Type.Boolean({ description: 'Held back, or brought up, by no person; or only those that are not.' }),
    ),
    limit,
    cursor,
  },
  strict,
)

export const exampleReport: { readonly [member: string]: Json } = {
  id: '6a1f0d5e-2b3c-5d4e-8f90-1a2b3c4d5e6f',
  target: exampleTarget,
  category: 'harassment',
  filedAt: exampleTime,
  filings: 1,
}
export const exampleSummary: { readonly [member: string]: Json } = {
  id: exampleKey,
  target: exampleTarget,
  state: 'open',
  round: 1,
  source: 'report',
  authors: [exampleAccount],
  language: 'en',
  categories: ['harassment'],
  reports: 1,
  priority: 2,
  automated: false,
  openedAt: exampleTime,
}
export const exampleCase: Json = {
  ...exampleSummary,
  filed: [
    {
      id: String(exampleReport['id']),
      reporter: exampleAccount,
      filedAt: exampleTime,
      filings: 1,
      category: 'harassment',
      weight: 2,
      words: 'He will not stop.',
      selfDeleted: false,
      evidence: { revision: '0', cut: false, text: 'You again!' },
    },
  ],
  decisions: [],
  now: { text: 'You again!', revision: '0', gone: false },
}
export const NoQuery = Type.Object({}, strict)
