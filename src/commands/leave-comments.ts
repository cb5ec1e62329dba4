/**
 * What becomes of comments when the account of who said them is erased: the keys of their texts are destroyed, and stubs stand where there
 * are answers. Done before the account's key is destroyed, and again from the start where a process ended in the middle.
 */
import type { Envelope, Transactor } from '../core/write/transact.ts'
import type { CommentState } from '../domain/comment/comment.ts'
import { deleteCommentOf } from '../domain/comment/decisions.ts'
import type { CommentEvent } from '../domain/comment/events.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import type { Belongings } from './belongings.ts'

export type LeavingCommentsDeps = {
  readonly comments: Pick<Transactor<CommentState, CommentEvent>, 'run'>
}

/** `by`: an envelope of its own for each command. */
export const leaveComments = async (
  deps: LeavingCommentsDeps,
  { accountId, comments }: Pick<Belongings, 'comments'> & { readonly accountId: string },
  by: () => Envelope,
): Promise<'done' | Refusal> => {
  for (const stream of comments) {
    const deleted = await deps.comments.run(stream, deleteCommentOf(accountId), by())
    if (isRefusal(deleted)) return deleted
  }
  return 'done'
}
