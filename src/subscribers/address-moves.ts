/** Finishes changes of address that a process left undone between two streams; the commands do the same at once. */

import type { Subscriber } from '../core/subscribe/define.ts'
import { addressCategory } from '../domain/address/address.ts'
import { AddressChangeConfirmed, AddressReclaimed, AddressReverted } from '../domain/address/change-events.ts'
import type { Recorded } from '../domain/event.ts'

/** Each is harmless when repeated, and rejects when it could not be done now. */
export const addressMovesSubscriber = (deps: {
  readonly completeChange: (claim: string, event: Recorded) => Promise<void>
  readonly completeReclaim: (event: Recorded) => Promise<void>
  readonly completeRevert: (claim: string, event: Recorded) => Promise<void>
}): Subscriber => ({
  name: 'address-moves',
  categories: [addressCategory],
  types: [AddressChangeConfirmed.type, AddressReverted.type, AddressReclaimed.type],
  handle: async events => {
    for (const event of events)
      if (event.type === AddressReverted.type) await deps.completeRevert(event.stream, event)
      else if (event.type === AddressReclaimed.type) await deps.completeReclaim(event)
      else await deps.completeChange(event.stream, event)
  },
})
