/** What the commands of accounts stand on, in memory, with a password port that can be read: `hashed <password>`. */
import { randomBytes, randomUUID } from 'node:crypto'
import { openWebAuthn } from '../../src/adapters/passkeys/webauthn.ts'
import type { MoveDeps } from '../../src/commands/address-change.ts'
import { removeDisputed } from '../../src/commands/disputed.ts'
import { type From, mac } from '../../src/commands/identity.ts'
import { type LinkWish, linkJobs, requestLink } from '../../src/commands/link-requests.ts'
import type { ReleaseDeps } from '../../src/commands/openid.ts'
import type { FactorDeps } from '../../src/commands/second-factor.ts'
import type { Log } from '../../src/core/log/log.ts'
import { openLog } from '../../src/core/log/open.ts'
import { openTransactor } from '../../src/core/write/transact.ts'
import { accountAggregate, accountEvents } from '../../src/domain/account/account.ts'
import { isShort } from '../../src/domain/account/password-rules.ts'
import { addressAggregate, addressStream } from '../../src/domain/address/address.ts'
import { addressEvents } from '../../src/domain/address/address-events.ts'
import { isEmail, readEmail } from '../../src/domain/address/email.ts'
import { addressKeysAggregate, addressKeysEvents } from '../../src/domain/address/keys.ts'
import type { Aggregate } from '../../src/domain/decider.ts'
import type { DomainEvent } from '../../src/domain/event.ts'
import { openIdClaimAggregate, openIdClaimEvents } from '../../src/domain/openid/claim.ts'
import { linkedIdentitiesAggregate, linkedIdentitiesEvents } from '../../src/domain/openid/linked-identities.ts'
import type { Refusal } from '../../src/domain/refusal.ts'
import { deviceEvents, devicesAggregate } from '../../src/domain/session/devices.ts'
import { passkeyEvents, passkeysAggregate } from '../../src/domain/session/passkeys.ts'
import { factorEvents, factorsAggregate } from '../../src/domain/session/second-factor.ts'
import { sessionAggregate, sessionEvents } from '../../src/domain/session/session.ts'
import type { EventStore } from '../../src/ports/event-store.ts'
import type { NewJob } from '../../src/ports/jobs.ts'
import type { fakeClock } from './clocks.ts'
import { openMemoryEventStore } from './memory-event-store.ts'
import { type MemoryKeys, openMemoryKeys } from './memory-keys.ts'

type FakeClock = ReturnType<typeof fakeClock>

export const identitySecret = new Uint8Array(32)
export const identityOrigin = 'https://words.example'

const addressKey = (version: number): Uint8Array => new Uint8Array(32).fill(version)

/** The stream of an address under a version of the key. */
export const claimOf = (text: string, version = 1): string => {
  const email = readEmail(text)
  if (!isEmail(email)) throw new Error(email.detail)
  return addressStream(version, mac(addressKey(version), email.key).toString('base64url'))
}

/** `watch` stands between the log and its store. */
export const openIdentityLog = (
  clock: FakeClock,
  watch: (store: EventStore) => EventStore = store => store,
  keys: MemoryKeys = openMemoryKeys(),
): Log =>
  openLog({
    store: watch(openMemoryEventStore({ now: clock.now, logId: randomUUID() })),
    keys,
    types: [
      ...addressKeysEvents,
      ...accountEvents,
      ...addressEvents,
      ...sessionEvents,
      ...factorEvents,
      ...deviceEvents,
      ...passkeyEvents,
      ...openIdClaimEvents,
      ...linkedIdentitiesEvents,
    ],
  })

export type IdentityNode = FactorDeps & ReleaseDeps & Pick<MoveDeps, 'removeDisputed'>

/** One node of those that share a log. */
export const identityNode = (log: Log, clock: FakeClock): IdentityNode => {
  const open = <S, E extends DomainEvent>(aggregate: Aggregate<S, E>) =>
    openTransactor({
      aggregate,
      log,
      clock: { ...clock, sleep: async () => {} },
      random: Math.random,
      cachedStreams: 100,
    })
  const secret = identitySecret
  const node: FactorDeps & ReleaseDeps = {
    addresses: open(addressAggregate),
    accounts: open(accountAggregate),
    sessions: open(sessionAggregate),
    passwords: {
      isCommon: () => false,
      isShort: hashed => isShort(hashed.slice('hashed '.length)),
      hash: async password => `hashed ${password}`,
      check: async (password, hashed) => ({ matches: hashed === `hashed ${password}`, outdated: false }),
    },
    addressKeys: open(addressKeysAggregate),
    secrets: {
      address: async version => addressKey(version),
      link: secret,
      refresh: secret,
      device: secret,
    },
    displayNameOf: async () => undefined,
    clock,
    newId: randomUUID,
    factors: open(factorsAggregate),
    devices: open(devicesAggregate),
    randomBytes,
    passkeys: open(passkeysAggregate),
    challengeSecret: secret,
    webAuthn: openWebAuthn(identityOrigin),
    factorSecrets: { totp: secret, recovery: secret },
    claims: open(openIdClaimAggregate),
    linked: open(linkedIdentitiesAggregate),
  }
  return { ...node, removeDisputed: (accountId, time, from) => removeDisputed(node, accountId, time, from) }
}

/** Asks for a link, and does with it what the queue does. */
export const askForLink = async (
  node: IdentityNode,
  wish: LinkWish,
  email: string,
  from: From,
): Promise<'done' | Refusal> => {
  const asked: NewJob[] = []
  const add = async (job: NewJob): Promise<boolean> => asked.push(job) > 0
  const answer = await requestLink({ ...node, jobs: async () => ({ add }) }, wish, email, from)
  const running = { signal: new AbortController().signal, held: async () => true }
  for (const { key, data } of asked) await linkJobs(node).handle({ key, data, ...running })
  return answer
}
