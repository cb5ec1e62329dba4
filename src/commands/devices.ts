/** Which device a sign-in comes from: told by a token of 256 bits that it was given at an earlier one. */

import type { Transactor } from '../core/write/transact.ts'
import { type Account, accountStream } from '../domain/account/account.ts'
import { uuidv5 } from '../domain/ids.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import { addDevice, type DeviceEvent, type Devices, devicesStream, knownDevice } from '../domain/session/devices.ts'
import type { Random } from './factor-codes.ts'
import { deviceOf, envelopeOf, type From, type IdentityDeps } from './identity.ts'

export type DeviceDeps = IdentityDeps & {
  readonly devices: Transactor<Devices, DeviceEvent>
  readonly randomBytes: Random
}

/** `counted`: what the tries are counted by where the device is known, so that no stranger uses them up. */
export type Device = { readonly token?: string; readonly hash: string; readonly known: boolean }

const TOKEN_BYTES = 32
const TOKEN = /^[A-Za-z0-9_-]{43}$/

/** Of whom it is the device: the account's, or, where there is none, the claim's. */
const ownerOf = (account: Account | undefined, claim: string): string => (account ? accountStream(account.id) : claim)

/** The device that a request comes from; where it brings no token, what the client calls itself has to do. */
export const readDevice = async (
  deps: DeviceDeps,
  account: Account | undefined,
  claim: string,
  from: From,
): Promise<Device> => {
  // Looked up where there is no account too: it is to take as long.
  const { state } = await deps.devices.load(devicesStream(account?.id ?? uuidv5(NOBODY, claim)))
  const owner = ownerOf(account, claim)
  const token = from.device
  if (token === undefined || !TOKEN.test(token)) return { hash: deviceOf(deps, owner, from.agent), known: false }
  const hash = deviceOf(deps, owner, `token ${token}`)
  return { token, hash, known: account !== undefined && knownDevice(state, hash) !== undefined }
}

const NOBODY = 'a6b6ed4b-6b5c-4a6e-9b1c-5c1f1f0b7b11'

/** The device as it is known after a sign-in: one without a token is given one. */
export const nameDevice = (deps: DeviceDeps, account: Account, device: Device): Required<Device> => {
  const { token } = device
  if (token !== undefined) return { ...device, token }
  const given = Buffer.from(deps.randomBytes(TOKEN_BYTES)).toString('base64url')
  return { token: given, hash: deviceOf(deps, accountStream(account.id), `token ${given}`), known: false }
}

/** Notes a device that the account did not know. */
export const noteDevice = async (
  deps: DeviceDeps,
  account: Account,
  { hash, known }: Device,
  from: From,
  byLink = false,
): Promise<'done' | Refusal> => {
  if (known) return 'done'
  const envelope = envelopeOf(deps, from, account.id)
  const result = await deps.devices.run(devicesStream(account.id), addDevice(account.id, hash, byLink), envelope)
  return isRefusal(result) ? result : 'done'
}

/** Whoever uses a link of a mail is the owner: the device they do it on is known, so that no stranger keeps it out. */
export const keepDeviceOfLink = async (
  deps: DeviceDeps,
  account: Account,
  from: From,
): Promise<{ readonly device: string } | Refusal> => {
  const named = nameDevice(deps, account, await readDevice(deps, account, account.claim, from))
  const noted = await noteDevice(deps, account, named, from, true)
  return noted === 'done' ? { device: named.token } : noted
}

/** Both, for a sign-in that succeeded. */
export const keepDevice = async (
  deps: DeviceDeps,
  account: Account,
  device: Device,
  from: From,
): Promise<Required<Device> | Refusal> => {
  const named = nameDevice(deps, account, device)
  const noted = await noteDevice(deps, account, named, from)
  return noted === 'done' ? named : noted
}
