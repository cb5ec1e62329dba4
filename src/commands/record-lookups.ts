/** Notes that personal data of others was shown, before it is: who may see it is not to see it unseen. */
import type { Transactor } from '../core/write/transact.ts'
import { type Lookup, type LookupEvent, lookupStream, recordLookup } from '../domain/account/lookup.ts'
import type { Actor } from '../domain/event.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import type { Clock } from '../ports/clock.ts'
import { envelopeOf, type From } from './identity.ts'

export type RecordDeps = {
  readonly lookups: Transactor<Lookup, LookupEvent>
  readonly clock: Pick<Clock, 'now'>
  readonly newId: () => string
}

/** Who looks, and where that came from. */
export type Looker = { readonly actor: Actor; readonly from: From }

/** Undefined once it is in the log; what is not recorded is not to be shown. @throws {EventStoreError} */
export const recordLooked = async (deps: RecordDeps, event: LookupEvent, by: Looker): Promise<Refusal | undefined> => {
  const envelope = { ...envelopeOf(deps, by.from), actor: by.actor }
  const result = await deps.lookups.run(lookupStream(deps.newId()), recordLookup(event), envelope)
  return isRefusal(result) ? result : undefined
}
