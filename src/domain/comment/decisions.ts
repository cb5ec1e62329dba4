/** What is decided on a comment: it is posted, edited, deleted, held back and released. */

import { MOST_NESTING } from '../chapter/limits.ts'
import { isDeeperThan } from '../chapter/nesting.ts'
import type { By, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import type { Visibility } from '../event.ts'
import { type CommonRefusal, type Refusal, refuse } from '../refusal.ts'
import { readText } from '../text/text.ts'
import { type Comment, type CommentState, currentVersion, isStanding, type Quote } from './comment.ts'
import type { CommentEvent } from './events.ts'
import { COMMENT_LENGTH, COMMENT_NESTING, EDIT_HOURS, MOST_DEPTH, MOST_EDITS, MOST_MENTIONS } from './limits.ts'
import { depthOf, pathBelow } from './path.ts'
import type { CommentRefusal } from './refusals.ts'
import { type Target, threadOf } from './target.ts'
import { isClosed, isFrozen, type Thread } from './thread.ts'

type CommentDecide = Decide<CommentState, CommentEvent, CommentRefusal | 'markup-too-deep'>
type Refused = Refusal<CommentRefusal | 'markup-too-deep' | CommonRefusal>

export const commentNotFound = (): Refusal<CommentRefusal> =>
  refuse('comment-not-found', 'There is no such comment, or it is not for you to see.')
const isGone = (detail: string): Refusal<CommentRefusal> => refuse('comment-gone', detail)

/** The text in stored form: normal form, no controls, not blank, not too long, not nested too deep. */
export const readComment = (given: string): string | Refused => {
  const { text, fault } = readText(given.trim(), { max: COMMENT_LENGTH, multiline: true })
  const at = (code: string, detail: string) => ({ errors: [{ pointer: '/text', code, detail }] })
  if (fault !== undefined) return refuse('text-invalid', fault, at('text-invalid', fault))
  if (isDeeperThan(text, Math.min(COMMENT_NESTING, MOST_NESTING)))
    return refuse(
      'markup-too-deep',
      `The markup nests more than ${COMMENT_NESTING} levels deep.`,
      at('too-deep', 'Quotes, lists, brackets or emphasis nest too deep.'),
    )
  return text
}

/** The comment that is answered or quoted, as it stands in its stream. */
export type Known = { readonly id: string; readonly comment: Comment; readonly revision: string }

/** What a comment is decided on that is not on its own stream, with the revisions at which it was looked at. */
export type Around = {
  readonly target: Target
  readonly story?: string
  readonly audience: Visibility
  readonly targetRevision: string
  readonly thread: Thread
  readonly threadRevision: string
  readonly parent?: Known
  /** By their ids, those that are quoted. */
  readonly quoted: ReadonlyMap<string, Comment>
}

export type Posting = {
  readonly id: string
  readonly text: string
  readonly mentions: readonly string[]
  readonly quotes: readonly Quote[]
}

/** Why nothing may be said there: the thread is closed, what is answered is gone, frozen or too deep. */
export const placeFault = ({ target, thread, parent }: Around): Refusal<CommentRefusal> | undefined => {
  if (isClosed(thread)) return refuse('thread-closed', 'The thread is closed: nothing more is said in it.')
  if (!parent) return undefined
  const { comment } = parent
  if (comment.thread !== threadOf(target)) return commentNotFound()
  if (!isStanding(comment)) return isGone('What you answer was deleted or is held back.')
  if (isFrozen(thread, comment.path)) return refuse('thread-frozen', 'This branch of the thread is frozen.')
  if (depthOf(comment.path) >= MOST_DEPTH)
    return refuse('thread-too-deep', `Answers stand ${MOST_DEPTH} deep at most: answer one further up.`)
  return undefined
}

const quoteFault = ({ target, quoted }: Around, quotes: readonly Quote[]): Refusal<CommentRefusal> | undefined => {
  for (const [index, { comment, revision, from, to }] of quotes.entries()) {
    const source = quoted.get(comment)
    const version = source?.versions.find(each => each.revision === revision)
    const inThread = source !== undefined && source.thread === threadOf(target) && isStanding(source)
    if (inThread && version && from < to && to <= [...version.text].length) continue
    const detail = 'It is no part of a comment of this thread.'
    return refuse('quote-invalid', detail, { errors: [{ pointer: `/quotes/${index}`, code: 'invalid', detail }] })
  }
  return undefined
}

/** Says something where all that is around it allows it. Decided once more after a conflict it is found, not said twice. */
export const postComment =
  ({ id, text: given, mentions, quotes }: Posting, around: Around, by: By): CommentDecide =>
  known => {
    if (known) return refuse('conflict', 'There is a comment of this id.')
    const text = readComment(given)
    if (typeof text !== 'string') return text
    const fault = placeFault(around) ?? quoteFault(around, quotes)
    if (fault) return fault
    const { target, story, audience, parent } = around
    const ancestors = parent ? [...parent.comment.ancestors, parent.id] : []
    return [
      {
        type: 'CommentPosted',
        data: {
          author: by.id,
          target,
          audience,
          ...defined({ story }),
          thread: threadOf(target),
          ancestors,
          root: ancestors[0] ?? id,
          ...defined({ parent: parent?.id }),
          path: pathBelow(parent?.comment.path ?? '', id, by.now),
          mentions: [...new Set(mentions)].filter(other => other !== by.id).slice(0, MOST_MENTIONS),
          quotes: [...quotes],
          seen: {
            target: around.targetRevision,
            thread: around.threadRevision,
            ...defined({ parent: parent?.revision }),
          },
          text,
        },
      },
    ]
  }

/** To all but its author a comment is not theirs to change; what is deleted is not there. */
const ownComment = (
  comment: CommentState,
  { id }: Pick<By, 'id'>,
): Comment | Refusal<CommentRefusal | CommonRefusal> => {
  if (!comment || comment.isDeleted) return commentNotFound()
  return comment.author === id ? comment : refuse('permission-denied', 'Only who said it may do this to a comment.')
}

const HOUR_MS = 60 * 60 * 1000
const fixed = (detail: string): Refusal<CommentRefusal> => refuse('comment-fixed', detail)

/** `isAnswered`, `thread`: as far as is known when this is decided. */
export const editComment =
  (
    given: string,
    { isAnswered, thread }: { readonly isAnswered: boolean; readonly thread: Thread },
    by: By,
  ): CommentDecide =>
  state => {
    const comment = ownComment(state, by)
    if ('refused' in comment) return comment
    const text = readComment(given)
    if (typeof text !== 'string') return text
    if (currentVersion(comment)?.text === text) return []
    if (isFrozen(thread, comment.path)) return refuse('thread-frozen', 'This branch of the thread is frozen.')
    if (isAnswered) return fixed('It was answered: what it says stands.')
    if (comment.holds.length > 0) return fixed('It is held back: nothing is changed of it meanwhile.')
    if (by.now.getTime() - Date.parse(comment.createdAt) > EDIT_HOURS * HOUR_MS)
      return fixed(`A comment may be edited for ${EDIT_HOURS} hours.`)
    if (comment.versions.length > MOST_EDITS) return fixed(`A comment is edited ${MOST_EDITS} times at most.`)
    return [{ type: 'CommentEdited', data: { ...defined({ story: comment.story }), thread: comment.thread, text } }]
  }

const placeOf = ({ story, thread, ancestors }: Comment) => ({
  ...defined({ story }),
  thread,
  ancestors: [...ancestors],
})

/** By who said it, whenever they want. Its stub stands as long as there is an answer. */
export const deleteComment =
  (by: Pick<By, 'id'>): CommentDecide =>
  state => {
    if (state?.isDeleted && state.author === by.id) return []
    const comment = ownComment(state, by)
    if ('refused' in comment) return comment
    return [{ type: 'CommentDeleted', data: { ...placeOf(comment), hides: isStanding(comment), ground: 'author' } }]
  }

/** With the account of who said it. Repeating it is harmless. */
export const deleteCommentOf =
  (accountId: string): Decide<CommentState, CommentEvent, never> =>
  comment =>
    !comment || comment.isDeleted || comment.author !== accountId
      ? []
      : [{ type: 'CommentDeleted', data: { ...placeOf(comment), hides: isStanding(comment), ground: 'erasure' } }]

/** With what it was about, whoever said it. Repeating it is harmless. */
export const deleteCommentWithWork: Decide<CommentState, CommentEvent, never> = comment =>
  !comment || comment.isDeleted
    ? []
    : [{ type: 'CommentDeleted', data: { ...placeOf(comment), hides: isStanding(comment), ground: 'work' } }]

/** Holds it back for the sake of a decision. Each decision once, and of what is deleted nothing is held. */
export const holdComment =
  (decision: string): Decide<CommentState, CommentEvent, CommentRefusal> =>
  comment => {
    if (!comment) return commentNotFound()
    if (comment.isDeleted) return isGone('It was deleted.')
    if (comment.holds.includes(decision)) return []
    return [{ type: 'CommentHeld', data: { ...placeOf(comment), decision, hides: isStanding(comment) } }]
  }

/** Takes back that decision alone: what others hold stays held. */
export const releaseComment =
  (decision: string): Decide<CommentState, CommentEvent, CommentRefusal> =>
  comment => {
    if (!comment) return commentNotFound()
    if (!comment.holds.includes(decision)) return []
    const shows = !comment.isDeleted && comment.holds.length === 1
    return [{ type: 'CommentReleased', data: { ...placeOf(comment), decision, shows } }]
  }
