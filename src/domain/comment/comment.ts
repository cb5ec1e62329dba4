/** A comment: who said what, where in which thread; what it said before, and whether it is held back or gone. */
import type { Static } from 'typebox'
import type { Aggregate } from '../decider.ts'
import { defined } from '../defined.ts'
import type { Recorded, Visibility } from '../event.ts'
import { streamName } from '../ids.ts'
import { type CommentEvent, commentEvents, type QuoteSchema } from './events.ts'
import type { Target } from './target.ts'

// Stream

export const commentCategory = 'comment'
export const commentStream = (id: string): string => streamName(commentCategory, id)
/** The comment's id from the name of its stream. */
export const commentIdOf = ({ stream }: { readonly stream: string }): string => stream.slice(commentCategory.length + 1)

// Events: src/domain/comment/events.ts

// Fold

export type Quote = Static<typeof QuoteSchema>
/** What it said from a revision on. `at` is RFC 3339. */
export type CommentVersion = { readonly revision: string; readonly at: string; readonly text: string }

/**
 * `versions`: all of them, the last one is what it says; none once it is deleted. `holds`: the decisions that hold it back. `position`: where the log
 * has its beginning, by which it is told whether it came after the end of its thread.
 */
export type Comment = {
  readonly author: string
  readonly target: Target
  readonly audience: Visibility
  readonly story?: string
  readonly thread: string
  readonly root: string
  readonly parent?: string
  readonly ancestors: readonly string[]
  readonly path: string
  readonly mentions: readonly string[]
  readonly quotes: readonly Quote[]
  readonly versions: readonly CommentVersion[]
  readonly holds: readonly string[]
  readonly isDeleted: boolean
  /** RFC 3339. */
  readonly deletedAt?: string
  readonly createdAt: string
  readonly position: bigint
}
export type CommentState = Comment | undefined

/** What it says now; undefined once it is deleted. */
export const currentVersion = ({ versions }: Pick<Comment, 'versions'>): CommentVersion | undefined => versions.at(-1)

/** Is it shown to those who have no part in it? */
export const isStanding = ({ isDeleted, holds }: Pick<Comment, 'isDeleted' | 'holds'>): boolean =>
  !isDeleted && holds.length === 0

const versionOf = (event: Recorded<Extract<CommentEvent, { type: 'CommentPosted' | 'CommentEdited' }>>) => ({
  revision: String(event.revision),
  at: event.meta.at,
  text: event.data.text,
})

const begun = (event: Recorded<Extract<CommentEvent, { type: 'CommentPosted' }>>): Comment => {
  const { author, target, audience, story, thread, root, parent, ancestors, path, mentions, quotes } = event.data
  return {
    author,
    target,
    audience,
    ...defined({ story }),
    thread,
    root,
    ...defined({ parent }),
    ancestors,
    path,
    mentions,
    quotes,
    versions: event.removed ? [] : [versionOf(event)],
    holds: [],
    isDeleted: event.removed === true,
    createdAt: event.meta.at,
    position: event.position,
  }
}

/** The comment after the event. An event that cannot follow leaves it as it is; nothing throws. */
export const evolveComment = (comment: CommentState, event: Recorded<CommentEvent>): CommentState => {
  if (event.type === 'CommentPosted') return comment ?? begun(event)
  if (!comment) return undefined
  switch (event.type) {
    case 'CommentEdited':
      if (comment.isDeleted || event.removed) return comment
      return { ...comment, versions: [...comment.versions, versionOf(event)] }
    case 'CommentDeleted':
      return { ...comment, versions: [], mentions: [], quotes: [], isDeleted: true, deletedAt: event.meta.at }
    case 'CommentHeld': {
      const { decision } = event.data
      return comment.holds.includes(decision) ? comment : { ...comment, holds: [...comment.holds, decision] }
    }
    case 'CommentReleased':
      return { ...comment, holds: comment.holds.filter(hold => hold !== event.data.decision) }
    default:
      return comment
  }
}

/** For text of which half is not Latin, and what stands beside it. */
const BESIDE_BYTES = 2_000
const CHARACTER_BYTES = 2

export const commentAggregate: Aggregate<CommentState, CommentEvent> = {
  category: commentCategory,
  events: commentEvents,
  initial: undefined,
  evolve: evolveComment,
  // For whom what it is about was then; what may be seen now is asked where it is told.
  route: comment => ({ visibility: comment?.audience ?? 'owner', ...defined({ owner: comment?.author }) }),
  isRemoved: comment => comment?.isDeleted === true,
  weigh: comment =>
    BESIDE_BYTES + CHARACTER_BYTES * (comment?.versions ?? []).reduce((sum, { text }) => sum + text.length, 0),
  isAskedForByAnybody: true,
}

// Decide: src/domain/comment/decisions.ts
