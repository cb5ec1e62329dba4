/** What moderators do to cases: one, or up to fifty at once, each with its own outcome. */
import { createHash } from 'node:crypto'
import type { NewEvent } from '../core/log/log.ts'
import type { Accepted, Envelope, Result, Transactor } from '../core/write/transact.ts'
import { stepId } from '../domain/ids.ts'
import { type CaseState, caseKeyOf, caseStream } from '../domain/moderation/case.ts'
import * as decide from '../domain/moderation/case-decisions.ts'
import type { CaseEvent } from '../domain/moderation/case-events.ts'
import { type ReportState, reportStreamOf } from '../domain/moderation/report.ts'
import type { ReportEvent } from '../domain/moderation/report-events.ts'
import type { Moderated, ModeratedWorks } from '../domain/moderation/target.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'

export type CaseDeps = {
  readonly cases: Pick<Transactor<CaseState, CaseEvent>, 'load' | 'run'>
  readonly reports: Pick<Transactor<ReportState, ReportEvent>, 'load'>
  readonly works: ModeratedWorks
  /** May this account work on cases now? */
  readonly isModerator: (accountId: string, now: Date) => Promise<boolean>
}

/** Says of two texts whether they are the same, and nothing else of them. */
export const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** Wrote they it, or have they reported it? */
const isOwn = async (
  { works, reports }: CaseDeps,
  known: CaseState,
  target: Moderated,
  id: string,
): Promise<boolean> => {
  const hasReported = (await reports.load(reportStreamOf(target, id))).state !== undefined
  const authors = (await works(target))?.authors ?? []
  return authors.includes(id) || decide.isOwnCase(known, id, hasReported)
}

const moderatorOf = async (
  deps: CaseDeps,
  key: string,
  { actor: { id }, at: now }: Envelope,
): Promise<decide.Moderator> => {
  const { state } = await deps.cases.load(caseStream(key))
  return { id, now, isOwn: state !== undefined && (await isOwn(deps, state, state.target, id)) }
}

/** All of them refuse with case-not-found, case-own, case-closed. The actor of the envelope is the moderator. */
type CaseCommand = (deps: CaseDeps, key: string, envelope: Envelope) => Promise<Result<CaseState>>

/** Refuses with case-claimed. Claimed by oneself it stays as it is. */
export const claimCase: CaseCommand = async (deps, key, envelope) =>
  deps.cases.run(caseStream(key), decide.claimCase(await moderatorOf(deps, key, envelope)), envelope)

/** Refuses with case-claimed. */
export const releaseCase: CaseCommand = async (deps, key, envelope) =>
  deps.cases.run(caseStream(key), decide.releaseCase(await moderatorOf(deps, key, envelope)), envelope)

/** Refuses with moderator-unknown. */
export const assignCase =
  (to: string): CaseCommand =>
  async (deps, key, envelope) => {
    if (!(await deps.isModerator(to, envelope.at)))
      return refuse('moderator-unknown', 'There is no moderator of this id.')
    const by = await moderatorOf(deps, key, envelope)
    const other = await moderatorOf(deps, key, { ...envelope, actor: { kind: 'account', id: to } })
    return deps.cases.run(caseStream(key), decide.assignCase(other, by), envelope)
  }

/** Refuses with case-claimed, reason-required, text-invalid. What held it back automatically lets it go. */
export const dismissCase =
  (reason: string): CaseCommand =>
  async (deps, key, envelope) => {
    const { state } = await deps.cases.load(caseStream(key))
    const work = state && (await deps.works(state.target))
    const dismissal = decide.dismissCase(
      { reason, said: digestOf(work?.text ?? '') },
      await moderatorOf(deps, key, envelope),
    )
    return deps.cases.run(caseStream(key), dismissal, envelope)
  }

/** Begins one of what nobody has reported. Refuses with moderated-not-found, moderated-gone, case-own. */
export const openCase = async (deps: CaseDeps, target: Moderated, envelope: Envelope): Promise<Result<CaseState>> => {
  const work = await deps.works(target)
  if (!work) return refuse('moderated-not-found', `There is no ${target.kind} of the id ${target.id}.`)
  if (work.isGone) return refuse('moderated-gone', 'It was deleted: there is nothing left to be judged.')
  const by = envelope.actor.id
  if (work.authors.includes(by))
    return refuse('case-own', 'It is about something of yours: another moderator judges it.')
  const key = caseKeyOf(target)
  return deps.cases.run(caseStream(key), decide.openCase(work, { source: 'moderator', by }), envelope)
}

/** What became of one of many. */
export type BulkOutcome = { readonly id: string } & (
  | { readonly outcome: 'done'; readonly isOpen: boolean }
  | { readonly outcome: 'refused'; readonly code: string; readonly detail: string }
)

const outcomeOf = (id: string, done: Accepted<CaseState> | Refusal): BulkOutcome =>
  isRefusal(done)
    ? { id, outcome: 'refused', code: done.refused, detail: done.detail }
    : { id, outcome: 'done', isOpen: done.state?.isOpen ?? false }

/** Each on its own, in their order: what one is refused for keeps none of the others. */
export const doToMany = async (
  deps: CaseDeps,
  { ids, command }: { readonly ids: readonly string[]; readonly command: CaseCommand },
  envelope: Envelope,
): Promise<Accepted<readonly BulkOutcome[]>> => {
  const { ifMatch: _, ...each } = envelope
  const outcomes: BulkOutcome[] = []
  const events: NewEvent[] = []
  let position = 0n
  for (const id of new Set(ids)) {
    const done = await command(deps, id, { ...each, commandId: stepId(envelope.commandId, id) })
    outcomes.push(outcomeOf(id, done))
    if (isRefusal(done)) continue
    events.push(...done.events)
    if (done.position > position) position = done.position
  }
  return {
    outcome: 'accepted',
    stream: '',
    state: outcomes,
    revision: 'none',
    mark: '',
    position,
    replayed: false,
    events,
  }
}
