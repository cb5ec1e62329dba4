/**
 * Signing in by an identity at an OpenID provider, linking one and unlinking it. An identity is issuer and subject, never an
 * address: accounts are not merged because of one (RFC 9700 and OpenID Connect Core, 5.7).
 */
import { createHmac } from 'node:crypto'
import type { Transactor } from '../core/write/transact.ts'
import { type Account, accountStream } from '../domain/account/account.ts'
import { type SignUp, signUp } from '../domain/address/address.ts'
import { isEmail, readEmail } from '../domain/address/email.ts'
import { uuidv5 } from '../domain/ids.ts'
import {
  claimIdentity,
  identityClaimLapsed,
  type OpenIdClaim,
  type OpenIdClaimEvent,
  openIdStream,
  releaseIdentity,
} from '../domain/openid/claim.ts'
import {
  identitiesStream,
  type LinkedIdentities,
  type LinkedIdentitiesEvent,
  type LinkedIdentity,
  linkIdentity,
  unlinkIdentity,
  unlinkThose,
} from '../domain/openid/linked-identities.ts'
import { addressTaken, claimVerified } from '../domain/openid/sign-up.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { isLive, ofEpoch, sessionStream, startSession } from '../domain/session/session.ts'
import type { ProvenIdentity } from '../ports/openid.ts'
import { holderOf, type Locale } from './accounts.ts'
import { claimsOf, isTakenAmong, lookUpClaims } from './address-claims.ts'
import { keepDevice, readDevice } from './devices.ts'
import { envelopeOf, type From, makeLink, refreshTokenOf } from './identity.ts'
import { type FactorDeps, factorsOf, proveFactor } from './second-factor.ts'
import { type Admit, endedFault, holderOfChallenge, type Opened } from './sessions.ts'

export type OpenIdDeps = FactorDeps & {
  readonly claims: Transactor<OpenIdClaim, OpenIdClaimEvent>
  readonly linked: Transactor<LinkedIdentities, LinkedIdentitiesEvent>
  /** 32 bytes: names the streams of identities. */
  readonly identitySecret: Uint8Array
}

/** The version of the secret that identities are hashed with. */
const IDENTITY_SECRET_VERSION = 1
/** Of the same identity at once, each seeing what the other has done. */
const MOST_ATTEMPTS = 3

const identityClaim = ({ identitySecret }: OpenIdDeps, { issuer, subject }: ProvenIdentity): string => {
  const hash = createHmac('sha256', identitySecret).update(`${issuer}\u001f${subject}`, 'utf8')
  return openIdStream(IDENTITY_SECRET_VERSION, hash.digest('base64url'))
}

/** What is known of an identity's claim: who holds it, whether their list names it, whether there is an account. */
const lookUp = async (deps: OpenIdDeps, claim: string) => {
  const { holder } = (await deps.claims.load(claim)).state
  if (!holder) return {}
  const [{ state: account }, { state: linked }] = await Promise.all([
    deps.accounts.load(accountStream(holder.accountId)),
    deps.linked.load(identitiesStream(holder.accountId)),
  ])
  const identity = linked.items.find(each => each.claim === claim)
  // Without an address it was erased: its key is gone, so it can neither be signed in to nor taken up again.
  const erased = account !== undefined && account.address === undefined
  const lapsed = !identity && identityClaimLapsed(holder, deps.clock.now())
  const free = erased || !account || lapsed ? holder.id : undefined
  return { holder, account: erased ? undefined : account, identity, erased, free }
}

/** Claims the identity and puts it on the account's list. */
type Linking = {
  readonly claim: string
  readonly accountId: string
  readonly proven: ProvenIdentity
  readonly free: string | undefined
}

const link = async (
  deps: OpenIdDeps,
  { claim, accountId, proven, free }: Linking,
  from: From,
): Promise<'done' | Refusal> => {
  const claimed = await deps.claims.run(claim, claimIdentity(accountId, free), envelopeOf(deps, from, accountId))
  if (isRefusal(claimed)) return claimed
  const claimId = claimed.state.holder?.id
  if (claimId === undefined) return refuse('conflict', 'The identity was given up at the same moment; try again.')
  const { provider, issuer, subject } = proven
  const add = linkIdentity({ accountId, claim, claimId, provider, issuer, subject })
  const added = await deps.linked.run(identitiesStream(accountId), add, envelopeOf(deps, from, accountId))
  return isRefusal(added) ? added : 'done'
}

export type IdentitySignIn = {
  /** Of the flow: used twice, it opens one session. */
  readonly sessionId: string
  readonly remember: boolean
  readonly locale: Locale
}

/** The identity is proved, and the account has a second factor that is not: nobody is signed in yet. */
export type HalfSignedIn = { readonly half: string }

