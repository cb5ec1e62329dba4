/**
 * The comments in two read models: where each stands and what shows below it, which stays as a stub of what was deleted; and what each
 * says, which goes with it. A document knows of itself whether it is listed: what is above a comment counts what stands below, so that
 * no stub waits for another to go.
 */
import { projection } from '../core/project/define.ts'
import { type Comment, commentCategory, commentIdOf, type Quote } from '../domain/comment/comment.ts'
import {
  CommentDeleted,
  CommentEdited,
  type CommentEvent,
  CommentPosted,
  commentEvents,
} from '../domain/comment/events.ts'
import { depthOf, newestFirst } from '../domain/comment/path.ts'
import type { Target } from '../domain/comment/target.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import { markOf } from '../domain/mark.ts'

const names: ReadonlySet<string> = new Set(commentEvents.map(({ type }) => type))
export const isCommentEvent = (event: Recorded): event is Recorded<CommentEvent> => names.has(event.type)

/**
 * `replies`: those at any depth below that stand. `listed`: its thread, where it stands, is held or has replies; `standing`: its thread, where it
 * stands; `own`: its author, until it is deleted. `position`: where the log has its beginning. `revision` and `mark` are its own stream's.
 */
export type CommentDocument = Omit<Comment, 'versions' | 'position' | 'audience'> & {
  readonly depth: number
  readonly newest: string
  readonly replies: number
  readonly editedAt?: string
  readonly position: string
  readonly revision: string
  readonly mark: string
  readonly listed?: string
  readonly standing?: string
  readonly own?: string
}

/** Of what no comment was posted: it is in no list, and never written where the log is whole. */
const nowhere: CommentDocument = {
  author: '',
  target: { kind: 'story', id: '' },
  thread: '',
  root: '',
  ancestors: [],
  path: '',
  mentions: [],
  quotes: [],
  holds: [],
  isDeleted: true,
  createdAt: '',
  depth: 0,
  newest: '',
  replies: 0,
  position: '0',
  revision: '0',
  mark: '',
}

/** With what it is found by, as it is now. */
const placed = (document: CommentDocument): CommentDocument => {
  const { listed: _l, standing: _s, own: _o, ...comment } = document
  const { thread, author, isDeleted, holds, replies } = comment
  if (thread === '') return comment
  const stands = !isDeleted && holds.length === 0
  return {
    ...comment,
    ...defined({
      listed: !isDeleted || replies > 0 ? thread : undefined,
      standing: stands ? thread : undefined,
      own: isDeleted ? undefined : author,
    }),
  }
}

const begun = (event: Recorded<Extract<CommentEvent, { type: 'CommentPosted' }>>): CommentDocument => {
  const { author, target, story, thread, root, parent, ancestors, path, mentions, quotes } = event.data
  const said: readonly Quote[] = quotes
  const about: Target = target
  return {
    ...nowhere,
    author,
    target: about,
    ...defined({ story, parent }),
    thread,
    root,
    ancestors,
    path,
    mentions,
    quotes: said,
    isDeleted: event.removed === true,
    createdAt: event.meta.at,
    depth: depthOf(path),
    newest: newestFirst(path),
    position: String(event.position),
  }
}

const evolveOwn = (before: CommentDocument, event: Recorded<CommentEvent>): CommentDocument => {
  switch (event.type) {
    case 'CommentPosted':
      return begun(event)
    case 'CommentEdited':
      return { ...before, editedAt: event.meta.at }
    case 'CommentDeleted':
      return { ...before, mentions: [], quotes: [], isDeleted: true }
    case 'CommentHeld': {
      const { decision } = event.data
      return before.holds.includes(decision) ? before : { ...before, holds: [...before.holds, decision] }
    }
    case 'CommentReleased':
      return { ...before, holds: before.holds.filter(hold => hold !== event.data.decision) }
  }
}

/** By how much the event changes the number of what stands. */
const countOf = (event: Recorded<CommentEvent>): number => {
  switch (event.type) {
    case 'CommentPosted':
      // What was deleted since is taken off by its own event.
      return 1
    case 'CommentDeleted':
    case 'CommentHeld':
      return event.data.hides ? -1 : 0
    case 'CommentReleased':
      return event.data.shows ? 1 : 0
    default:
      return 0
  }
}

export const commentsProjection = projection<CommentDocument>({
  name: 'comments',
  version: 1,
  categories: [commentCategory],
  indexes: [
    { name: 'thread', on: ['listed', 'path'] },
    { name: 'newest', on: ['listed', 'newest'] },
    { name: 'standing', on: ['standing'] },
    { name: 'own', on: ['own', 'createdAt'] },
  ],
  key: event => {
    if (!isCommentEvent(event)) return []
    const own = commentIdOf(event)
    return countOf(event) === 0 || !('ancestors' in event.data) ? own : [own, ...event.data.ancestors]
  },
  evolve: (document, event, id) => {
    if (!isCommentEvent(event)) return document
    const before = document ?? nowhere
    if (id !== commentIdOf(event)) return placed({ ...before, replies: Math.max(0, before.replies + countOf(event)) })
    const after = evolveOwn(before, event)
    return placed({ ...after, revision: String(event.revision), mark: markOf(event.id, event.meta.at) })
  },
})

/** What it says now. */
export type CommentTextDocument = { readonly text: string; readonly revision: string; readonly mark: string }

export const commentTextsProjection = projection<CommentTextDocument>({
  name: 'comment-texts',
  version: 1,
  categories: [commentCategory],
  types: [CommentPosted.type, CommentEdited.type, CommentDeleted.type],
  removals: [CommentDeleted.type],
  indexes: [],
  key: event => (isCommentEvent(event) ? commentIdOf(event) : []),
  evolve: (_, event) => {
    if (!isCommentEvent(event) || event.removed) return undefined
    if (event.type !== 'CommentPosted' && event.type !== 'CommentEdited') return undefined
    return { text: event.data.text, revision: String(event.revision), mark: markOf(event.id, event.meta.at) }
  },
})
