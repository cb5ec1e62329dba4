/** Who may be told of a story that they follow: what the subscriber that tells them and the mail ask. */

import { isBlockedBetween } from '../commands/relations.ts'
import { accountAggregate, accountStream } from '../domain/account/account.ts'
import { defaultPreferences, preferencesAggregate, preferencesStream } from '../domain/profile/preferences.ts'
import { relationsAggregate, relationsStream } from '../domain/relation/relations.ts'
import { isListedFor } from '../domain/story/sight.ts'
import type { Story } from '../domain/story/story.ts'
import type { Core } from './core.ts'
import { roleRightsOf } from './declared.ts'

/** From the streams, so that what was chosen, taken back, blocked or muted is so at once. */
export const openMayBeTold = ({ transactor, areas }: Pick<Core, 'transactor' | 'areas'>) => {
  const permissions = roleRightsOf(areas).of('contributor')
  const relations = transactor(relationsAggregate)
  const isApart = async (accountId: string, authors: readonly string[]): Promise<boolean> => {
    const { muted } = (await relations.load(relationsStream(accountId))).state
    return authors.some(author => muted.has(author)) || isBlockedBetween({ relations }, accountId, authors)
  }
  return async (accountId: string, story: Story): Promise<boolean> => {
    const { state: account } = await transactor(accountAggregate).load(accountStream(accountId))
    if (!account || account.suspended || account.erased || account.erasure?.begunAt !== undefined) return false
    const { state } = await transactor(preferencesAggregate).load(preferencesStream(accountId))
    const { notifications, adult } = state.chosen ?? defaultPreferences(account.locale)
    if (!notifications.chapters || !isListedFor(story, { account: accountId, permissions, adult })) return false
    return story.authors.includes(accountId) || !(await isApart(accountId, story.authors))
  }
}
