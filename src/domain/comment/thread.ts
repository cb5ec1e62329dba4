/**
 * The thread of what comments are about: whether it is closed, and which of its branches are frozen. A comment that was decided before
 * that was known, and stands in the log behind it, reads as held: nothing has to be locked.
 */
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import type { Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { refuse } from '../refusal.ts'
import { type ThreadEvent, threadEvents } from './events.ts'
import { isWithin } from './path.ts'
import type { CommentRefusal } from './refusals.ts'

// Stream

export const threadCategory = 'thread'
/** By what `threadOf` makes of the target. */
export const threadStream = (thread: string): string => streamName(threadCategory, thread)

// Events: src/domain/comment/events.ts

// Fold

/**
 * Between these positions of the log nothing was to be said below `path`; '' is the whole thread. `to` is absent while it lasts. `decision`: the one
 * of a moderator that it is because of, which no author ends.
 */
export type Halt = {
  readonly path: string
  readonly comment?: string
  readonly decision?: string
  readonly from: bigint
  readonly to?: bigint
}
export type Thread = { readonly halts: readonly Halt[] }

/** Which halt it is: that of a decision stands beside that of an author, or of another decision. */
type Which = Pick<Halt, 'path' | 'decision'>

const lasting = ({ halts }: Thread, { path, decision }: Which): Halt | undefined =>
  halts.find(halt => halt.path === path && halt.decision === decision && halt.to === undefined)

const begin = (thread: Thread, halt: Halt): Thread =>
  lasting(thread, halt) ? thread : { halts: [...thread.halts, halt] }
const end = (thread: Thread, which: Which, to: bigint): Thread => {
  const last = lasting(thread, which)
  return last ? { halts: thread.halts.map(halt => (halt === last ? { ...halt, to } : halt)) } : thread
}

const evolveThread = (thread: Thread, event: Recorded<ThreadEvent>): Thread => {
  const { position } = event
  const because = defined({ decision: event.data.decision })
  switch (event.type) {
    case 'ThreadClosed':
      return begin(thread, { path: '', from: position, ...because })
    case 'ThreadReopened':
      return end(thread, { path: '', ...because }, position)
    case 'SubtreeFrozen': {
      const { path, comment } = event.data
      return begin(thread, { path, comment, from: position, ...because })
    }
    case 'SubtreeThawed':
      return end(thread, { path: event.data.path, ...because }, position)
  }
}

const HALT_BYTES = 500

export const threadAggregate: Aggregate<Thread, ThreadEvent> = {
  category: threadCategory,
  events: threadEvents,
  initial: { halts: [] },
  evolve: evolveThread,
  route: () => ({ visibility: 'owner' }),
  weigh: ({ halts }) => HALT_BYTES * (1 + halts.length),
  isAskedForByAnybody: true,
}

export const isClosed = ({ halts }: Thread): boolean => halts.some(({ path, to }) => path === '' && to === undefined)

/** Is a comment at this path below one that is frozen, or frozen itself? */
export const isFrozen = ({ halts }: Thread, path: string): boolean =>
  halts.some(halt => halt.path !== '' && halt.to === undefined && isWithin(path, halt.path))

/** Came it after its thread was closed, or what it answers was frozen, and before that ended? Then it was never to be there. */
export const isTooLate = ({ halts }: Thread, comment: { readonly path: string; readonly position: bigint }): boolean =>
  halts.some(
    ({ path, from, to }) =>
      isWithin(comment.path, path) && from < comment.position && (to === undefined || comment.position < to),
  )

// Decide

type Deciding = Decide<Thread, ThreadEvent, CommentRefusal>

export type Branch = { readonly comment: string; readonly path: string }

/** Closed and frozen once more nothing is written; a thread remembers so many changes at most. */
const MOST_HALTS = 1_000

const halting =
  (which: Which, event: ThreadEvent): Deciding =>
  thread => {
    if (lasting(thread, which)) return []
    if (thread.halts.length >= MOST_HALTS)
      return refuse('conflict', `A thread is closed and frozen ${MOST_HALTS} times at most.`)
    return [event]
  }

/** `decision`: where it is because of one, the one that this is because of. */
export type Halting = { readonly by: string; readonly decision?: string }

export const closeThread = (thread: string, halt: Halting): Deciding =>
  halting({ path: '', ...defined({ decision: halt.decision }) }, { type: 'ThreadClosed', data: { thread, ...halt } })

export const reopenThread =
  (thread: string, halt: Halting): Deciding =>
  state =>
    lasting(state, { path: '', ...defined({ decision: halt.decision }) })
      ? [{ type: 'ThreadReopened', data: { thread, ...halt } }]
      : []

export const freeze = (thread: string, { comment, path }: Branch, halt: Halting): Deciding =>
  halting(
    { path, ...defined({ decision: halt.decision }) },
    { type: 'SubtreeFrozen', data: { thread, ...halt, comment, path } },
  )

export const thaw =
  (thread: string, { comment, path }: Branch, halt: Halting): Deciding =>
  state =>
    lasting(state, { path, ...defined({ decision: halt.decision }) })
      ? [{ type: 'SubtreeThawed', data: { thread, ...halt, comment, path } }]
      : []
