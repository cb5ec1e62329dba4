/**
 * What becomes of votes when something else happens. A suspended account's count no longer, on each of its streams, and count again once
 * it is reinstated; and whoever comes to write a work too, its rating by them is taken away. Each is decided on the stream as it stands, so
 * that repeating it, or going on where a process ended, is harmless.
 */
import { isOwn, type Works } from '../commands/ratings.ts'
import { operator } from '../commands/tokens.ts'
import { type Subscriber, subscriber } from '../core/subscribe/define.ts'
import type { Envelope, Transactor } from '../core/write/transact.ts'
import { AccountReinstated, AccountSuspended, accountCategory } from '../domain/account/account.ts'
import type { Decide } from '../domain/decider.ts'
import { entryCategory, entryIdOf } from '../domain/entry/entry.ts'
import { EntryEdited, EntryReverted, EntryTakenOver } from '../domain/entry/events.ts'
import type { Recorded } from '../domain/event.ts'
import { idOf, stepId } from '../domain/ids.ts'
import { OwnError } from '../domain/own-error.ts'
import { isRefusal } from '../domain/refusal.ts'
import { InvitationAccepted } from '../domain/story/events.ts'
import { storyCategory, storyIdOf } from '../domain/story/story.ts'
import { withdrawRating } from '../domain/votes/ratings.ts'
import {
  Rated,
  type Votes,
  type VotesEvent,
  votesCategory,
  votesStream,
  votesStreamsOf,
  type Work,
} from '../domain/votes/votes.ts'
import { restoreVotes, withdrawVotes } from '../domain/votes/withdrawals.ts'
import type { Clock } from '../ports/clock.ts'
import { isVotesEvent } from '../projections/ratings.ts'

export type VotesDeps = {
  readonly votes: Pick<Transactor<Votes, VotesEvent>, 'run'>
  readonly clock: Pick<Clock, 'now'>
}

const envelopeOf = ({ clock }: VotesDeps, { id, meta }: Recorded, step: string): Envelope => ({
  commandId: stepId(id, step),
  actor: operator,
  correlationId: meta.correlationId,
  at: clock.now(),
})

const run = async (
  deps: VotesDeps,
  stream: string,
  decide: Decide<Votes, VotesEvent, never>,
  event: Recorded,
): Promise<void> => {
  const done = await deps.votes.run(stream, decide, envelopeOf(deps, event, stream))
  if (isRefusal(done)) throw new OwnError(`${stream} was not changed for ${event.type}: ${done.refused}`)
}

/** Streams of an account that are written at once. */
const AT_ONCE = 8

/** The process of a suspension: the account's streams in their order, each decided on as it is. */
export const suspendedVotesSubscriber = (deps: VotesDeps): Subscriber => {
  const carryOut = async (event: Recorded, signal: AbortSignal): Promise<void> => {
    const decision = { accountId: idOf(event.stream), decision: event.id, revision: Number(event.revision) }
    const decide = event.type === AccountSuspended.type ? withdrawVotes(decision) : restoreVotes(decision)
    const streams = votesStreamsOf(decision.accountId)
    for (let at = 0; at < streams.length; at += AT_ONCE) {
      signal.throwIfAborted()
      await Promise.all(streams.slice(at, at + AT_ONCE).map(stream => run(deps, stream, decide, event)))
    }
  }
  return subscriber({
    name: 'suspended-votes',
    categories: [accountCategory],
    types: [AccountSuspended.type, AccountReinstated.type],
    // What is parked would leave an account's votes standing: stores that are away come back.
    attempts: 20,
    handle: async (events, signal) => {
      for (const event of events) await carryOut(event, signal)
    },
  })
}

/** Whose rating of what may not stand after the event, if they have given one. */
const writtenBy = (event: Recorded): { readonly account: string; readonly of: Work } | undefined => {
  if (event.type === InvitationAccepted.type) {
    const of: Work = { kind: 'story', target: storyIdOf(event) }
    return { account: String(event.data['account']), of }
  }
  const { actor } = event.meta
  return actor.kind === 'account' ? { account: actor.id, of: { kind: 'entry', target: entryIdOf(event) } } : undefined
}

/** Nobody rates what they write: nor what they have come to write after they rated it, or at the same moment. */
export const authorsVotesSubscriber = (deps: VotesDeps & Works): Subscriber => {
  const takeAway = (event: Recorded, account: string, of: Work): Promise<void> =>
    run(deps, votesStream(account, of), withdrawRating(account, of), event)
  const judge = async (event: Recorded): Promise<void> => {
    if (isVotesEvent(event)) {
      if (event.type !== 'Rated') return
      const { accountId, kind, target } = event.data
      if (await isOwn(deps, { kind, target }, accountId)) await takeAway(event, accountId, { kind, target })
      return
    }
    const written = writtenBy(event)
    if (written) await takeAway(event, written.account, written.of)
  }
  return subscriber({
    name: 'authors-votes',
    categories: [votesCategory, storyCategory, entryCategory],
    types: [Rated.type, InvitationAccepted.type, EntryEdited.type, EntryReverted.type, EntryTakenOver.type],
    handle: async (events, signal) => {
      for (const event of events) {
        signal.throwIfAborted()
        await judge(event)
      }
    },
  })
}
