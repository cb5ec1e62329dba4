/** What a change of factor does to sessions. */

import type { Envelope } from '../core/write/transact.ts'
import { accountStream } from '../domain/account/account.ts'
import { endSessions } from '../domain/account/session-ends.ts'
import { uuidv5 } from '../domain/ids.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import type { IdentityDeps } from './identity.ts'

/**
 * Ends every session but the one that changed a factor by this command. The command that does it has the same id whoever
 * carries it out, so that it has one effect.
 */
export const endForFactor = async (
  deps: Pick<IdentityDeps, 'accounts'>,
  by: { readonly accountId: string; readonly sessionId: string },
  envelope: Envelope,
): Promise<'done' | Refusal> => {
  const ending = { ...envelope, commandId: uuidv5(envelope.commandId, 'end-sessions') }
  const result = await deps.accounts.run(
    accountStream(by.accountId),
    endSessions('factor-changed', { except: by.sessionId }),
    ending,
  )
  return isRefusal(result) ? result : 'done'
}