const used = (): Refusal => refuse('openid-flow-invalid', 'This sign-in was used: begin again.')

const enter = async (
  deps: OpenIdDeps,
  account: Account,
  given: Pick<IdentitySignIn, 'sessionId' | 'remember'> & { readonly code?: string },
  from: From,
): Promise<Opened | HalfSignedIn | Refusal> => {
  const device = await readDevice(deps, account, account.claim, from)
  const ended = await endedFault(deps, account, device, from)
  if (ended) return ended
  const factors = await factorsOf(deps, account)
  if (factors.totp && given.code === undefined) return { half: account.id }
  const proof = await proveFactor(
    deps,
    { account, factors, proof: { ...given, holder: holderOfChallenge(from) }, purpose: 'sign-in' },
    from,
  )
  if (typeof proof !== 'string') return proof
  const kept = await keepDevice(deps, account, device, from)
  if (isRefusal(kept)) return kept
  const envelope = envelopeOf(deps, from, account.id)
  const { sessionId, remember } = given
  const start = startSession({
    sessionId,
    accountId: account.id,
    epoch: account.epoch,
    device: kept.hash,
    agent: from.agent,
    remember,
    now: envelope.at,
  })
  const result = await deps.sessions.run(sessionStream(sessionId), start, envelope)
  if (isRefusal(result)) return result
  if (!result.state || result.events.length === 0) return used()
  const refreshToken = refreshTokenOf(deps.secrets.refresh, sessionId, 0)
  return { session: result.state, refreshToken, isRestricted: account.suspended, device: kept.token }
}

/** Ends a sign-in that waits for the second factor. `admit` counts the try, and throws when there were too many. */
export const finishSignIn = async (
  deps: OpenIdDeps,
  given: Pick<IdentitySignIn, 'sessionId' | 'remember'> & { readonly accountId: string; readonly code: string },
  from: From,
  admit: Admit,
): Promise<Opened | Refusal> => {
  const { state: account } = await deps.accounts.load(accountStream(given.accountId))
  if (account?.address === undefined) return used()
  const device = await readDevice(deps, account, account.claim, from)
  await admit(account.claim, device.known ? device.hash : undefined)
  const opened = await enter(deps, account, given, from)
  return 'half' in opened ? used() : opened
}

/** The account of an identity that nobody has, begun with an address that the provider verified; a mail goes to any other one. */
type Beginning = {
  readonly claim: string
  readonly proven: ProvenIdentity
  readonly stated: Awaited<ReturnType<ProvenIdentity['address']>>
  readonly locale: Locale
  readonly found: Awaited<ReturnType<typeof lookUp>>
}

const begin = async (
  deps: OpenIdDeps,
  { claim, proven, stated, locale, found }: Beginning,
  from: From,
): Promise<Account | Refusal | undefined> => {
  const email = readEmail(stated.email ?? '')
  if (!isEmail(email)) return refuse('openid-address-missing', 'The provider named no address that can be written to.')
  const claims = await claimsOf(deps, email)
  const [address] = claims
  // One that was begun is gone on with: the process ended.
  const accountId = !found.erased && found.holder && !found.account ? found.holder.accountId : deps.newId()
  const known = await lookUpClaims(deps, claims)
  // One that its owner has left lately is not free for others yet.
  const elsewhere = isTakenAmong(known, deps.clock.now(), accountId)
  const envelope = envelopeOf(deps, from)
  const { hash } = makeLink(deps.secrets.link, 'verify', address, envelope.commandId)
  const given: SignUp = { accountId, address: email.address, locale, linkHash: hash, now: envelope.at, elsewhere }
  if (!stated.verified) {
    // The identity may be another one's than the mailbox. It is not linked to what comes of the mail, or it would open that.
    const mailed = await deps.addresses.run(address, signUp({ ...given, accountId: deps.newId() }), envelope)
    return isRefusal(mailed)
      ? mailed
      : refuse(
          'openid-unconfirmed',
          'The provider has not verified your address: use the link in the mail, sign in, and link the identity.',
        )
  }
  if (elsewhere) return addressTaken()
  const linked =
    found.identity && found.holder?.accountId === accountId
      ? 'done'
      : await link(deps, { claim, accountId, proven, free: found.free }, from)
  if (linked !== 'done') return linked
  const begun = await deps.addresses.run(address, claimVerified(given), envelope)
  return isRefusal(begun) ? begun : holderOf(deps, claims, from)
}

/**
 * Signs in by an identity. An account begins with it where nobody has it and the provider verified the address. @throws
 * {OpenIdError} when the provider has to be asked for the address, and the ports' errors.
 */
