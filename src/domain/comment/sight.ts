/**
 * Who sees what of a comment, once its target may be seen. Lists, live channels and notices ask here. What may not be seen is a stub: it
 * says that something stands there, and neither what nor whose it is, so that counts and threads do not depend on who looks.
 */

/** What is looked at of a comment. `isHeld`: by a decision, or since it came too late for its thread. */
export type SeenComment = { readonly author: string; readonly isDeleted: boolean; readonly isHeld: boolean }

/** Who looks. `account`: absent for strangers and services. `hides`: whom they are not shown, for a block of either or a mute of theirs. */
export type CommentViewer = {
  readonly account?: string
  readonly isModerator: boolean
  readonly hides: (account: string) => boolean
}

/** `gone`: why there is a stub. Which of two has blocked the other nobody is told. */
export type CommentSight = 'shown' | { readonly gone: 'deleted' | 'held' | 'hidden' }

export const commentSight = (
  { author, isDeleted, isHeld }: SeenComment,
  { account, isModerator, hides }: CommentViewer,
): CommentSight => {
  if (isDeleted) return { gone: 'deleted' }
  if (isModerator || account === author) return 'shown'
  if (isHeld) return { gone: 'held' }
  return hides(author) ? { gone: 'hidden' } : 'shown'
}
