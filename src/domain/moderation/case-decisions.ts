/** What is decided on a case: it is opened, reported, held, claimed, assigned, released and closed. */
import type { Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type Refusal, refuse } from '../refusal.ts'
import { readText } from '../text/text.ts'
import { type Case, type CaseState, isHeldBy } from './case.ts'
import type { CaseEnd, CaseEvent, CaseSource } from './case-events.ts'
import type { ReportCategory } from './report-events.ts'
import { CASE_REASON, CLAIM_HOURS } from './report-limits.ts'
import type { CaseRefusal } from './report-refusals.ts'
import type { ModeratedWork } from './target.ts'

type CaseDecide = Decide<CaseState, CaseEvent, CaseRefusal>
type CannotRefuse = Decide<CaseState, CaseEvent, never>

/** What it is about, as it stood when it was looked at. */
export type Subject = Pick<ModeratedWork, 'target' | 'authors' | 'revision' | 'language'>

const openedAs = (
  known: CaseState,
  { target, authors, revision, language }: Subject,
  how: { readonly source: CaseSource; readonly step?: string; readonly by?: string },
): Extract<CaseEvent, { type: 'CaseOpened' }> => ({
  type: 'CaseOpened',
  data: {
    round: (known?.round ?? 0) + 1,
    target,
    source: how.source,
    authors: [...authors],
    revision,
    ...defined({ language, step: how.step, by: how.by }),
  },
})

export type Reporting = Subject & {
  readonly report: string
  readonly filings: number
  readonly category: ReportCategory
  readonly weight: number
  /** A digest of what it says; absent where it is gone. */
  readonly said?: string
}

/** What was judged once is judged again only when it says something else. */
export const reportCase =
  ({ report, filings, category, weight, said, ...subject }: Reporting): CannotRefuse =>
  known => {
    if (known && !known.isOpen && (said === undefined || said === known.closure?.said)) return []
    const opening = known?.isOpen ? [] : [openedAs(known, subject, { source: 'report' })]
    const round = known?.isOpen ? known.round : (known?.round ?? 0) + 1
    const { revision } = subject
    return [...opening, { type: 'CaseReported', data: { round, report, filings, category, revision, weight } }]
  }

/** By the pipeline, or a moderator; it is harmless where there is one. */
export const openCase =
  (
    subject: Subject,
    how: { readonly source: CaseSource; readonly step?: string; readonly by?: string },
  ): CannotRefuse =>
  known =>
    known?.isOpen ? [] : [openedAs(known, subject, how)]

/** Notes that an automated decision holds it back. */
export const noteHold =
  (decision: string): CannotRefuse =>
  known =>
    !known?.isOpen || known.holds.includes(decision)
      ? []
      : [{ type: 'CaseHeld', data: { round: known.round, decision } }]

/** `isOwn`: they wrote what it is about, or reported it. */
export type Moderator = { readonly id: string; readonly isOwn: boolean; readonly now: Date }

const own = (): Refusal<CaseRefusal> =>
  refuse('case-own', 'It is about something of yours, or you have reported it: another moderator judges it.')

/** The case as it is open; to nobody in their own. */
const openFor = (known: CaseState, { isOwn }: Pick<Moderator, 'isOwn'>): Case | Refusal<CaseRefusal> => {
  if (!known) return refuse('case-not-found', 'There is no such case.')
  if (isOwn) return own()
  return known.isOpen ? known : refuse('case-closed', 'The case was closed.')
}

const HOUR_MS = 60 * 60 * 1000
const untilFrom = (now: Date): string => new Date(now.getTime() + CLAIM_HOURS * HOUR_MS).toISOString()

const claimedBySomebodyElse = ({ claim }: Case, { id, now }: Moderator): Refusal<CaseRefusal> | undefined =>
  isHeldBy(claim, now) && claim.by !== id
    ? refuse('case-claimed', 'Another moderator looks at it.', { context: { until: claim.until } })
    : undefined

