/**
 * Other people's accounts, for those who may see them. Addresses are for administrators alone, are read from the accounts'
 * own streams and kept nowhere; nothing of anybody is shown before it is in the log that it is.
 */

import type { Cursor } from '../core/query/define.ts'
import type { Transactor } from '../core/write/transact.ts'
import type { Account, AccountEvent, AccountState } from '../domain/account/account.ts'
import { accountStream } from '../domain/account/account.ts'
import type { ContentChoice } from '../domain/account/erasure-events.ts'
import { BASIC_ROLES, type Grant, type Granting, grantsOf } from '../domain/account/grants.ts'
import type { AccountsLooked } from '../domain/account/lookup.ts'
import { type StateOfAccount, stateOf } from '../domain/account/standing.ts'
import { addressStream } from '../domain/address/address.ts'
import { isEmail, readEmail } from '../domain/address/email.ts'
import { defined } from '../domain/defined.ts'
import { denied } from '../domain/denial.ts'
import { foundBy } from '../domain/profile/display-name.ts'
import { type Profile, type ProfileEvent, profileStream } from '../domain/profile/profile.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { isRole, type Rights, roles } from '../domain/roles.ts'
import {
  type DeviceEvent,
  type Devices,
  devicesStream,
  type KnownDevice,
  knownDevice,
} from '../domain/session/devices.ts'
import type { Session } from '../domain/session/session.ts'
import { type ClaimDeps, claimsOf, lookUpClaims, ownerAmong } from './address-claims.ts'
import { type Looker, type RecordDeps, recordLooked } from './record-lookups.ts'

/** A state that an account which is there may be in. */
export type LiveState = Exclude<StateOfAccount, 'erased'>
/** `name`: the beginning of a display name, whatever its case and accents. */
export type AccountFilter = { readonly role?: string; readonly state?: LiveState; readonly name?: string }
/** `next`: where the next page goes on; null at the end. `position`: what the page reflects. */
export type AccountPage = {
  readonly ids: readonly string[]
  readonly next: Cursor | null
  readonly position: bigint
}

export type LookupDeps = ClaimDeps &
  RecordDeps & {
    readonly accounts: Transactor<AccountState, AccountEvent>
    readonly profiles: Transactor<Profile, ProfileEvent>
    readonly devices: Pick<Transactor<Devices, DeviceEvent>, 'load'>
    readonly sessionsOf: (accountId: string) => readonly Session[]
    /** The newest first. @throws {ProjectionError} {ReadStoreError} */
    readonly page: (filter: AccountFilter, after: Cursor | undefined, limit: number) => Promise<AccountPage>
  }

/** One that was erased: the display name where its owner wished that it stays, and nothing else. */
export type ErasedView = { readonly id: string; readonly state: 'erased'; readonly displayName?: string }

/** What is to become of an account, and when; from `begunAt` on it cannot be taken back. Times are RFC 3339. */
export type ErasureView = {
  readonly requestedAt: string
  readonly due: string
  readonly begunAt?: string
  readonly content: ContentChoice
}

export type AccountView = {
  readonly id: string
  readonly createdAt: string
  readonly state: LiveState
  readonly suspended: boolean
  readonly roles: readonly (Grant & { readonly granted?: Omit<Granting, 'role'> })[]
  readonly displayName: string | null
  readonly erasure?: ErasureView
  /** For administrators. */
  readonly email?: string | null
}

/** One account as administrators see it: who granted its roles and why, and its live sessions. */
export type WholeView = AccountView & { readonly sessions?: readonly SessionView[] }

/** Who looks, as what, and where that came from. */
export type Onlooker = Looker & Pick<Rights, 'permissions' | 'isTold'>

/** What somebody needs to whom addresses are shown. */
const ADDRESSES = 'accounts:manage'
const seesAddresses = ({ permissions }: Onlooker): boolean => permissions.has(ADDRESSES)

const erasureOf = ({ erasure }: Account): ErasureView | undefined => {
  if (!erasure) return undefined
  const { requestedAt, due, begunAt, content } = erasure
  return { requestedAt, due, content, ...defined({ begunAt }) }
}

