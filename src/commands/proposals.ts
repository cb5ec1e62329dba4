/**
 * Proposing changes of an entry, judging them, merging them and taking that back. What concerns the entry is written to its stream first, by a
 * command whose id follows from the proposal: a repeat finds it, and the event names the proposal, so that what was left is completed.
 */
import type { Accepted, Envelope, Result, Transactor } from '../core/write/transact.ts'
import type { By, Decide } from '../domain/decider.ts'
import { defined } from '../domain/defined.ts'
import { checkReason } from '../domain/entry/content-rules.ts'
import { entryStream } from '../domain/entry/entry.ts'
import type { EntryEvent } from '../domain/entry/events.ts'
import { askedFor, baseAt, mergeChanges, publishedFault, saysAlready, undoChanges } from '../domain/entry/merging.ts'
import { holdersOf, momentOf } from '../domain/entry/past.ts'
import { type Change, differenceOf } from '../domain/entry/places.ts'
import type { EntryState } from '../domain/entry/state.ts'
import type { JsonObject, Recorded } from '../domain/event.ts'
import { stepId } from '../domain/ids.ts'
import * as decide from '../domain/proposal/decisions.ts'
import type { ProposalEvent, Verdict } from '../domain/proposal/events.ts'
import { idOfDifference, type Proposal, type ProposalState, proposalStream } from '../domain/proposal/proposal.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { permissionsIn, type Rights } from '../domain/roles.ts'
import { isBlockedBetween, type RelationDeps } from './relations.ts'

export type ProposalDeps = RelationDeps & {
  readonly proposals: Pick<Transactor<ProposalState, ProposalEvent>, 'load' | 'run'>
  readonly entries: Pick<Transactor<EntryState, EntryEvent>, 'load' | 'run'>
  /** The events of an entry at these revisions. */
  readonly eventsOf: (id: string, revisions: readonly bigint[]) => Promise<ReadonlyMap<bigint, Recorded<EntryEvent>>>
  /** What an account's word weighs in a language, as far as is known. */
  readonly weightOf: (account: string, language: string) => Promise<number>
  /** Seconds that a new account has to wait before it proposes again, where this is one too many; counts it otherwise. */
  readonly wait: (accountId: string, now: Date) => Promise<number | undefined>
}

/** Who asks: an account, with what it may everywhere and in languages. */
export type Proposer = { readonly account: string; readonly rights: Rights }

type Found = { readonly stream: string; readonly proposal: Proposal; readonly by: By }

const byOf = ({ account: id, rights }: Proposer, language: string, { at: now, commandId }: Envelope): By => ({
  id,
  permissions: permissionsIn(rights, language),
  now,
  commandId,
})

const find = async (
  { proposals }: Pick<ProposalDeps, 'proposals'>,
  who: Proposer,
  { id, envelope }: { readonly id: string; readonly envelope: Envelope },
): Promise<Found | Refusal> => {
  const stream = proposalStream(id)
  const { state: proposal } = await proposals.load(stream)
  return proposal ? { stream, proposal, by: byOf(who, proposal.language, envelope) } : decide.proposalNotFound()
}

/** A command of its own on the way of another one. */
const stepOf = ({ fingerprint: _, ifMatch: _i, ...envelope }: Envelope, commandId: string): Envelope => ({
  ...envelope,
  commandId,
})

const later = <State>(result: Accepted<State>, position: bigint): Accepted<State> =>
  position > result.position ? { ...result, position } : result

export type NewProposal = {
  readonly entry: string
  /** The revision that the patch was made of. */
  readonly base: string
  readonly patch: JsonObject
  readonly reason?: string
}

/** What is asked for, its id, and what the entry itself has against it now. */
type Prepared = {
  readonly id: string
  readonly language: string
  readonly changes: readonly Change[]
  readonly fault: Refusal | undefined
}

