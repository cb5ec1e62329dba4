/**
 * The keys that the streams of addresses are named with, by version. Two are in use while accounts move from one to the next: an
 * address is looked for under both, and claimed under the newer. One stream says which, so that all nodes agree at once.
 */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { type EventOf, eventType } from '../event.ts'
import { streamName } from '../ids.ts'
import { refuse } from '../refusal.ts'

// Stream

export const addressKeysCategory = 'addresskeys'
export const ADDRESS_KEYS_STREAM = streamName(addressKeysCategory, 'all')

// Events

const strict = { additionalProperties: false }
const version = Type.Integer({ minimum: 1 })
/** From here on addresses are claimed under this version. */
export const AddressKeyAdded = eventType('AddressKeyAdded', Type.Object({ version }, strict))
/** Nobody has an address under this version any more: none is looked for there. */
export const AddressKeyRetired = eventType('AddressKeyRetired', Type.Object({ version }, strict))

export const addressKeysEvents = [AddressKeyAdded, AddressKeyRetired] as const
export type AddressKeysEvent = EventOf<(typeof addressKeysEvents)[number]>

// Fold

/** `before` is the version that is being left; `since` when that began. */
export type AddressKeys = { readonly current: number; readonly before?: number; readonly since?: string }

export const addressKeysAggregate: Aggregate<AddressKeys, AddressKeysEvent> = {
  category: addressKeysCategory,
  events: addressKeysEvents,
  initial: { current: 1 },
  evolve: ({ current, ...rest }, event) =>
    event.type === 'AddressKeyAdded'
      ? { current: event.data.version, before: current, since: event.meta.at }
      : event.data.version === rest.before
        ? { current }
        : { current, ...rest },
  route: () => ({ visibility: 'owner' }),
}

/** Versions in use, the one to claim under first. */
export const liveVersions = ({ current, before }: AddressKeys): readonly number[] =>
  before === undefined ? [current] : [current, before]

// Decide

/** Longer than any link lives that a mail has told: a way back to an old address is the longest, with seven days. */
export const RETIRE_AFTER_MS = 8 * 24 * 60 * 60_000

/** Begins with the next version, unless accounts still move to this one. */
export const addKey = (): Decide<AddressKeys, AddressKeysEvent, never> => keys =>
  keys.before === undefined ? [{ type: 'AddressKeyAdded', data: { version: keys.current + 1 } }] : []

/** `left`: accounts that are still found under the version before. */
export const retireKey =
  (left: number, now: Date): Decide<AddressKeys, AddressKeysEvent, never> =>
  ({ before, since = '' }) => {
    if (before === undefined) return []
    if (left > 0) return refuse('conflict', `${left} accounts are still found under the key before.`)
    if (now.getTime() < Date.parse(since) + RETIRE_AFTER_MS) return []
    return [{ type: 'AddressKeyRetired', data: { version: before } }]
  }
