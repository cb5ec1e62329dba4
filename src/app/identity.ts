/** Accounts and sessions: their streams, their secrets, and what the edge and the mails need of them. */

import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { ACCESS_SECONDS, signAccessToken, type TokenScope } from '../adapters/http/access-tokens.ts'
import { ProblemError } from '../adapters/http/problems.ts'
import type { IdentityPort, SignedIn } from '../adapters/http/routes/account-edge.ts'
import type { AdministrationPort, Standing } from '../adapters/http/routes/administration.ts'
import * as roles from '../commands/account-roles.ts'
import * as accounts from '../commands/accounts.ts'
import { isAccountBlocked } from '../commands/blocks.ts'
import { readRefreshToken } from '../commands/identity.ts'
import { requestLink } from '../commands/link-requests.ts'
import { sessionViews } from '../commands/look-up-accounts.ts'
import type { FactorDeps } from '../commands/second-factor.ts'
import * as sessions from '../commands/sessions.ts'
import { countTry } from '../commands/sign-in-waits.ts'
import type { Config } from '../config/load.ts'
import { hashesAtOnce } from '../config/threads.ts'
import { blockAggregate } from '../domain/access/block.ts'
import { accountAggregate, accountStream } from '../domain/account/account.ts'
import { administratorsAggregate } from '../domain/account/administrators.ts'
import { grantsInForce } from '../domain/account/grants.ts'
import { addressAggregate } from '../domain/address/address.ts'
import { addressKeysAggregate } from '../domain/address/keys.ts'
import { defined } from '../domain/defined.ts'
import { profileAggregate, profileStream } from '../domain/profile/profile.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import type { Role } from '../domain/roles.ts'
import { devicesAggregate } from '../domain/session/devices.ts'
import { sessionAggregate } from '../domain/session/session.ts'
import type { Identities } from '../projections/identities.ts'
import { addressKeyOf, openAddressPort } from './address.ts'
import type { Core } from './core.ts'
import { openFactorPort, openFactors, openPasskeyPort, openStepUp } from './factors.ts'

const issuerOf = (config: Config): string => config.publicUrl ?? 'urn:lexichron'
/** Who signs tokens, and for whom: the public address, or a name where there is none. */
export const scopeOf = (config: Config): TokenScope => ({ issuer: issuerOf(config), audience: issuerOf(config) })

/** What the commands stand on. The password port costs a list and a hash to open, so only those who need it open it. */
export const openIdentity = async (core: Core, publicUrl?: string): Promise<FactorDeps> => {
  const { openPasswords } = await import('../adapters/passwords/argon2.ts')
  const secret = (purpose: string) => core.keys.secret(purpose)
  const [pepper, link, refresh, device] = await Promise.all([
    secret('password'),
    secret('mail-link'),
    secret('refresh-token'),
    secret('device'),
  ])
  if (!pepper || !link || !refresh || !device) throw new Error('A secret is missing.')
  const concurrency = hashesAtOnce(availableParallelism())
  return {
    addresses: core.transactor(addressAggregate),
    addressKeys: core.transactor(addressKeysAggregate),
    accounts: core.transactor(accountAggregate),
    sessions: core.transactor(sessionAggregate),
    passwords: await openPasswords({ pepper, concurrency }),
    secrets: { address: addressKeyOf(core), link, refresh, device },
    displayNameOf: async id => (await core.transactor(profileAggregate).load(profileStream(id))).state.displayName,
    clock: core.clock,
    newId: core.newId,
    ...(await openFactors(core, publicUrl)),
  }
}

/** Adds an access token to a session that was opened or gone on with. */
export const withAccessToken =
  (core: Core, scope: TokenScope) =>
  async (opened: sessions.Opened | Refusal): Promise<SignedIn | Refusal> => {
    if (isRefusal(opened)) return opened
    const { session, refreshToken, isRestricted, device } = opened
    const issuedAt = core.clock.now()
    const accessToken = await signAccessToken(core.keys, scope, {
      jti: core.newId(),
      sub: session.accountId,
      kind: 'account' as const,
      session: session.id,
      epoch: session.epoch,
      issuedAt,
      expiresAt: new Date(issuedAt.getTime() + ACCESS_SECONDS * 1000),
    })
    return { session, accessToken, refreshToken, isRestricted, ...defined({ device }) }
  }

/** Counts tries at an account, from where they are counted. @throws {ProblemError} rate-limited. */
export const admitBy =
  (core: Pick<Core, 'cache'>) =>
  (counted: string): sessions.Admit =>
  async (claim, device) => {
    const waitMs = await countTry(core.cache, device === undefined ? { claim, place: counted } : { claim, device })
    if (waitMs === undefined) return
    const wait = Math.max(1, Math.ceil(waitMs / 1000))
    throw new ProblemError('rate-limited', `Too many tries: wait for ${wait} seconds.`, {
      headers: { 'retry-after': String(wait) },
    })
  }

