/** What people are told by mail about their own factors and devices. */
import { type Account, accountStream } from '../domain/account.ts'
import { DeviceAdded, devicesCategory } from '../domain/devices.ts'
import type { Recorded } from '../domain/event.ts'
import { PasskeyAdded, PasskeyRefused, PasskeyRemoved, passkeysCategory } from '../domain/passkeys.ts'
import type { Preferences } from '../domain/preferences.ts'
import {
  factorsCategory,
  RecoveryCodesMade,
  RecoveryCodeUsed,
  TotpConfirmed,
  TotpRemoved,
} from '../domain/second-factor.ts'
import type { MailRule, Recipient } from './mail.ts'

export type FactorMailDeps = {
  readonly account: (stream: string) => Promise<Account | undefined>
  readonly preferences: (accountId: string) => Promise<Preferences | undefined>
}

const NOTICE = 5
const minute = (time: string): string => `${time.slice(0, 16).replace('T', ' ')} UTC`

export const factorRules = (deps: FactorMailDeps): readonly MailRule[] => {
  const to = async ({ stream }: Recorded): Promise<readonly Recipient[]> => {
    const account = await deps.account(accountStream(stream.slice(stream.indexOf('-') + 1)))
    if (account?.address === undefined) return []
    const chosen = await deps.preferences(account.id)
    return [{ address: account.address, locale: chosen?.language ?? account.locale }]
  }
  const data = ({ meta, data: { left } }: Recorded) => ({ at: minute(meta.at), left: String(left ?? '-') })
  const notice = { category: factorsCategory, priority: NOTICE, to, data }
  const passkey = { ...notice, category: passkeysCategory }
  return [
    { ...notice, type: TotpConfirmed.type, template: 'factor-added' },
    { ...notice, type: TotpRemoved.type, template: 'factor-removed' },
    { ...notice, type: RecoveryCodesMade.type, template: 'recovery-codes-made' },
    { ...notice, type: RecoveryCodeUsed.type, template: 'recovery-code-used' },
    { ...passkey, type: PasskeyAdded.type, template: 'passkey-added' },
    { ...passkey, type: PasskeyRemoved.type, template: 'passkey-removed' },
    { ...passkey, type: PasskeyRefused.type, template: 'passkey-doubled' },
    {
      ...{ ...notice, type: DeviceAdded.type, category: devicesCategory, template: 'new-device' },
      // The first sign-in of all follows the link of a sign-up: that is no news to anybody.
      to: async event => (event.data['first'] === true ? [] : to(event)),
    },
  ]
}
