/** Turning off mails by a token from the mail: 256 bits that follow from the service's key and the account (decision 31). */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { isRefusal } from '../domain/refusal.ts'
import { envelopeOf, type From } from './identity.ts'
import { changePreferences, type ProfileDeps } from './profiles.ts'

const macOf = (key: Uint8Array, accountId: string): Buffer =>
  createHmac('sha256', key).update(`unsubscribe roles\u001f${accountId}`, 'utf8').digest()

export const unsubscribeToken = (key: Uint8Array, accountId: string): string =>
  `${accountId}.${macOf(key, accountId).toString('base64url')}`

/** Turns off the one switch that the token is for. A token that is none, or whose account is gone, changes nothing. */
export const turnOffRoleMails = async (
  deps: ProfileDeps & { readonly linkSecret: Uint8Array },
  token: string,
  from: From,
): Promise<void> => {
  const [, accountId = '', given = ''] = /^([0-9a-f-]{36})\.([A-Za-z0-9_-]{43})$/.exec(token) ?? []
  const sent = Buffer.from(given, 'base64url')
  const real = macOf(deps.linkSecret, accountId)
  if (sent.length !== real.length || !timingSafeEqual(sent, real)) return
  const change = { email: { roles: false } }
  const result = await changePreferences(deps, accountId, change, undefined, envelopeOf(deps, from, accountId))
  if (isRefusal(result) && result.refused !== 'account-not-found') throw new Error(result.detail)
}
