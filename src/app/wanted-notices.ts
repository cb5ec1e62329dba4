/** Which notices an account wants: what the subscribers that tell people and the mail ask. */
import { accountAggregate, accountStream } from '../domain/account/account.ts'
import { isIdle } from '../domain/account/standing.ts'
import {
  defaultPreferences,
  type Preferences,
  preferencesAggregate,
  preferencesStream,
} from '../domain/profile/preferences.ts'
import type { Core } from './core.ts'

/** Does the account want to be told of this, and is anybody there to be told? From the streams, so that what was chosen is so at once. */
export const openWants =
  ({ transactor }: Pick<Core, 'transactor'>, notice: keyof Preferences['notifications']) =>
  async (accountId: string): Promise<boolean> => {
    const { state: account } = await transactor(accountAggregate).load(accountStream(accountId))
    if (!account || isIdle(account)) return false
    const { state } = await transactor(preferencesAggregate).load(preferencesStream(accountId))
    return (state.chosen ?? defaultPreferences(account.locale)).notifications[notice]
  }
