/** What people are told by mail about their own factors and devices. */

import type { Recorded } from '../domain/event.ts'
import { idOf } from '../domain/ids.ts'
import { DeviceAdded, devicesCategory } from '../domain/session/devices.ts'
import { PasskeyAdded, PasskeyRefused, PasskeyRemoved, passkeysCategory } from '../domain/session/passkeys.ts'
import {
  factorsCategory,
  RecoveryCodesMade,
  RecoveryCodeUsed,
  TotpConfirmed,
  TotpRemoved,
} from '../domain/session/second-factor.ts'
import type { MailRule } from './mail.ts'

const NOTICE = 5

/** Their streams are named by the account. */
const to = ({ stream }: Recorded): readonly string[] => [`account:${idOf(stream)}`]
const data: MailRule['data'] = ({ meta, data: { left } }) => ({
  at: { instant: meta.at },
  left: typeof left === 'number' ? left : '-',
})
const notice = { category: factorsCategory, priority: NOTICE, to, data }
const passkey = { ...notice, category: passkeysCategory }

export const factorRules: readonly MailRule[] = [
  { ...notice, type: TotpConfirmed.type, template: 'factor-added' },
  { ...notice, type: TotpRemoved.type, template: 'factor-removed' },
  { ...notice, type: RecoveryCodesMade.type, template: 'recovery-codes-made' },
  { ...notice, type: RecoveryCodeUsed.type, template: 'recovery-code-used' },
  { ...passkey, type: PasskeyAdded.type, template: 'passkey-added' },
  { ...passkey, type: PasskeyRemoved.type, template: 'passkey-removed' },
  { ...passkey, type: PasskeyRefused.type, template: 'passkey-doubled' },
  {
    ...notice,
    type: DeviceAdded.type,
    category: devicesCategory,
    template: 'new-device',
    // The first sign-in of all follows the link of a sign-up, and of a link that sets a password another mail tells.
    to: event => (event.data['first'] === true || event.data['byLink'] === true ? [] : to(event)),
  },
]