const viewOf = (deps: LookupDeps, account: Account, profile: Profile, by: Onlooker): AccountView | ErasedView => {
  const { id, createdAt, suspended, grants, address } = account
  const state = stateOf(account)
  if (state === 'erased') return { id, state, ...defined({ displayName: account.erased?.attribution }) }
  return {
    id,
    createdAt,
    state,
    suspended,
    roles: grantsOf(grants, deps.clock.now()),
    displayName: profile.displayName ?? null,
    ...defined({ erasure: erasureOf(account) }),
    ...defined({ email: seesAddresses(by) ? (address ?? null) : undefined }),
  }
}

const lookAt = async (deps: LookupDeps, id: string, by: Onlooker): Promise<AccountView | ErasedView | undefined> => {
  const { state: account } = await deps.accounts.load(accountStream(id))
  return account && viewOf(deps, account, (await deps.profiles.load(profileStream(id))).state, by)
}

/** Without those that were erased meanwhile: they are in no list of people. */
const viewsOf = async (deps: LookupDeps, ids: readonly string[], by: Onlooker): Promise<readonly AccountView[]> => {
  const found = await Promise.all(ids.map(id => lookAt(deps, id, by)))
  return found.flatMap(view => (view && view.state !== 'erased' ? view : []))
}

/** A live session, and the device that it is on as the account knows it. */
export type SessionView = { readonly session: Session; readonly device?: KnownDevice }

/** The live sessions of an account, the newest first. */
export const sessionViews = async (
  { devices, sessionsOf }: Pick<LookupDeps, 'devices' | 'sessionsOf'>,
  accountId: string,
): Promise<readonly SessionView[]> => {
  const { state } = await devices.load(devicesStream(accountId))
  return sessionsOf(accountId).map(session => ({ session, ...defined({ device: knownDevice(state, session.device) }) }))
}

type Asked = Omit<AccountsLooked, 'accounts' | 'fields'>

const recordAs = (deps: RecordDeps, data: AccountsLooked, by: Looker): Promise<Refusal | undefined> =>
  recordLooked(deps, { type: 'AccountsRead', data }, by)

const record = (
  deps: LookupDeps,
  views: readonly AccountView[],
  asked: Asked,
  by: Onlooker,
): Promise<Refusal | undefined> => {
  const fields: AccountsLooked['fields'] = seesAddresses(by) ? ['displayName', 'email'] : ['displayName']
  return recordAs(deps, { ...asked, accounts: views.map(({ id }) => id), fields }, by)
}

/** A profile is about to be shown to somebody who may see those that are shown to nobody. @throws {EventStoreError} */
export const recordProfile = (deps: RecordDeps, accountId: string, by: Looker): Promise<Refusal | undefined> =>
  recordAs(deps, { byAddress: false, accounts: [accountId], fields: ['profile'] }, by)

export type ListRequest = AccountFilter & {
  /** Exactly this address. */
  readonly email?: string
  /** Exactly the address of this claim: version and keyed hash, as the history names its stream behind `address-`. */
  readonly addressHash?: string
  readonly after?: Cursor
  readonly limit: number
}
export type ListedAccounts = {
  readonly items: readonly AccountView[]
  readonly next: Cursor | null
  /** What the list reflects; absent where it was read from the log itself. */
  readonly position?: bigint
}

const CLAIM = /^(\d{1,9})\.([\w-]{43})$/

/** The claims of the address that is asked for; undefined where none is. */
const askedClaims = async (
  deps: LookupDeps,
  { email: text, addressHash }: Pick<ListRequest, 'email' | 'addressHash'>,
): Promise<readonly string[] | Refusal | undefined> => {
  if (text === undefined && addressHash === undefined) return undefined
  const [, version, hash = ''] = CLAIM.exec(addressHash ?? '') ?? []
  const named = version === undefined ? [] : [addressStream(Number(version), hash)]
  if (text === undefined) return named
  const email = readEmail(text)
  if (!isEmail(email)) return email
  const claims = await claimsOf(deps, email)
  return addressHash === undefined ? claims : claims.filter(claim => named.includes(claim))
}

