/**
 * Commenting, and closing and freezing threads. What a comment is about, the thread that it stands in and what it answers are other
 * streams: they are looked at first, and their revisions recorded. What comes in between is read as too late for its thread.
 */
import type { Envelope, Result, Transactor } from '../core/write/transact.ts'
import {
  type Comment,
  type CommentState,
  commentStream,
  currentVersion,
  type Quote,
} from '../domain/comment/comment.ts'
import * as decide from '../domain/comment/decisions.ts'
import type { CommentEvent, ThreadEvent } from '../domain/comment/events.ts'
import { notOpen, type Places } from '../domain/comment/place.ts'
import { type Target, threadOf } from '../domain/comment/target.ts'
import { closeThread, freeze, reopenThread, type Thread, thaw, threadStream } from '../domain/comment/thread.ts'
import type { By } from '../domain/decider.ts'
import { defined } from '../domain/defined.ts'
import { begunId } from '../domain/ids.ts'
import { type Looked, type Pipeline, pipelineCommand } from '../domain/moderation/pipeline.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import type { Permission } from '../domain/roles.ts'
import type { Viewer } from '../domain/story/sight.ts'
import { isBlockedBetween, type RelationDeps } from './relations.ts'

export type CommentDeps = RelationDeps & {
  readonly comments: Pick<Transactor<CommentState, CommentEvent>, 'load' | 'run'>
  readonly threads: Pick<Transactor<Thread, ThreadEvent>, 'load' | 'run'>
  readonly places: Places
  /** Comments at any depth below that stand, as far as is known. */
  readonly repliesTo: (id: string) => Promise<number>
  /** Seconds that a new account has to wait before it comments again, where this is one too many; counts it otherwise. */
  readonly wait: (accountId: string, now: Date) => Promise<number | undefined>
  /** Is the account one of the last days? */
  readonly isNew: (accountId: string, now: Date) => Promise<boolean>
  /** What is looked at of a text before others see it. */
  readonly pipeline: Pipeline
}

/** Who comments: an account, with what it may. */
export type Commenter = Viewer & { readonly account: string; readonly permissions: ReadonlySet<Permission> }

export type NewComment = {
  readonly target: Target
  readonly parent?: string
  readonly text: string
  readonly mentions: readonly string[]
  readonly quotes: readonly Quote[]
}

const byOf = ({ account: id, permissions }: Commenter, { at: now, commandId }: Envelope): By => ({
  id,
  permissions,
  now,
  commandId,
})
const revisionOf = (revision: bigint | 'none'): string => String(revision)
const isModerator = ({ permissions }: Commenter): boolean => permissions.has('comments:moderate')

const knownOf = async ({ comments }: CommentDeps, id: string): Promise<decide.Known | Refusal> => {
  const { state: comment, revision } = await comments.load(commentStream(id))
  return comment ? { id, comment, revision: revisionOf(revision) } : decide.commentNotFound()
}

/** Those that are quoted, by their ids; of what is not there nothing. */
const quotedOf = async ({ comments }: CommentDeps, quotes: readonly Quote[]): Promise<ReadonlyMap<string, Comment>> => {
  const ids = [...new Set(quotes.map(({ comment }) => comment))]
  const loaded = await Promise.all(ids.map(async id => [id, (await comments.load(commentStream(id))).state] as const))
  return new Map(loaded.flatMap(([id, comment]) => (comment ? [[id, comment] as const] : [])))
}

const unwanted = (): Refusal =>
  refuse('comment-unwanted', 'You and somebody whose work or comment this is do not hear each other.')

type Surroundings = decide.Around & { readonly authors: readonly string[] }

const aroundOf = async (deps: CommentDeps, who: Commenter, given: NewComment): Promise<Surroundings | Refusal> => {
  const found = await deps.places(given.target, who)
  if (isRefusal(found)) return found
  const { place, revision } = found
  if (!place.isOpen) return notOpen()
  const parent = given.parent === undefined ? undefined : await knownOf(deps, given.parent)
  if (parent && isRefusal(parent)) return parent
  const thread = await deps.threads.load(threadStream(threadOf(place.target)))
  return {
    target: place.target,
    authors: place.authors,
    audience: place.audience,
    targetRevision: revision,
    thread: thread.state,
    threadRevision: revisionOf(thread.revision),
    quoted: await quotedOf(deps, given.quotes),
    ...defined({ story: place.story, parent }),
  }
}

/** What is about this account and that of what it would say something to. A mention is no answer: it is taken, and told to nobody. */
const wantedFault = async (
  deps: CommentDeps,
  who: Commenter,
  { authors, parent, quoted }: Surroundings,
): Promise<Refusal | undefined> => {
  if (isModerator(who)) return undefined
  const others = [...authors, ...(parent ? [parent.comment.author] : []), ...[...quoted.values()].map(c => c.author)]
  return (await isBlockedBetween(deps, who.account, others)) ? unwanted() : undefined
}