export const claimCase =
  (by: Moderator): CaseDecide =>
  known => {
    const open = openFor(known, by)
    if ('refused' in open) return open
    const taken = claimedBySomebodyElse(open, by)
    if (taken) return taken
    if (isHeldBy(open.claim, by.now)) return []
    return [{ type: 'CaseClaimed', data: { round: open.round, by: by.id, until: untilFrom(by.now) } }]
  }

/** By who has claimed it. */
export const releaseCase =
  (by: Moderator): CaseDecide =>
  known => {
    const open = openFor(known, by)
    if ('refused' in open) return open
    if (!isHeldBy(open.claim, by.now)) return []
    return (
      claimedBySomebodyElse(open, by) ?? [
        { type: 'CaseReleased', data: { round: open.round, claimant: by.id, because: 'released' } },
      ]
    )
  }

/** To another moderator, whoever has it; `isOwn` of both. */
export const assignCase =
  (to: { readonly id: string; readonly isOwn: boolean }, by: Moderator): CaseDecide =>
  known => {
    const open = openFor(known, { isOwn: by.isOwn || to.isOwn })
    if ('refused' in open) return open
    if (isHeldBy(open.claim, by.now) && open.claim.by === to.id) return []
    return [{ type: 'CaseAssigned', data: { round: open.round, to: to.id, by: by.id, until: untilFrom(by.now) } }]
  }

/** Of the claim that ends at `until`; of another one since nothing. */
export const remindClaimant =
  (until: string): CannotRefuse =>
  known =>
    known?.isOpen && known.claim?.until === until
      ? [{ type: 'CaseReminded', data: { round: known.round, claimant: known.claim.by, until } }]
      : []

/** The claim that ends at `until` has had its time. */
export const endClaim =
  (until: string): CannotRefuse =>
  known =>
    known?.isOpen && known.claim?.until === until
      ? [{ type: 'CaseReleased', data: { round: known.round, claimant: known.claim.by, because: 'lapsed' } }]
      : []

const readReason = (given: string) => {
  const { text, fault } = readText(given.trim(), { max: CASE_REASON, multiline: true })
  const refused = (code: 'text-invalid' | 'reason-required', detail: string) =>
    refuse(code, detail, { errors: [{ pointer: '/reason', code, detail }] })
  if (text === '') return refused('reason-required', 'Say why nothing is done about it.')
  return fault === undefined ? text : refused('text-invalid', fault)
}

type Closing = Pick<Extract<CaseEvent, { type: 'CaseClosed' }>['data'], 'said' | 'by' | 'decision' | 'reason'>

const closed = ({ round, target, holds }: Case, because: CaseEnd, more: Closing): CaseEvent => ({
  type: 'CaseClosed',
  data: { round, target, because, holds: [...holds], ...more },
})

/** Nothing is wrong with it as it stands: `said` is a digest of that. */
export const dismissCase =
  ({ reason: given, said }: { readonly reason: string; readonly said: string }, by: Moderator): CaseDecide =>
  known => {
    const open = openFor(known, by)
    if ('refused' in open) return open
    const taken = claimedBySomebodyElse(open, by)
    if (taken) return taken
    const reason = readReason(given)
    if (typeof reason !== 'string') return reason
    return [closed(open, 'dismissed', { said, by: by.id, reason })]
  }

/** Something was done about it: the decision says what and why. */
export const settleCase =
  (decision: { readonly id: string; readonly by: string; readonly said: string }): CannotRefuse =>
  known =>
    known?.isOpen ? [closed(known, 'decision', { said: decision.said, by: decision.by, decision: decision.id })] : []

/** What it was about is no more: the account that it was about was erased, and all of its with it. */
export const endGoneCase: CannotRefuse = known => (known?.isOpen ? [closed(known, 'gone', {})] : [])

/** Is a moderator in their own case? `hasReported`: what it is about. */
export const isOwnCase = (known: CaseState, moderator: string, hasReported: boolean): boolean =>
  hasReported || (known?.authors.includes(moderator) ?? false)
