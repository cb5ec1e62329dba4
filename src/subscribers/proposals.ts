/**
 * What becomes of proposals when something else happens: what an entry's event says of them is noted where the request ended before that, what
 * there is nothing left to decide of is closed, and what quotes a removed text goes with it. Each is decided on the stream as it stands, so that
 * repeating it, or going on where a process ended, is harmless.
 */
import { operator } from '../commands/tokens.ts'
import type { View } from '../core/project/view.ts'
import { type Subscriber, subscriber } from '../core/subscribe/define.ts'
import type { Transactor } from '../core/write/transact.ts'
import type { Decide } from '../domain/decider.ts'
import { entryCategory, entryIdOf, entryStream } from '../domain/entry/entry.ts'
import * as entries from '../domain/entry/events.ts'
import { saysAlready } from '../domain/entry/merging.ts'
import type { EntryState } from '../domain/entry/state.ts'
import type { Recorded } from '../domain/event.ts'
import { actorId, commandIdOf, stepId } from '../domain/ids.ts'
import * as decide from '../domain/proposal/decisions.ts'
import { ChangeProposed, type ProposalEvent } from '../domain/proposal/events.ts'
import {
  expiryOf,
  type Proposal,
  type ProposalState,
  proposalCategory,
  proposalIdOf,
  proposalStream,
} from '../domain/proposal/proposal.ts'
import { isRefusal } from '../domain/refusal.ts'
import type { Clock } from '../ports/clock.ts'
import { type JobKind, type Jobs, PermanentFailure } from '../ports/jobs.ts'
import { failureOf } from '../ports/outage.ts'
import { isEntryEvent } from '../projections/entries.ts'
import { isProposalEvent, type ProposalDocument } from '../projections/proposals.ts'

type Proposals = Pick<Transactor<ProposalState, ProposalEvent>, 'load' | 'run'>

export type ProposalSubscriberDeps = {
  readonly proposals: Proposals
  readonly entries: Pick<Transactor<EntryState, entries.EntryEvent>, 'load'>
  readonly view: Pick<View<ProposalDocument>, 'find' | 'waitFor'>
  readonly clock: Pick<Clock, 'now'>
}

const PAGE = 100
const content: ReadonlySet<string> = new Set([
  entries.EntryEdited.type,
  entries.EntryReverted.type,
  entries.EntryImported.type,
])

