/**
 * Accounts to be listed: how they stand, their roles and the key of their display name. Neither addresses nor
 * anything as it was written: an answer is made of the accounts' own streams. One that was erased is in none of it.
 */
import { projection } from '../core/project/define.ts'
import {
  AccountCreated,
  AccountReinstated,
  AccountSuspended,
  accountCategory,
  RoleGranted,
  RoleTaken,
} from '../domain/account/account.ts'
import { AccountErased, ErasureCancelled, ErasureRequested } from '../domain/account/erasure-events.ts'
import type { StateOfAccount } from '../domain/account/standing.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import { foundBy } from '../domain/profile/display-name.ts'
import { ProfileEdited, profileCategory } from '../domain/profile/profile.ts'

export type AccountDocument = {
  /** The position at which it began: the order of the log, the same on every node. */
  readonly begun: number
  readonly state: Exclude<StateOfAccount, 'erased'>
  readonly suspended: boolean
  /** Those that were granted and not taken back, of which some may have ended since. */
  readonly roles: readonly string[]
  /** Absent where the account has no display name. ASCII. */
  readonly nameKey?: string
}

const standing = (document: AccountDocument, change: { readonly suspended?: boolean; readonly erasing?: boolean }) => {
  const { suspended = document.suspended, erasing = document.state === 'erasing' } = change
  const state: AccountDocument['state'] = erasing ? 'erasing' : suspended ? 'suspended' : 'active'
  return { ...document, suspended, state }
}

const withName = (document: AccountDocument, { data, removed }: Recorded): AccountDocument => {
  const { nameKey: _, ...rest } = document
  const name = removed ? undefined : data['displayName']
  return { ...rest, ...defined({ nameKey: typeof name === 'string' ? foundBy(name) : undefined }) }
}

const evolve = (document: AccountDocument | undefined, event: Recorded): AccountDocument | undefined => {
  const { type, data, position } = event
  if (type === AccountErased.type) return undefined
  if (type === AccountCreated.type)
    return document ?? { begun: Number(position), state: 'active', suspended: false, roles: [] }
  if (!document) return undefined
  const others = document.roles.filter(role => role !== data['role'])
  switch (type) {
    case RoleGranted.type:
      return { ...document, roles: [...others, String(data['role'])] }
    case RoleTaken.type:
      return { ...document, roles: others }
    case AccountSuspended.type:
      return standing(document, { suspended: true })
    case AccountReinstated.type:
      return standing(document, { suspended: false })
    case ErasureRequested.type:
      return standing(document, { erasing: true })
    case ErasureCancelled.type:
      return standing(document, { erasing: false })
    case ProfileEdited.type:
      return withName(document, event)
    default:
      return document
  }
}

/** Each order begins with the state, a closed list of which all are asked for where none is named, and is read from either end. */
export const accountsProjection = projection<AccountDocument>({
  name: 'accounts',
  version: 1,
  categories: [accountCategory, profileCategory],
  types: [
    AccountCreated.type,
    RoleGranted.type,
    RoleTaken.type,
    AccountSuspended.type,
    AccountReinstated.type,
    ErasureRequested.type,
    ErasureCancelled.type,
    AccountErased.type,
    ProfileEdited.type,
  ],
  removals: [AccountErased.type],
  indexes: [
    { name: 'begun', on: ['state', 'begun'] },
    { name: 'role', on: ['state', 'roles', 'begun'], terms: 'roles', narrow: true },
    { name: 'name', on: ['state', 'nameKey'] },
  ],
  key: ({ stream }) => stream.slice(stream.indexOf('-') + 1),
  evolve,
})
