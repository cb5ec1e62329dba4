/** Ends the other sessions where a process ended between a change of factor and that; the commands do the same at once. */

import type { Subscriber } from '../core/subscribe/define.ts'
import type { Recorded } from '../domain/event.ts'
import { PasskeyAdded, PasskeyRemoved, passkeysCategory } from '../domain/session/passkeys.ts'
import { factorsCategory, TotpConfirmed, TotpRemoved } from '../domain/session/second-factor.ts'

/** Harmless when repeated; rejects when it could not be done now. */
export const factorChangesSubscriber = (deps: {
  readonly endSessions: (
    by: { readonly accountId: string; readonly sessionId: string },
    event: Recorded,
  ) => Promise<void>
}): Subscriber => ({
  name: 'factor-changes',
  categories: [factorsCategory, passkeysCategory],
  types: [TotpConfirmed.type, TotpRemoved.type, PasskeyAdded.type, PasskeyRemoved.type],
  handle: async events => {
    for (const event of events) {
      const { accountId, sessionId } = event.data
      // Taken away by the service, after every session had ended.
      if (sessionId === undefined) continue
      await deps.endSessions({ accountId: String(accountId), sessionId: String(sessionId) }, event)
    }
  },
})