/** An account as it stands, which the read model may not have heard of: does it fit? */
const fits = ({ role, state, name }: AccountFilter, view: AccountView): boolean =>
  (role === undefined || isBasic(role) || view.roles.some(grant => grant.role === role)) &&
  (state === undefined || view.state === state) &&
  (name === undefined || (view.displayName !== null && foundBy(view.displayName).startsWith(foundBy(name))))

/** Everybody with an account is that. */
const isBasic = (role: string): boolean => BASIC_ROLES.some(basic => basic === role)

/**
 * The newest first. A page may hold fewer than `limit` though more follow: an account is
 * shown where it still fits as it is read. @throws {EventStoreError} {ProjectionError} {ReadStoreError}
 */
export const listAccounts = async (
  deps: LookupDeps,
  { email, addressHash, after, limit, ...filter }: ListRequest,
  by: Onlooker,
): Promise<ListedAccounts | Refusal> => {
  if (filter.role !== undefined && !isRole(filter.role))
    return refuse('role-unknown', `There is no such role: it is one of ${roles.join(', ')}.`)
  const { name, ...closed } = filter
  const asked = { ...closed, byAddress: email !== undefined || addressHash !== undefined, byName: name !== undefined }
  if (asked.byAddress && !seesAddresses(by)) return denied(ADDRESSES, by)
  const claims = await askedClaims(deps, defined({ email, addressHash }))
  if (claims && 'refused' in claims) return claims
  const owner = claims && ownerAmong(await lookUpClaims(deps, claims))?.owner
  const page = claims ? { ids: owner ? [owner.accountId] : [], next: null } : await deps.page(filter, after, limit)
  const items = (await viewsOf(deps, page.ids, by)).filter(view => fits(filter, view))
  return (await record(deps, items, asked, by)) ?? { ...page, items }
}

/** Who granted what is shown, and why, as far as that can still be read. */
const withGrantings = (view: AccountView, { granted = [] }: Account): AccountView => ({
  ...view,
  roles: view.roles.map(grant => {
    const found = granted.find(({ role }) => role === grant.role)
    if (!found) return grant
    const { role: _, ...how } = found
    return { ...grant, granted: how }
  }),
})

/** Administrators see it whole, which is in the log before it is shown. @throws {EventStoreError} */
export const readAccount = async (
  deps: LookupDeps,
  id: string,
  by: Onlooker,
): Promise<WholeView | ErasedView | Refusal> => {
  const { state: account } = await deps.accounts.load(accountStream(id))
  const view = account && viewOf(deps, account, (await deps.profiles.load(profileStream(id))).state, by)
  if (!account || !view) return refuse('account-not-found', 'There is no such account.')
  if (view.state === 'erased') return view
  if (!seesAddresses(by)) return (await record(deps, [view], { byAddress: false }, by)) ?? view
  const whole = { ...withGrantings(view, account), sessions: await sessionViews(deps, id) }
  const fields: AccountsLooked['fields'] = ['displayName', 'email', 'reasons', 'sessions']
  return (await recordAs(deps, { byAddress: false, accounts: [id], fields }, by)) ?? whole
}

/** Says in the log that somebody sees what an account did and what was done to it, before it is shown. @throws {EventStoreError} */
export const recordActivityRead = async (deps: LookupDeps, id: string, by: Onlooker): Promise<Refusal | undefined> => {
  const { state: account } = await deps.accounts.load(accountStream(id))
  if (!account) return refuse('account-not-found', 'There is no such account.')
  return recordAs(deps, { byAddress: false, accounts: [id], fields: ['activity'] }, by)
}

/** Somebody else's sessions, for administrators: what their clients call themselves is personal. @throws {EventStoreError} */
export const readSessions = async (
  deps: LookupDeps,
  id: string,
  by: Onlooker,
): Promise<readonly SessionView[] | Refusal> => {
  const { state: account } = await deps.accounts.load(accountStream(id))
  if (!account) return refuse('account-not-found', 'There is no such account.')
  const found = await sessionViews(deps, id)
  const data: AccountsLooked = { byAddress: false, accounts: [id], fields: ['sessions'] }
  return (await recordAs(deps, data, by)) ?? found
}
