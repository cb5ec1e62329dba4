/** That sessions of an account end together, and why. Decided in session-ends.ts, and where what ends them is decided. */
import Type from 'typebox'
import { defined } from '../defined.ts'
import { eventType, type JsonObject } from '../event.ts'

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })
const secret = Type.String({ minLength: 1, seal: 'subject' as const })

/** Of the first version, in which `reason` was what is `cause` now, and what an administrator gave as the reason was `grounds`. */
export const withCause = ({ reason: cause, grounds: reason, ...rest }: JsonObject): JsonObject => ({
  ...rest,
  ...defined({ cause, reason }),
})

/** Why sessions end together: but for the first three, by their owner. */
export const endCauses = [
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
export type EndCause = (typeof endCauses)[number]

/**
 * Every session but `except` ends here. `device` is that of whoever ended them, where it is known. An administrator says
 * why in `reason`, which is about a person and sealed under the key of `accountId`.
 */
export const SessionsEnded = eventType(
  'SessionsEnded',
  Type.Object(
    {
      except: Type.Optional(text),
      cause: Type.Optional(Type.Enum([...endCauses])),
      device: Type.Optional(text),
      by: Type.Optional(text),
      accountId: Type.Optional(text),
      reason: Type.Optional(secret),
    },
    strict,
  ),
  { subject: data => String(data['accountId']), version: 2, upcasters: { 1: withCause } },
)

/** Who ends sessions: the session that is spared, the device it is on. */
export type Ending = { readonly except?: string; readonly device?: string }
