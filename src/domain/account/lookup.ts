/** A look at other people's personal data: who saw what of whom, before it is shown. */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'

// Stream

export const lookupCategory = 'lookup'
/** Each look has a stream of its own, as readings of the history have. */
export const lookupStream = (id: string): string => streamName(lookupCategory, id)

// Events

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })

/** What of an account was shown: its address, sessions, name, a hidden profile, why it has its roles, what it did and what was done to it. */
export const lookedAt = ['email', 'sessions', 'displayName', 'profile', 'reasons', 'activity'] as const

/**
 * `fields` are the members of personal data that were shown, of each of `accounts` (none where nothing was found); `profile` is
 * one that its owner shows to nobody. That an address or a name was asked for is said, never which one. `suspended` was asked for
 * before there were states.
 */
export const AccountsRead = eventType(
  'AccountsRead',
  Type.Object(
    {
      accounts: Type.Array(text),
      fields: Type.Array(Type.Enum([...lookedAt])),
      role: Type.Optional(text),
      suspended: Type.Optional(Type.Boolean()),
      state: Type.Optional(text),
      byAddress: Type.Boolean(),
      byName: Type.Optional(Type.Boolean()),
    },
    strict,
  ),
)
/** Whom or what these blocks keep out was shown, and why. `accounts`: those that are blocked by them. */
export const BlocksRead = eventType(
  'BlocksRead',
  Type.Object({ blocks: Type.Array(text, { minItems: 1 }), accounts: Type.Array(text) }, strict),
)
export const lookupEvents = [AccountsRead, BlocksRead] as const
export type LookupEvent = EventOf<(typeof lookupEvents)[number]>
export type AccountsLooked = EventOf<typeof AccountsRead>['data']

// Fold

/** `owner` is the actor who looked. */
export type Lookup = { readonly owner: string } | undefined

export const lookupAggregate: Aggregate<Lookup, LookupEvent> = {
  category: lookupCategory,
  events: lookupEvents,
  initial: undefined,
  evolve: (lookup, event: Recorded<LookupEvent>) => lookup ?? { owner: event.meta.actor.id },
  route: lookup => ({ visibility: 'owner', ...defined({ owner: lookup?.owner }) }),
}

// Decide

export const recordLookup =
  (event: LookupEvent): Decide<Lookup, LookupEvent, never> =>
  lookup =>
    lookup ? [] : [event]
