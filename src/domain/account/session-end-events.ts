/** That sessions of an account end together, and why. Decided in session-ends.ts, and where what ends them is decided. */
import Type from 'typebox'
import { eventType } from '../event.ts'

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })
const secret = Type.String({ minLength: 1, seal: 'subject' as const })

/** Why sessions end together: but for the first three, by their owner. */
export const endReasons = [
  'administrator',
  'suspension',
  'erasure',
  'address-reverted',
  'password-changed',
  'reset',
  'factor-changed',
  'all-others',
  'all',
] as const
export type EndReason = (typeof endReasons)[number]

/**
 * Every session but `except` ends here. `device` is that of whoever ended them, where it is known. An administrator says
 * why in `grounds`, which are about a person and sealed under the key of `accountId`.
 */
export const SessionsEnded = eventType(
  'SessionsEnded',
  Type.Object(
    {
      except: Type.Optional(text),
      reason: Type.Optional(Type.Enum([...endReasons])),
      device: Type.Optional(text),
      by: Type.Optional(text),
      accountId: Type.Optional(text),
      grounds: Type.Optional(secret),
    },
    strict,
  ),
  { subject: data => String(data['accountId']) },
)

/** Who ends sessions: the session that is spared, the device it is on. */
export type Ending = { readonly except?: string; readonly device?: string }
