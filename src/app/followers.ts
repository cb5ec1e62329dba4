/** Who may be told of a story that they follow: what the subscriber that tells them and the mail ask. */
import { accountAggregate, accountStream } from '../domain/account/account.ts'
import { defaultPreferences, preferencesAggregate, preferencesStream } from '../domain/profile/preferences.ts'
import { isListedFor } from '../domain/story/sight.ts'
import type { Story } from '../domain/story/story.ts'
import type { Core } from './core.ts'
import { roleRightsOf } from './declared.ts'

/** From the streams, so that what was chosen, or taken back, is so at once. */
export const openMayBeTold = ({ transactor, areas }: Pick<Core, 'transactor' | 'areas'>) => {
  const permissions = roleRightsOf(areas).of('contributor')
  return async (accountId: string, story: Story): Promise<boolean> => {
    const { state: account } = await transactor(accountAggregate).load(accountStream(accountId))
    if (!account || account.suspended || account.erased || account.erasure?.begunAt !== undefined) return false
    const { state } = await transactor(preferencesAggregate).load(preferencesStream(accountId))
    const { notifications, adult } = state.chosen ?? defaultPreferences(account.locale)
    return notifications.chapters && isListedFor(story, { account: accountId, permissions, adult })
  }
}
