/** An account: its address and password (sealed under its own key), its roles, whether it may act. */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { refuse } from '../refusal.ts'
import { type Role, roles } from '../roles.ts'
import { type Erased, type Erasure, erasureEvents } from './erasure-events.ts'
import type { Grant, Granting } from './grants.ts'
import { type Ending, SessionsEnded } from './session-end-events.ts'
import { endFault, isIdle } from './standing.ts'

/** What is refused of an account. */
export type AccountRefusal =
  | 'account-not-found'
  | 'account-suspended'
  | 'account-erased'
  | 'erasure-begun'
  | 'receipt-not-found'
  | 'last-administrator'
  | 'own-role'
  | 'role-unknown'
  | 'role-basic'
  | 'role-not-held'
  | 'grant-suspended'
  | 'grant-beyond-own'
  | 'grant-past'
  | 'grant-languages'
  | 'password-weak'
  | 'credentials-wrong'

// Stream

export const accountCategory = 'account'
export const accountStream = (id: string): string => streamName(accountCategory, id)

// Events

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })
const secret = Type.String({ minLength: 1, seal: 'subject' as const })
/** The hash of a password, which is shown to nobody. */
const hashed = Type.String({ minLength: 1, seal: 'subject' as const, secret: true as const })
const subject = (data: { readonly accountId?: unknown }): string => String(data.accountId)

/** `claim` is the stream of the address; without a password one signs in by an OpenID provider. */
export const AccountCreated = eventType(
  'AccountCreated',
  Type.Object(
    { accountId: text, claim: text, address: secret, password: Type.Optional(hashed), locale: Type.Enum(['en', 'es']) },
    strict,
  ),
  { subject },
)
/** Another address: `claim` is its stream, `from` that of the one before. `reverted`: taken back from whoever changed it. */
export const AddressChanged = eventType(
  'AddressChanged',
  Type.Object({ accountId: text, claim: text, from: text, address: secret, reverted: Type.Boolean() }, strict),
  { subject },
)
/** The same address under another key: `claim` is its stream, `from` the one before. */
export const AddressRekeyed = eventType('AddressRekeyed', Type.Object({ claim: text, from: text }, strict))
/** `reason`: changed by its owner, set by a reset, or hashed anew with today's parameters. Only the last keeps sessions. */
export const PasswordSet = eventType(
  'PasswordSet',
  Type.Object({ accountId: text, password: hashed, reason: Type.Enum(['changed', 'reset', 'rehashed']) }, strict),
  { subject },
)
/**
 * What an administrator says of a person is sealed as what they say themselves: `accountId` names the key. Events from before
 * there were reasons have neither.
 */
const because = { accountId: Type.Optional(text), reason: Type.Optional(secret) }
/** `languages`: canonical tags, in order; absent: in every language. */
export const RoleGranted = eventType(
  'RoleGranted',
  Type.Object(
    {
      role: Type.Enum([...roles]),
      expiresAt: Type.Optional(text),
      languages: Type.Optional(Type.Array(text, { minItems: 1 })),
      by: text,
      ...because,
    },
    strict,
  ),
  { subject },
)
export const RoleTaken = eventType(
  'RoleTaken',
  Type.Object({ role: Type.Enum([...roles]), by: text, ...because }, strict),
  { subject },
)
/** `decision`: the one of a moderator that it is because of. */
const decision = Type.Optional(text)
export const AccountSuspended = eventType(
  'AccountSuspended',
  Type.Object({ accountId: Type.Optional(text), by: text, reason: secret, decision }, strict),
  { subject },
)
export const AccountReinstated = eventType(
  'AccountReinstated',
  Type.Object({ by: text, ...because, decision }, strict),
  { subject },
)

export const accountEvents = [
  AccountCreated,
  AddressChanged,
  AddressRekeyed,
  PasswordSet,
  SessionsEnded,
  RoleGranted,
  RoleTaken,
  AccountSuspended,
  AccountReinstated,
  ...erasureEvents,
] as const
export type AccountEvent = EventOf<(typeof accountEvents)[number]>

