/** Who may be told of a comment: what the subscriber that tells them and the mail ask. */
import { accountAggregate, accountStream } from '../domain/account/account.ts'
import { type Comment, commentAggregate, commentStream, isStanding } from '../domain/comment/comment.ts'
import { isTooLate, threadAggregate, threadStream } from '../domain/comment/thread.ts'
import { defaultPreferences, preferencesAggregate, preferencesStream } from '../domain/profile/preferences.ts'
import { isRefusal } from '../domain/refusal.ts'
import { relationsAggregate, relationsStream } from '../domain/relation/relations.ts'
import { storyAggregate, storyStream } from '../domain/story/story.ts'
import { openPlaces } from './comment-places.ts'
import type { Core } from './core.ts'
import { roleRightsOf } from './declared.ts'

/** From the streams, so that what was chosen, blocked or hidden is so at once. */
export const openCommentTelling = (core: Pick<Core, 'transactor' | 'areas'>) => {
  const { transactor, areas } = core
  const permissions = roleRightsOf(areas).of('contributor')
  const places = openPlaces(core)
  const relations = transactor(relationsAggregate)

  const hears = async (accountId: string, author: string): Promise<boolean> => {
    const { blocked, muted } = (await relations.load(relationsStream(accountId))).state
    if (blocked.has(author) || muted.has(author)) return false
    return !(await relations.load(relationsStream(author))).state.blocked.has(accountId)
  }

  return {
    mayBeTold: async (accountId: string, { author, target }: Comment): Promise<boolean> => {
      const { state: account } = await transactor(accountAggregate).load(accountStream(accountId))
      if (!account || account.suspended || account.erased || account.erasure?.begunAt !== undefined) return false
      const { state } = await transactor(preferencesAggregate).load(preferencesStream(accountId))
      const { notifications, adult } = state.chosen ?? defaultPreferences(account.locale)
      if (!notifications.comments || !(await hears(accountId, author))) return false
      const found = await places(target, { account: accountId, permissions, adult })
      return !isRefusal(found) && found.place.isOpen && (adult || !found.place.isAdult)
    },
    authorsOf: async ({ story }: Comment): Promise<readonly string[]> =>
      story === undefined ? [] : ((await transactor(storyAggregate).load(storyStream(story))).state?.authors ?? []),
    standing: async (id: string): Promise<Comment | undefined> => {
      const { state: comment } = await transactor(commentAggregate).load(commentStream(id))
      if (!comment || !isStanding(comment)) return undefined
      const { state: thread } = await transactor(threadAggregate).load(threadStream(comment.thread))
      return isTooLate(thread, comment) ? undefined : comment
    },
  }
}