/** The ids of new senses follow from the proposal's id, and that from the difference with ids that everybody gets alike. */
const prepare = async (
  { entries, eventsOf }: ProposalDeps,
  { rights }: Proposer,
  { entry, base: given, patch }: NewProposal,
): Promise<Prepared | Refusal> => {
  const { state } = await entries.load(entryStream(entry))
  const isHidden = state.entry?.status !== 'published' && state.entry?.status !== 'retired'
  if (isHidden && !rights.permissions.has('entries:read-drafts'))
    return refuse('entry-not-found', 'There is no such entry, or it is not visible to you.')
  const revision = Number(given)
  const held = momentOf(state.past, revision) ? holdersOf(state.past, revision) : []
  const base = baseAt(state, revision, await eventsOf(entry, held))
  if (isRefusal(base)) return base
  const asked = (commandId: string) => askedFor(base, patch, { id: entry, revision: given, commandId })
  const first = asked(stepId(entry, 'proposal'))
  if (isRefusal(first)) return first
  const id = idOfDifference(entry, differenceOf(base.content, first))
  const content = asked(id)
  if (isRefusal(content)) return content
  const changes = differenceOf(base.content, content)
  const says = state.entry !== undefined && saysAlready(state.entry.content, changes)
  const fault = publishedFault(state) ?? decide.changesFault(says ? [] : changes)
  return { id, language: base.language, changes, fault }
}

const tooSoon = (seconds: number): Refusal =>
  refuse('proposals-too-soon', 'A new account proposes three changes within fifteen minutes.', { context: { seconds } })

const put = async (
  deps: ProposalDeps,
  who: Proposer,
  given: NewProposal & { readonly prepared: Prepared; readonly supersedes?: string; readonly early?: Refusal },
  envelope: Envelope,
): Promise<Result<ProposalState>> => {
  const { entry, base, reason, prepared, supersedes } = given
  const { id, language, changes } = prepared
  const stream = proposalStream(id)
  const fault = given.early ?? prepared.fault
  const asked = { entry, language, base, changes, ...defined({ reason, supersedes }) }
  const propose = decide.propose(asked, byOf(who, language, envelope))
  const isKnown = (await deps.proposals.load(stream)).state !== undefined
  if (!isKnown && !fault && !envelope.dryRun && !isRefusal(propose(undefined))) {
    const seconds = await deps.wait(who.account, envelope.at)
    if (seconds !== undefined) return tooSoon(seconds)
  }
  // A repeat is answered as at first, whatever has become of the entry since.
  return deps.proposals.run(stream, proposal => fault ?? propose(proposal), envelope)
}

/** Asks for a change; the same as somebody else does supports theirs. */
export const propose = async (
  deps: ProposalDeps,
  who: Proposer,
  given: NewProposal,
  envelope: Envelope,
): Promise<Result<ProposalState>> => {
  const prepared = await prepare(deps, who, given)
  return isRefusal(prepared) ? prepared : put(deps, who, { ...given, prepared }, envelope)
}

/** Asks for something else instead: a proposal of its own, which nobody has judged. */
export const amend = async (
  deps: ProposalDeps,
  who: Proposer,
  { id, ...given }: Omit<NewProposal, 'entry'> & { readonly id: string },
  envelope: Envelope,
): Promise<Result<ProposalState>> => {
  const found = await find(deps, who, { id, envelope })
  if (isRefusal(found)) return found
  const { stream, proposal, by } = found
  const asked = { ...given, entry: proposal.entry }
  const prepared = await prepare(deps, who, asked)
  if (isRefusal(prepared)) return prepared
  if (prepared.id === id) return refuse('proposal-changes-nothing', 'This is what it asks for already.')
  const early = decide.readyToAmend(by)(proposal)
  const amended = { ...asked, prepared, supersedes: id, ...defined({ early: isRefusal(early) ? early : undefined }) }
  const result = await put(deps, who, amended, envelope)
  if (isRefusal(result) || envelope.dryRun) return result
  const supersede = decide.supersede(prepared.id, who.account)
  const old = await deps.proposals.run(stream, supersede, stepOf(envelope, stepId(envelope.commandId, 'superseded')))
  return isRefusal(old) ? old : later(result, old.position)
}

/** Runs what is decided on the proposal alone. */
const onProposal = async (
  deps: Pick<ProposalDeps, 'proposals'>,
  who: Proposer,
  id: string,
  {
    decision,
    envelope,
  }: {
    readonly decision: (by: By) => Decide<ProposalState, ProposalEvent, never> | ReturnType<typeof decide.withdraw>
    readonly envelope: Envelope
  },
): Promise<Result<ProposalState>> => {
  const found = await find(deps, who, { id, envelope })
  return isRefusal(found) ? found : deps.proposals.run(found.stream, decision(found.by), envelope)
}