// Fold

export type Account = {
  readonly id: string
  readonly claim: string
  /** Absent once erased, and so is the password. */
  readonly address?: string
  /** Absent too where one signs in by an OpenID provider alone. */
  readonly password?: string
  readonly locale: 'en' | 'es'
  readonly grants: readonly Grant[]
  /** How its roles were granted: for administrators alone to see. */
  readonly granted?: readonly Granting[]
  readonly suspended: boolean
  /** The decision of a moderator that it is suspended because of; absent where an administrator did it. */
  readonly suspendedBy?: string
  /** Raised by what ends sessions: a session of an older epoch has ended, but for `spared`. */
  readonly epoch: number
  readonly spared?: string
  readonly createdAt: string
  /** Claims of addresses that the account has left and may return to, the first one first. */
  readonly left?: readonly string[]
  /** Claims of its address under older keys. */
  readonly former?: readonly string[]
  /** The claim that it was taken back from, last. */
  readonly abandoned?: string
  /** When that was. */
  readonly revertedAt?: string
  /** It is to end. */
  readonly erasure?: Erasure
  readonly erased?: Erased
}
export type AccountState = Account | undefined

const raised = ({ spared: _, ...account }: Account, spared?: string): Account => ({
  ...account,
  epoch: account.epoch + 1,
  ...defined({ spared }),
})

const created = ({ data, removed, meta }: Recorded<EventOf<typeof AccountCreated>>): Account => {
  const { accountId: id, claim, locale, address, password } = data
  return {
    id,
    claim,
    locale,
    ...defined({ address: removed ? undefined : address }),
    ...defined({ password: !removed && password !== undefined ? password : undefined }),
    grants: [],
    suspended: false,
    epoch: 0,
    createdAt: meta.at,
  }
}

/** Who took an account over may have changed its password as well: after the way back there is none until one is set. */
const moved = (account: Account, { data, removed, meta }: Recorded<EventOf<typeof AddressChanged>>): Account => {
  const { claim, from, address, reverted } = data
  const { address: _a, password, abandoned: _b, revertedAt: _r, left = [], ...rest } = account
  return {
    ...rest,
    claim,
    ...defined({ address: removed ? undefined : address }),
    ...(reverted ? { abandoned: from, revertedAt: meta.at } : defined({ password })),
    left: reverted ? left.slice(0, Math.max(0, left.indexOf(claim))) : [...left, from].slice(-MOST_LEFT),
  }
}

const ended = (account: Account, event: Recorded<AccountEvent>): Account => {
  const { at } = event.meta
  switch (event.type) {
    case 'ErasureRequested': {
      const { content, linkHash, due } = event.data
      return { ...account, erasure: { content, linkHash, due, requestedAt: account.erasure?.requestedAt ?? at } }
    }
    case 'ErasureCancelled': {
      const { erasure: _, ...rest } = account
      return rest
    }
    case 'ErasureHeld':
      return { ...account, ...defined({ erasure: account.erasure && { ...account.erasure, heldAt: at } }) }
    case 'ErasureBegun': {
      const { attribution } = event.data
      const begun = { begunAt: at, ...defined({ attribution }) }
      // As one that is suspended, it opens to nobody.
      return {
        ...raised(account),
        suspended: true,
        ...defined({ erasure: account.erasure && { ...account.erasure, ...begun } }),
      }
    }
    case 'AccountErased': {
      const { content, attribution } = event.data
      const { address: _a, password: _p, granted: _g, ...rest } = account
      return { ...rest, grants: [], erased: { at, content, ...defined({ attribution }) } }
    }
    default:
      return account
  }
}

