/**
 * The end of a sign-up that nobody confirms: what a stranger gave, perhaps another one's address, is not kept for good. It is
 * written down first and the key destroyed after it, so that a process that ends between the two is followed by another one.
 */
import { accountStream } from '../domain/account/account.ts'
import { endSignUp, signUpEnds } from '../domain/address/address.ts'
import type { Actor } from '../domain/event.ts'
import { actorId, uuidv5 } from '../domain/ids.ts'
import { OwnError } from '../domain/own-error.ts'
import { isRefusal } from '../domain/refusal.ts'
import type { Keys } from '../ports/keys.ts'
import { envelopeOf, type From, type IdentityDeps } from './identity.ts'

export type SignUpEndDeps = Pick<IdentityDeps, 'addresses' | 'accounts' | 'clock' | 'newId'> & {
  readonly keys: Pick<Keys, 'destroy'>
}

const ender: Actor = { kind: 'system', id: actorId('system', 'sign-ups') }
/** One end for each sign-up, however often it is tried. */
const ENDS = uuidv5('6ba7b812-9dad-11d1-80b4-00c04fd430c8', 'lexichron:sign-up-end')

/**
 * Ends what was begun for `accountId` on the address of `claim`, where it is due. A date says when to look again: another
 * link was asked for meanwhile. An account that came of it is left alone.
 */
export const endUnconfirmed = async (
  deps: SignUpEndDeps,
  { claim, accountId }: { readonly claim: string; readonly accountId: string },
  from: From,
): Promise<'confirmed' | 'ended' | Date> => {
  const confirmed = async () => (await deps.accounts.load(accountStream(accountId))).state !== undefined
  if (await confirmed()) return 'confirmed'
  const envelope = { ...envelopeOf(deps, from), actor: ender, commandId: uuidv5(ENDS, accountId) }
  const result = await deps.addresses.run(claim, endSignUp(accountId, envelope.at), envelope)
  if (isRefusal(result)) throw new OwnError(`a sign-up was not ended: ${result.refused}`)
  const { holder, pending } = result.state
  const link = pending.find(each => each.accountId === accountId)?.links.at(-1)
  if (link) return signUpEnds(link.expiresAt)
  // Confirmed in this moment, and perhaps given up again since: an account is begun right after its address.
  if (holder?.accountId === accountId || (await confirmed())) return 'confirmed'
  await deps.keys.destroy(`subject:${accountId}`)
  return 'ended'
}
