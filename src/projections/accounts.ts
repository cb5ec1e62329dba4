/**
 * Accounts to be listed: how they stand, their roles, and keyed hashes of how their display name begins. Neither
 * addresses nor names are in it: an answer is made of the accounts' own streams. One that was erased is in none of it.
 */
import { createHmac } from 'node:crypto'
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
import { idOf } from '../domain/ids.ts'
import { foundBy } from '../domain/profile/display-name.ts'
import { ProfileEdited, profileCategory } from '../domain/profile/profile.ts'

export type AccountDocument = {
  /** The position at which it began: the order of the log, the same on every node. */
  readonly begun: number
  readonly state: Exclude<StateOfAccount, 'erased'>
  readonly suspended: boolean
  /** Those that were granted and not taken back, of which some may have ended since. */
  readonly roles: readonly string[]
  /** Hashes of the beginnings of its display name; absent where it has none. */
  readonly nameTerms?: readonly string[]
}

/** The purpose of the secret that names are hashed with. */
export const NAME_SECRET = 'name-search'

/** Beginnings of so many letters are hashed: with any number of accounts few names share more. */
const LONGEST = 12

const termOf = (secret: Uint8Array, letters: readonly string[]): string =>
  createHmac('sha256', secret).update(letters.join(''), 'utf8').digest('base64url').slice(0, 16)

/** What the beginning of a name is looked for by. `secret`: 32 bytes, without which a term says nothing of the name. */
export const nameTerm = (secret: Uint8Array, beginning: string): string =>
  termOf(secret, [...foundBy(beginning)].slice(0, LONGEST))

const nameTerms = (secret: Uint8Array, name: string): readonly string[] => {
  const letters = [...foundBy(name)].slice(0, LONGEST)
  return letters.map((_, at) => termOf(secret, letters.slice(0, at + 1)))
}

const standing = (document: AccountDocument, change: { readonly suspended?: boolean; readonly erasing?: boolean }) => {
  const { suspended = document.suspended, erasing = document.state === 'erasing' } = change
  const state: AccountDocument['state'] = erasing ? 'erasing' : suspended ? 'suspended' : 'active'
  return { ...document, suspended, state }
}

const withName = (secret: Uint8Array, document: AccountDocument, { data, removed }: Recorded): AccountDocument => {
  const { nameTerms: _, ...rest } = document
  const name = removed ? undefined : data['displayName']
  return { ...rest, ...defined({ nameTerms: typeof name === 'string' ? nameTerms(secret, name) : undefined }) }
}

const evolved = (document: AccountDocument, { type, data }: Recorded): AccountDocument => {
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
    default:
      return document
  }
}

const evolve =
  (secret: Uint8Array) =>
  (document: AccountDocument | undefined, event: Recorded): AccountDocument | undefined => {
    const { type, position } = event
    if (type === AccountErased.type) return undefined
    if (type === AccountCreated.type)
      return document ?? { begun: Number(position), state: 'active', suspended: false, roles: [] }
    if (!document) return undefined
    return type === ProfileEdited.type ? withName(secret, document, event) : evolved(document, event)
  }

/**
 * Each order begins with the state, a closed list of which all are asked for where none is named, and is read from either end.
 * `secret`: what the beginnings of names are hashed with.
 */
export const accountsProjection = (secret: Uint8Array) =>
  projection<AccountDocument>({
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
      { name: 'name', on: ['state', 'nameTerms', 'begun'], terms: 'nameTerms', narrow: true },
    ],
    key: ({ stream }) => idOf(stream),
    evolve: evolve(secret),
  })