export const evolveAccount = (account: AccountState, event: Recorded<AccountEvent>): AccountState => {
  if (event.type === 'AccountCreated') return account ?? created(event)
  if (!account) return undefined
  const without = <T extends { readonly role: Role }>(all: readonly T[], role: Role): readonly T[] =>
    all.filter(each => each.role !== role)
  switch (event.type) {
    case 'PasswordSet': {
      const { password: _, ...rest } = account
      return event.removed ? rest : { ...rest, password: event.data.password }
    }
    case 'AddressChanged':
      return moved(account, event)
    case 'AddressRekeyed':
      return { ...account, claim: event.data.claim, former: [...(account.former ?? []), event.data.from] }
    case 'SessionsEnded':
      return raised(account, event.data.except)
    case 'RoleGranted': {
      const { role, expiresAt, languages, by, reason } = event.data
      const granting = { role, by, at: event.meta.at, ...defined({ reason: event.removed ? undefined : reason }) }
      return {
        ...account,
        grants: [...without(account.grants, role), { role, ...defined({ expiresAt, languages }) }],
        granted: [...without(account.granted ?? [], role), granting],
      }
    }
    case 'RoleTaken': {
      const { role } = event.data
      return {
        ...account,
        grants: without(account.grants, role),
        granted: without(account.granted ?? [], role),
      }
    }
    case 'AccountSuspended': {
      const { decision } = event.data
      return { ...raised(account), suspended: true, ...defined({ suspendedBy: decision }) }
    }
    case 'AccountReinstated': {
      const { suspendedBy: _, ...rest } = account
      return { ...rest, suspended: false }
    }
    default:
      return ended(account, event)
  }
}

/** Only those of the last week can be returned to. */
const MOST_LEFT = 20

export const accountAggregate: Aggregate<AccountState, AccountEvent> = {
  category: accountCategory,
  events: accountEvents,
  initial: undefined,
  evolve: evolveAccount,
  route: account => ({ visibility: 'owner', ...defined({ owner: account?.id }) }),
}

// Decide

const absent = () => refuse('account-not-found', 'There is no such account.')

export type NewAccount = {
  readonly accountId: string
  readonly claim: string
  readonly address: string
  readonly password?: string
  readonly locale: 'en' | 'es'
}
export const createAccount =
  (account: NewAccount): Decide<AccountState, AccountEvent, AccountRefusal> =>
  state =>
    state ? [] : [{ type: 'AccountCreated', data: account }]

/** Follows a confirmed change, unless another one was quicker, or nobody acts by the account any more. */
export const moveAddress =
  (to: {
    readonly claim: string
    readonly from: string
    readonly address: string
  }): Decide<AccountState, AccountEvent, AccountRefusal> =>
  account => {
    if (!account) return absent()
    return account.claim === to.from && !isIdle(account)
      ? [{ type: 'AddressChanged', data: { ...to, accountId: account.id, reverted: false } }]
      : []
  }

/** Follows its address to another key; not where it has another one by now, or is to be no more. */
export const rekey =
  (to: { readonly claim: string; readonly from: string }): Decide<AccountState, AccountEvent, AccountRefusal> =>
  account =>
    account?.claim === to.from && account.address !== undefined && !endFault(account)
      ? [{ type: 'AddressRekeyed', data: to }]
      : []

/**
 * Follows the way back to an address that was left: ends every session and takes the password. Also of one that is suspended:
 * it may have been an intruder who was.
 */
export const moveBack =
  (claim: string, address: string): Decide<AccountState, AccountEvent, AccountRefusal> =>
  account => {
    if (!account) return absent()
    if (!account.left?.includes(claim) || endFault(account)) return []
    const data = { accountId: account.id, claim, from: account.claim, address, reverted: true }
    return [
      { type: 'AddressChanged', data },
      { type: 'SessionsEnded', data: { cause: 'address-reverted' } },
    ]
  }

/** Sets a password. Those that were changed or reset end every session but the one that did it. */
export const setPassword =
  (
    password: string,
    reason: 'changed' | 'reset' | 'rehashed',
    ending: Ending = {},
  ): Decide<AccountState, AccountEvent, AccountRefusal> =>
  account => {
    if (!account) return absent()
    const set = { type: 'PasswordSet' as const, data: { accountId: account.id, password, reason } }
    if (reason === 'rehashed') return [set]
    const cause = reason === 'reset' ? 'reset' : 'password-changed'
    return [set, { type: 'SessionsEnded', data: { ...ending, cause } }]
  }
