/**
 * The claim of a display name. Its stream is named by a keyed hash of the name's key, so that the store itself keeps a name
 * for one account and nobody reads a name from the stream. The profile says which claim is in use: a claim of fifteen
 * minutes that no profile names was given up, be it for another name or by a process that ended in between. So nothing has
 * to be written to release one, and no crash can lock a name.
 */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { refuse } from '../refusal.ts'

/** What is refused of a display name. */
export type NameRefusal = 'name-invalid' | 'name-taken'

// Stream

export const nameCategory = 'name'
/** `mac`: HMAC-SHA-256 of the name's key in base64url; `version` that of the secret. */
export const nameStream = (version: number, mac: string): string => streamName(nameCategory, `${version}.${mac}`)

// Events

const text = Type.String({ minLength: 1 })

/** The account has the name from here on, provided that its profile comes to name this claim within fifteen minutes. */
export const NameClaimed = eventType('NameClaimed', Type.Object({ accountId: text }, { additionalProperties: false }))

export const nameEvents = [NameClaimed] as const
export type NameEvent = EventOf<typeof NameClaimed>

// Fold

/** `id` is that of the event that claimed: a claim that was made anew is another one. */
export type NameHolder = { readonly id: string; readonly accountId: string; readonly claimedAt: string }
export type NameState = { readonly holder?: NameHolder }

export const nameAggregate: Aggregate<NameState, NameEvent> = {
  category: nameCategory,
  events: nameEvents,
  initial: {},
  evolve: (_, { id, data: { accountId }, meta }: Recorded<NameEvent>) => ({
    holder: { id, accountId, claimedAt: meta.at },
  }),
  route: ({ holder }) => ({ visibility: 'owner', ...defined({ owner: holder?.accountId }) }),
}

// Decide

export const CLAIM_MINUTES = 15

/** Has the claim stood so long that its account's profile would name it by now? */
export const mayHaveLapsed = ({ claimedAt }: NameHolder, now: Date): boolean =>
  Date.parse(claimedAt) + CLAIM_MINUTES * 60_000 <= now.getTime()

/** `abandoned` is the id of a claim that may have lapsed and that its account's profile does not name. */
export const claimName =
  (accountId: string, now: Date, abandoned?: string): Decide<NameState, NameEvent, NameRefusal> =>
  ({ holder }) =>
    !holder || holder.accountId === accountId || (holder.id === abandoned && mayHaveLapsed(holder, now))
      ? [{ type: 'NameClaimed', data: { accountId } }]
      : refuse('name-taken', 'Somebody has this name, or one that looks like it.', {
          errors: [{ pointer: '/displayName', code: 'taken', detail: 'This name is taken.' }],
        })