/** What the pipeline makes of it: it passes, waits for a moderator, or is refused with the reason of the step. */
const lookAt = async (
  { pipeline, isNew }: Pick<CommentDeps, 'pipeline' | 'isNew'>,
  looked: Omit<Looked, 'isNew'>,
  { at, commandId }: Envelope,
): Promise<{ readonly hold?: decide.PipelineHold } | Refusal> => {
  const verdict = await pipeline({ ...looked, isNew: await isNew(looked.account, at) })
  if (!verdict) return {}
  const { step, outcome, reason } = verdict
  if (outcome === 'refuse')
    return refuse('text-refused', reason, { errors: [{ pointer: '/text', code: step, detail: reason }] })
  return { hold: { step, decision: begunId('decision', pipelineCommand(commandId)) } }
}

/** Says something. The id follows from the command, so that a repeat finds what was said. */
export const postComment = async (
  deps: CommentDeps,
  who: Commenter,
  given: NewComment,
  envelope: Envelope,
): Promise<Result<CommentState>> => {
  const id = begunId('comment', envelope.commandId)
  const stream = commentStream(id)
  // What was said is answered with again, whatever has become of what is around it.
  if ((await deps.comments.load(stream)).state)
    return deps.comments.run(stream, () => refuse('conflict', 'There is a comment of this id.'), envelope)
  const around = await aroundOf(deps, who, given)
  if (isRefusal(around)) return around
  const fault = await wantedFault(deps, who, around)
  if (fault) return fault
  const { text, mentions, quotes } = given
  const post = decide.postComment({ id, text, mentions, quotes }, around, byOf(who, envelope))
  const early = post(undefined)
  if (isRefusal(early)) return early
  const seconds = envelope.dryRun ? undefined : await deps.wait(who.account, envelope.at)
  if (seconds !== undefined)
    return refuse('comments-too-soon', 'A new account posts three comments within fifteen minutes.', {
      context: { seconds },
    })
  const looked = envelope.dryRun ? {} : await lookAt(deps, { account: who.account, text }, envelope)
  if (isRefusal(looked)) return looked
  const posting = { id, text, mentions, quotes, ...looked }
  return deps.comments.run(stream, decide.postComment(posting, around, byOf(who, envelope)), envelope)
}

export const editComment = async (
  deps: CommentDeps,
  who: Commenter,
  { id, text }: { readonly id: string; readonly text: string },
  envelope: Envelope,
): Promise<Result<CommentState>> => {
  const known = await knownOf(deps, id)
  if (isRefusal(known)) return known
  const { state: thread } = await deps.threads.load(threadStream(known.comment.thread))
  const isAnswered = (await deps.repliesTo(id)) > 0
  const by = byOf(who, envelope)
  const early = decide.editComment(text, { isAnswered, thread }, by)(known.comment)
  if (isRefusal(early) || early.length === 0) return deps.comments.run(commentStream(id), () => early, envelope)
  // What it said before is not looked at again.
  const before = currentVersion(known.comment)?.text ?? ''
  const looked = envelope.dryRun ? {} : await lookAt(deps, { account: who.account, text, before }, envelope)
  if (isRefusal(looked)) return deps.comments.run(commentStream(id), () => looked, envelope)
  const edit = decide.editComment(text, { isAnswered, thread, ...looked }, by)
  return deps.comments.run(commentStream(id), edit, envelope)
}

export const deleteComment = (
  { comments }: CommentDeps,
  { account: id }: Commenter,
  commentId: string,
  envelope: Envelope,
): Promise<Result<CommentState>> => comments.run(commentStream(commentId), decide.deleteComment({ id }), envelope)

/** Authors may end what is said under their work, and moderators under whatever there is. Hiding what was said is the moderators' alone. */
const endingFault = async (deps: CommentDeps, who: Commenter, target: Target): Promise<Refusal | undefined> => {
  const found = await deps.places(target, who)
  if (isRefusal(found)) return found
  if (isModerator(who) || found.place.authors.includes(who.account)) return undefined
  return refuse('permission-denied', 'Only the authors of the work, and moderators, may do this to its thread.')
}

export const endThread = async (
  deps: CommentDeps,
  who: Commenter,
  { target, isClosed }: { readonly target: Target; readonly isClosed: boolean },
  envelope: Envelope,
): Promise<Result<Thread>> => {
  const fault = await endingFault(deps, who, target)
  if (fault) return fault
  const thread = threadOf(target)
  const end = isClosed ? closeThread(thread, { by: who.account }) : reopenThread(thread, { by: who.account })
  return deps.threads.run(threadStream(thread), end, envelope)
}

/** A comment that is deleted may be frozen as well: what stands below it goes on otherwise. */
export const freezeBranch = async (
  deps: CommentDeps,
  who: Commenter,
  { id, isFrozen }: { readonly id: string; readonly isFrozen: boolean },
  envelope: Envelope,
): Promise<Result<Thread>> => {
  const known = await knownOf(deps, id)
  if (isRefusal(known)) return known
  const { thread, target, path } = known.comment
  const fault = await endingFault(deps, who, target)
  if (fault) return fault
  const branch = { comment: id, path }
  const decision = isFrozen ? freeze(thread, branch, { by: who.account }) : thaw(thread, branch, { by: who.account })
  return deps.threads.run(threadStream(thread), decision, envelope)
}

/** Where a comment stands, which never changes. */
export const pathOf = async ({ comments }: Pick<CommentDeps, 'comments'>, id: string): Promise<string> =>
  (await comments.load(commentStream(id))).state?.path ?? ''
