/** The devices that an account was used on: what strangers do to its address does not keep these out. */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type JsonObject, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'

// Stream

export const devicesCategory = 'devices'
export const devicesStream = (accountId: string): string => streamName(devicesCategory, accountId)

// Events

const text = Type.String({ minLength: 1 })

/**
 * A sign-in that succeeded, or a link of a mail that was used (`byLink`), on a device it had not been seen on. `device` is a
 * keyed hash; `first`: nobody had signed in on another one before.
 */
export const DeviceAdded = eventType(
  'DeviceAdded',
  Type.Object(
    { accountId: text, device: text, first: Type.Boolean(), byLink: Type.Boolean() },
    { additionalProperties: false },
  ),
  { version: 2, upcasters: { 1: (data: JsonObject): JsonObject => ({ ...data, byLink: false }) } },
)

export const deviceEvents = [DeviceAdded] as const
export type DeviceEvent = EventOf<(typeof deviceEvents)[number]>

// Fold

/** `number` counts the account's devices from 1 on, so that its owner can tell them apart; `since` is RFC 3339. */
export type KnownDevice = { readonly hash: string; readonly number: number; readonly since: string }
export type Devices = {
  readonly accountId?: string
  /** The newest last. */
  readonly known: readonly KnownDevice[]
  /** Devices there ever were, those that were forgotten too. */
  readonly count: number
  readonly signedIn: boolean
}

export const knownDevice = ({ known }: Devices, hash: string): KnownDevice | undefined =>
  known.find(device => device.hash === hash)

/** Of more the oldest is forgotten: it signs in like any other stranger, with a mail. */
export const MOST_DEVICES = 50

export const evolveDevices = ({ known, count, signedIn }: Devices, { data, meta }: Recorded<DeviceEvent>): Devices => {
  const { accountId, device: hash } = data
  const device = { hash, number: count + 1, since: meta.at }
  return {
    accountId,
    count: count + 1,
    signedIn: signedIn || !data.byLink,
    known: [...known.filter(each => each.hash !== hash), device].slice(-MOST_DEVICES),
  }
}

export const devicesAggregate: Aggregate<Devices, DeviceEvent> = {
  category: devicesCategory,
  events: deviceEvents,
  initial: { known: [], count: 0, signedIn: false },
  evolve: evolveDevices,
  route: ({ accountId }) => ({ visibility: 'owner', ...defined({ owner: accountId }) }),
}

// Decide

export const addDevice =
  (accountId: string, device: string, byLink: boolean): Decide<Devices, DeviceEvent, never> =>
  devices =>
    knownDevice(devices, device)
      ? []
      : [{ type: 'DeviceAdded', data: { accountId, device, first: !devices.signedIn && !byLink, byLink } }]