/** What the routes of accounts do. */
export const openIdentityPort = (
  core: Core,
  deps: FactorDeps,
  identities: Identities,
  scope: TokenScope,
): Omit<IdentityPort, 'erasure'> => {
  const admit = admitBy(core)
  const withToken = withAccessToken(core, scope)
  const asking = { ...deps, jobs: core.jobs }
  return {
    addressChange: openAddressPort(core, deps, admit),
    stepUp: openStepUp(deps, admit),
    factors: openFactorPort(deps),
    passkeys: openPasskeyPort(deps),
    signInByPasskey: async (given, from) => withToken(await sessions.signInByPasskey(deps, given, from)),
    signUp: (given, from) => accounts.requestSignUp(deps, given, from),
    verify: (given, from) => accounts.confirmEmail(deps, given, from),
    resend: (email, from) => requestLink(asking, 'verify', email, from),
    signIn: async (given, counted, from) => {
      const signIn = () => sessions.signIn(deps, given, from, admit(counted))
      return withToken(await core.onBeat(signIn, opened => !isRefusal(opened)))
    },
    refresh: async (token, from) => withToken(await sessions.refresh(deps, token, from)),
    sessionIn: token => readRefreshToken(deps.secrets.refresh, token)?.sessionId,
    requestReset: (email, from) => requestLink(asking, 'reset', email, from),
    reset: (given, from) => accounts.resetPassword(deps, given, from),
    changePassword: (by, passwords, from) => accounts.changePassword(deps, by, passwords, from),
    endSession: (accountId, which, from) => sessions.endOneSession(deps, accountId, which, from),
    endSessions: (by, which, from) => accounts.endAllSessions(deps, by, which, from),
    sessionsOf: accountId =>
      sessionViews({ devices: core.transactor(devicesAggregate), sessionsOf: identities.sessionsOf }, accountId),
    account: async id => {
      const { state: account } = await core.transactor(accountAggregate).load(accountStream(id))
      return account && { account, grants: grantsInForce(account, core.clock.now()) }
    },
  }
}

/** What administrators do. */
export const openAdministration = (core: Core, identities: Pick<Identities, 'administrators'>): AdministrationPort => {
  const { transactor, clock, newId } = core
  const blocks = transactor(blockAggregate)
  const deps = {
    accounts: transactor(accountAggregate),
    sessions: transactor(sessionAggregate),
    administrators: transactor(administratorsAggregate),
    administratorIds: identities.administrators,
    isBlocked: async (accountId: string) =>
      isAccountBlocked({ blocks, clock, secret: await core.keys.secret('block') }, accountId),
    clock,
    newId,
  }
  const standing = (result: roles.Administered): Standing | Refusal => {
    if (isRefusal(result)) return result
    const { state, position } = result
    const known = { suspended: state?.suspended ?? false, grants: state?.grants ?? [] }
    return { id: state?.id ?? '', ...known, position }
  }
  return {
    grant: async (given, by, from) => standing(await roles.grant(deps, given, by, from)),
    take: async (given, by, from) => standing(await roles.take(deps, given, by, from)),
    suspend: async (id, reason, by, from) => standing(await roles.suspendAccount(deps, id, reason, by, from)),
    endSessions: async (id, reason, by, from) => standing(await roles.endAccountSessions(deps, id, reason, by, from)),
    endSession: (about, by, from) => roles.endAccountSession(deps, about, by, from),
    reinstate: async (id, reason, by, from) => standing(await roles.reinstateAccount(deps, id, reason, by, from)),
  }
}

/** Why, where whoever runs the service does not say it. */
const BY_OPERATOR = 'Granted by whoever runs the service.'

/** What the command line does with accounts: the password is made here, of 128 random bits. */
export const openAccountTool = (core: Core) => ({
  create: async ({
    email,
    role,
    reason = BY_OPERATOR,
  }: {
    readonly email: string
    readonly role: Role
    readonly reason?: string
  }) => {
    const password = randomBytes(16).toString('base64url')
    const { clock, newId } = core
    const deps = { administrators: core.transactor(administratorsAggregate), clock, newId }
    const made = await accounts.createByOperator(await openIdentity(core), { email, role, password, reason })
    if (isRefusal(made) || role !== 'admin') return made
    const restored = await roles.restoreAdministrator(deps, made.accountId, { correlationId: core.newId(), agent: '' })
    return isRefusal(restored) ? restored : made
  },
})