export const proposalSubscriber = (deps: ProposalSubscriberDeps): Subscriber => {
  const run = async (
    id: string,
    decision: Decide<ProposalState, ProposalEvent, never> | ReturnType<typeof decide.noteMerged>,
    event: Recorded,
  ): Promise<void> => {
    const result = await deps.proposals.run(proposalStream(id), decision, {
      commandId: stepId(event.id, id),
      actor: operator,
      correlationId: event.meta.correlationId,
      at: deps.clock.now(),
    })
    if (isRefusal(result)) throw failureOf(result)
  }

  /** Those of an entry, as far as they were there at the event. */
  const ofEntry = async (event: Recorded, isOpen: boolean): Promise<readonly string[]> => {
    await deps.view.waitFor(event.position)
    const where = [{ member: isOpen ? 'openOf' : 'entry', op: 'eq' as const, value: entryIdOf(event) }]
    const ids: string[] = []
    let from: object = {}
    for (;;) {
      const page = await deps.view.find({ where, order: isOpen ? [] : ['createdAt'], limit: PAGE, ...from })
      ids.push(...page.documents.map(({ id }) => id))
      if (!page.next) return ids
      from = { after: page.next }
    }
  }

  /** What there is nothing left to decide of, as the entry stands. */
  const settle = async (id: string, proposal: Proposal, event: Recorded): Promise<void> => {
    const { entry } = (await deps.entries.load(entryStream(proposal.entry))).state
    if (!entry || entry.removed) return run(id, decide.removeText, event)
    if (proposal.status !== 'open') return
    if (entry.status === 'retired') return run(id, decide.close('entry-retired'), event)
    if (saysAlready(entry.content, proposal.changes)) return run(id, decide.close('overtaken'), event)
  }

  /** Of the round in which it was asked for: an event of an earlier one says nothing of this. */
  const note = async (event: Recorded<entries.EntryEvent>): Promise<void> => {
    if (event.type !== 'EntryEdited' || !event.data.proposal) return
    const { id, act } = event.data.proposal
    const { state } = await deps.proposals.load(proposalStream(id))
    if (!state || state.isRemoved || event.meta.at < state.createdAt) return
    const revision = String(event.revision)
    const by = event.meta.actor.id
    if (act === 'merged') return run(id, decide.noteMerged(revision, by), event)
    return run(id, decide.noteReverted(revision, by, event.removed ? undefined : event.data.reason), event)
  }

  const onEntry = async (event: Recorded<entries.EntryEvent>): Promise<void> => {
    await note(event)
    const isGone = event.type === entries.EntryRedacted.type
    // Of what is imported for the first time nobody has asked anything.
    if (event.revision === 0n || (!isGone && event.type !== entries.EntryRetired.type && !content.has(event.type)))
      return
    for (const id of await ofEntry(event, !isGone)) {
      const { state } = await deps.proposals.load(proposalStream(id))
      if (state) await settle(id, state, event)
    }
  }

  const onProposed = async (event: Recorded<Extract<ProposalEvent, { type: 'ChangeProposed' }>>): Promise<void> => {
    const id = proposalIdOf(event)
    const { author, supersedes } = event.data
    if (supersedes !== undefined) await run(supersedes, decide.supersede(id, author), event)
    const { state } = await deps.proposals.load(event.stream)
    // Its entry may have been changed at the same moment.
    if (state && !state.isRemoved) await settle(id, state, event)
  }

  return subscriber({
    name: 'proposals',
    categories: [entryCategory, proposalCategory],
    types: [...content, entries.EntryRetired.type, entries.EntryRedacted.type, ChangeProposed.type],
    attempts: 20,
    handle: async (events, signal) => {
      for (const event of events) {
        signal.throwIfAborted()
        if (isEntryEvent(event)) await onEntry(event)
        else if (isProposalEvent(event) && event.type === 'ChangeProposed') await onProposed(event)
      }
    },
  })
}

const EXPIRY_JOB = 'proposal-expiry'
const clerk = { kind: 'system', id: actorId('system', 'proposals') } as const

/** A job for each, due when its time is over: what was decided by then is found to be none. */
export const proposalExpirySubscriber = (jobs: () => Promise<Pick<Jobs, 'add'>>): Subscriber => ({
  name: 'proposal-expiry',
  categories: [proposalCategory],
  types: [ChangeProposed.type],
  // From the first event on: where the jobs are lost they are made again, and one that is done changes nothing.
  outward: true,
  handle: async events => {
    for (const event of events) {
      const id = proposalIdOf(event)
      const runAt = new Date(expiryOf({ createdAt: event.meta.at }))
      const key = `${id}:${runAt.getTime()}`
      await (await jobs()).add({ kind: EXPIRY_JOB, key, data: { id }, runAt, position: event.position })
    }
  },
})

/** Ends what is past its time; repeating it is harmless. */
export const proposalExpiryJobs = (deps: {
  readonly proposals: Proposals
  readonly clock: Pick<Clock, 'now'>
  readonly newId: () => string
}): JobKind => ({
  name: EXPIRY_JOB,
  concurrency: 2,
  firstMs: 10_000,
  longestMs: 10 * 60_000,
  handle: async ({ data: { id } }) => {
    if (typeof id !== 'string') throw new PermanentFailure('the job does not say which proposal ends')
    const [stream, at] = [proposalStream(id), deps.clock.now()]
    const { state } = await deps.proposals.load(stream)
    const envelope = {
      commandId: commandIdOf(clerk, 'EXPIRE', stream, state?.round ?? ''),
      correlationId: deps.newId(),
      actor: clerk,
      at,
    }
    const result = await deps.proposals.run(stream, decide.expire(at), envelope)
    if (isRefusal(result)) throw failureOf(result)
  },
})