export const signInWithIdentity = async (
  deps: OpenIdDeps,
  proven: ProvenIdentity,
  given: IdentitySignIn,
  from: From,
): Promise<Opened | HalfSignedIn | Refusal> => {
  const claim = identityClaim(deps, proven)
  let stated: Awaited<ReturnType<ProvenIdentity['address']>> | undefined
  for (let attempt = 1; ; attempt += 1) {
    const found = await lookUp(deps, claim)
    if (found.account && found.identity) return enter(deps, found.account, given, from)
    stated ??= await proven.address()
    const begun = await begin(deps, { claim, proven, stated, locale: given.locale, found }, from)
    if (begun && !('refused' in begun)) return enter(deps, begun, given, from)
    // Somebody claimed it at the same moment, in another window perhaps: what they began is gone on with.
    if (attempt < MOST_ATTEMPTS && (!begun || begun.refused === 'identity-in-use')) continue
    return begun && begun.refused !== 'identity-in-use'
      ? begun
      : refuse('conflict', 'This identity is being linked at this moment; try again.')
  }
}

/** Links an identity to the account of who is signed in, in a session that still stands. */
export const linkOwnIdentity = async (
  deps: OpenIdDeps,
  by: { readonly accountId: string; readonly sessionId: string },
  proven: ProvenIdentity,
  from: From,
): Promise<'done' | Refusal> => {
  const [{ state: account }, { state: session }] = await Promise.all([
    deps.accounts.load(accountStream(by.accountId)),
    deps.sessions.load(sessionStream(by.sessionId)),
  ])
  const stands = session && account && isLive(session, deps.clock.now()) && ofEpoch(session, account)
  if (!stands || account.suspended || session.accountId !== by.accountId || account.address === undefined)
    return refuse('session-ended', 'The session in which this was begun has ended: sign in.')
  const claim = identityClaim(deps, proven)
  const found = await lookUp(deps, claim)
  if (found.account?.id === by.accountId && found.identity) return 'done'
  return link(deps, { claim, accountId: by.accountId, proven, free: found.free }, from)
}

/** Of the account, the oldest first. */
export const identitiesOf = async (deps: OpenIdDeps, accountId: string): Promise<readonly LinkedIdentity[]> =>
  (await deps.linked.load(identitiesStream(accountId))).state.items

/** Unlinks one. Where the process ends before the claim is given up, it lapses. */
export const unlinkOwnIdentity = async (
  deps: OpenIdDeps,
  accountId: string,
  id: string,
  hasOtherWays: (account: Account) => Promise<boolean>,
  from: From,
): Promise<'done' | Refusal> => {
  const { state: account } = await deps.accounts.load(accountStream(accountId))
  if (!account) return refuse('account-not-found', 'There is no such account.')
  const stream = identitiesStream(accountId)
  const before = (await deps.linked.load(stream)).state.items.find(each => each.id === id)
  const decide = unlinkIdentity(id, await hasOtherWays(account))
  const result = await deps.linked.run(stream, decide, envelopeOf(deps, from, accountId))
  if (isRefusal(result)) return result
  return before ? release(deps, before, accountId, from) : 'done'
}

/** What giving identities up takes. */
export type ReleaseDeps = Pick<OpenIdDeps, 'claims' | 'linked' | 'clock' | 'newId'>

const release = async (
  deps: ReleaseDeps,
  { claim, claimId }: LinkedIdentity,
  accountId: string,
  from: From,
): Promise<'done' | Refusal> => {
  const result = await deps.claims.run(claim, releaseIdentity(claimId), envelopeOf(deps, from, accountId))
  return isRefusal(result) ? result : 'done'
}

/** Gives up identities of an account: all where it is erased, else those that `which` names. Repeating it is harmless. */
export const releaseIdentities = async (
  deps: ReleaseDeps,
  accountId: string,
  from: From,
  reason: 'erased' | 'disputed' = 'erased',
  which: (identity: LinkedIdentity) => boolean = () => true,
): Promise<'done' | Refusal> => {
  const stream = identitiesStream(accountId)
  const { items } = (await deps.linked.load(stream)).state
  const result = await deps.linked.run(stream, unlinkThose(reason, which), envelopeOf(deps, from, accountId))
  if (isRefusal(result)) return result
  for (const each of items.filter(which)) {
    const given = await release(deps, each, accountId, from)
    if (given !== 'done') return given
  }
  return 'done'
}

const FLOWS = uuidv5('6ba7b812-9dad-11d1-80b4-00c04fd430c8', 'lexichron:openid-flow')
/** The session that a flow opens: the same one however often the flow is used. */
export const sessionOfFlow = (flowId: string): string => uuidv5(FLOWS, flowId)
