/**
 * Other people's accounts, for those who may see them. Addresses are for administrators alone, are read from the accounts'
 * own streams and kept nowhere; nothing of anybody is shown before it is in the log that it is.
 */

import type { Transactor } from '../core/write/transact.ts'
import type { Account, AccountEvent, AccountState } from '../domain/account/account.ts'
import { accountStream } from '../domain/account/account.ts'
import { type Grant, grantsOf } from '../domain/account/grants.ts'
import type { AccountsLooked } from '../domain/account/lookup.ts'
import { type StateOfAccount, stateOf } from '../domain/account/standing.ts'
import { isEmail, readEmail } from '../domain/address/email.ts'
import { defined } from '../domain/defined.ts'
import { denied } from '../domain/denial.ts'
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

export type AccountFilter = { readonly role?: string; readonly suspended?: boolean }
/** One page of accounts as this node has heard of them, the newest first. */
export type AccountPage = { readonly ids: readonly string[]; readonly next?: number }

export type LookupDeps = ClaimDeps &
  RecordDeps & {
    readonly accounts: Transactor<AccountState, AccountEvent>
    readonly profiles: Transactor<Profile, ProfileEvent>
    readonly devices: Pick<Transactor<Devices, DeviceEvent>, 'load'>
    readonly sessionsOf: (accountId: string) => readonly Session[]
    readonly page: (filter: AccountFilter, before: number | undefined, limit: number) => AccountPage
  }

/** One that was erased: the display name where its owner wished that it stays, and nothing else. */
export type ErasedView = { readonly id: string; readonly state: 'erased'; readonly displayName?: string }

export type AccountView = {
  readonly id: string
  readonly createdAt: string
  readonly state: Exclude<StateOfAccount, 'erased'>
  readonly suspended: boolean
  readonly roles: readonly Grant[]
  readonly displayName: string | null
  /** For administrators. */
  readonly email?: string | null
}

/** Who looks, as what, and where that came from. */
export type Onlooker = Looker & Pick<Rights, 'permissions' | 'isTold'>

/** What somebody needs to whom addresses are shown. */
const ADDRESSES = 'accounts:manage'
const seesAddresses = ({ permissions }: Onlooker): boolean => permissions.has(ADDRESSES)

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
    ...(seesAddresses(by) && { email: address ?? null }),
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
  readonly before?: number
  readonly limit: number
}

/** @throws {EventStoreError} */
export const listAccounts = async (
  deps: LookupDeps,
  { email: text, before, limit, ...filter }: ListRequest,
  by: Onlooker,
): Promise<{ readonly items: readonly AccountView[]; readonly next?: number } | Refusal> => {
  if (filter.role !== undefined && !isRole(filter.role))
    return refuse('role-unknown', `There is no such role: it is one of ${roles.join(', ')}.`)
  const asked = { ...filter, byAddress: text !== undefined }
  if (text === undefined) {
    const { ids, next } = deps.page(filter, before, limit)
    const items = await viewsOf(deps, ids, by)
    return (await record(deps, items, asked, by)) ?? { items, ...defined({ next }) }
  }
  if (!seesAddresses(by)) return denied(ADDRESSES, by)
  const email = readEmail(text)
  if (!isEmail(email)) return email
  const owner = ownerAmong(await lookUpClaims(deps, await claimsOf(deps, email)))?.owner
  const found = owner ? await viewsOf(deps, [owner.accountId], by) : []
  const { role, suspended } = filter
  const items = found
    .filter(each => role === undefined || each.roles.some(grant => grant.role === role))
    .filter(each => suspended === undefined || each.suspended === suspended)
  return (await record(deps, items, asked, by)) ?? { items }
}

/** @throws {EventStoreError} */
export const readAccount = async (
  deps: LookupDeps,
  id: string,
  by: Onlooker,
): Promise<AccountView | ErasedView | Refusal> => {
  const view = await lookAt(deps, id, by)
  if (view?.state === 'erased') return view
  if (!view) return refuse('account-not-found', 'There is no such account.')
  return (await record(deps, [view], { byAddress: false }, by)) ?? view
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
