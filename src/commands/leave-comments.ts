/**
 * What becomes of comments when the account of who said them is erased: the keys of their texts are destroyed, and stubs stand where there
 * are answers. Done before the account's key is destroyed, and again from the start where a process ended in the middle.
 */
import type { Log } from '../core/log/log.ts'
import type { Envelope, Transactor } from '../core/write/transact.ts'
import type { CommentState } from '../domain/comment/comment.ts'
import { deleteCommentOf } from '../domain/comment/decisions.ts'
import { type CommentEvent, CommentPosted } from '../domain/comment/events.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import { sinceAccount } from './since-account.ts'

export type LeavingCommentsDeps = {
  readonly comments: Pick<Transactor<CommentState, CommentEvent>, 'run'>
  readonly log: Pick<Log, 'readStream' | 'readFrom'>
}

/** The streams of what the account has said. */
const saidBy = async ({ log }: LeavingCommentsDeps, accountId: string): Promise<readonly string[]> => {
  const streams: string[] = []
  for await (const { stream, data } of sinceAccount(log, accountId, [CommentPosted.type]))
    if (data['author'] === accountId) streams.push(stream)
  return streams
}

/** `by`: an envelope of its own for each command. */
export const leaveComments = async (
  deps: LeavingCommentsDeps,
  accountId: string,
  by: () => Envelope,
): Promise<'done' | Refusal> => {
  for (const stream of await saidBy(deps, accountId)) {
    const deleted = await deps.comments.run(stream, deleteCommentOf(accountId), by())
    if (isRefusal(deleted)) return deleted
  }
  return 'done'
}
