/** The devices that an account was used on: what strangers do to its address does not keep these out. */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
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
)

export const deviceEvents = [DeviceAdded] as const
export type DeviceEvent = EventOf<(typeof deviceEvents)[number]>

// Fold

export type Devices = {
  readonly accountId?: string
  /** Hashes, the newest last. */
  readonly known: readonly string[]
  readonly signedIn: boolean
}

/** Of more the oldest is forgotten: it signs in like any other stranger, with a mail. */
export const MOST_DEVICES = 50

export const evolveDevices = ({ known, signedIn }: Devices, { data }: Recorded<DeviceEvent>): Devices => ({
  accountId: data.accountId,
  signedIn: signedIn || !data.byLink,
  known: [...known.filter(each => each !== data.device), data.device].slice(-MOST_DEVICES),
})

export const devicesAggregate: Aggregate<Devices, DeviceEvent> = {
  category: devicesCategory,
  events: deviceEvents,
  initial: { known: [], signedIn: false },
  evolve: evolveDevices,
  route: ({ accountId }) => ({ visibility: 'owner', ...defined({ owner: accountId }) }),
}

// Decide

export const addDevice =
  (accountId: string, device: string, byLink: boolean): Decide<Devices, DeviceEvent> =>
  ({ known, signedIn }) =>
    known.includes(device)
      ? []
      : [{ type: 'DeviceAdded', data: { accountId, device, first: !signedIn && !byLink, byLink } }]