/** Judges it, with what one's word weighs now. */
export const review = async (
  deps: ProposalDeps,
  who: Proposer,
  { id, verdict, reason }: { readonly id: string; readonly verdict: Verdict; readonly reason?: string },
  envelope: Envelope,
): Promise<Result<ProposalState>> => {
  const found = await find(deps, who, { id, envelope })
  if (isRefusal(found)) return found
  const { stream, proposal, by } = found
  const isBound = !by.permissions.has('entries:publish') && !by.permissions.has('comments:moderate')
  if (isBound && (await isBlockedBetween(deps, who.account, [proposal.author])))
    return refuse('proposal-unwanted', 'You and who proposed this do not hear each other.')
  const weight = await deps.weightOf(who.account, proposal.language)
  return deps.proposals.run(stream, decide.review({ verdict, weight, ...defined({ reason }) }, by), envelope)
}

export const withdrawReview = (
  deps: ProposalDeps,
  who: Proposer,
  id: string,
  envelope: Envelope,
): Promise<Result<ProposalState>> => onProposal(deps, who, id, { decision: decide.withdrawReview, envelope })

export const withdraw = (
  deps: ProposalDeps,
  who: Proposer,
  id: string,
  envelope: Envelope,
): Promise<Result<ProposalState>> => onProposal(deps, who, id, { decision: decide.withdraw, envelope })

export const reject = (
  deps: ProposalDeps,
  who: Proposer,
  { id, reason }: { readonly id: string; readonly reason: string },
  envelope: Envelope,
): Promise<Result<ProposalState>> => onProposal(deps, who, id, { decision: by => decide.reject(reason, by), envelope })

/** The edit of the entry, by a command of the round in which it was asked for. `undo`: why what was merged is taken back. */
const onEntry = (
  { entries }: ProposalDeps,
  { id, proposal, undo }: { readonly id: string; readonly proposal: Proposal; readonly undo?: string },
  envelope: Envelope,
): Promise<Result<EntryState>> => {
  const { entry, base, changes, author, round, merged = '0' } = proposal
  const of = { id, author }
  const edit =
    undo === undefined ? mergeChanges(Number(base), changes, of) : undoChanges(Number(merged), { ...of, reason: undo })
  const step = `${undo === undefined ? 'merge' : 'revert'} ${round}`
  return entries.run(entryStream(entry), edit, stepOf(envelope, stepId(id, step)))
}

/** Merges it into the entry as that stands, or says where others have changed the same. */
export const merge = async (
  deps: ProposalDeps,
  who: Proposer,
  id: string,
  envelope: Envelope,
): Promise<Result<ProposalState>> => {
  const found = await find(deps, who, { id, envelope })
  if (isRefusal(found)) return found
  const { stream, proposal, by } = found
  const ready = await deps.proposals.run(stream, decide.readyToMerge(by), envelope)
  if (isRefusal(ready) || ready.replayed || ready.state?.status === 'merged') return ready
  const edited = await onEntry(deps, { id, proposal }, envelope)
  if (isRefusal(edited)) {
    if (edited.refused !== 'proposal-conflicts' || envelope.dryRun) return edited
    const { revision } = await deps.entries.load(entryStream(proposal.entry))
    const note = decide.noteConflict(
      String(revision),
      (edited.errors ?? []).map(({ pointer }) => pointer),
    )
    const noted = await deps.proposals.run(stream, note, stepOf(envelope, stepId(envelope.commandId, 'conflict')))
    return isRefusal(noted) ? noted : edited
  }
  // Others have written the same meanwhile: nothing is left to merge.
  const isOvertaken = edited.events.length === 0 && !edited.replayed
  const note = isOvertaken ? decide.close('overtaken') : decide.noteMerged(String(edited.revision), who.account)
  const result = await deps.proposals.run(stream, note, envelope)
  return isRefusal(result) ? result : later(result, edited.position)
}

/** Takes back from the entry what was merged, and leaves what others have changed since. */
export const revert = async (
  deps: ProposalDeps,
  who: Proposer,
  { id, reason }: { readonly id: string; readonly reason: string },
  envelope: Envelope,
): Promise<Result<ProposalState>> => {
  const found = await find(deps, who, { id, envelope })
  if (isRefusal(found)) return found
  const { stream, proposal, by } = found
  const ready = await deps.proposals.run(stream, decide.readyToRevert(by), envelope)
  if (isRefusal(ready) || ready.replayed || ready.state?.status === 'reverted') return ready
  const undo = checkReason(reason)
  if (typeof undo !== 'string') return undo
  const edited = await onEntry(deps, { id, proposal: ready.state ?? proposal, undo }, envelope)
  if (isRefusal(edited)) return edited
  const note = decide.noteReverted(String(edited.revision), who.account, undo)
  const result = await deps.proposals.run(stream, note, envelope)
  return isRefusal(result) ? result : later(result, edited.position)
}
