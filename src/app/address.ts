/** Changes of address: what the edge asks for, and the subscriber that finishes them. */
import type { AddressPort } from '../adapters/http/routes/account-edge.ts'
import * as moves from '../commands/address-change.ts'
import { completeReclaim, rotateAddressKey } from '../commands/address-rotation.ts'
import { removeDisputed } from '../commands/disputed.ts'
import type { From } from '../commands/identity.ts'
import { linkJobs, requestFor } from '../commands/link-requests.ts'
import type { FactorDeps } from '../commands/second-factor.ts'
import type { Admit } from '../commands/sessions.ts'
import { endUnconfirmed } from '../commands/sign-up-end.ts'
import { AccountCreated, accountAggregate } from '../domain/account/account.ts'
import { addressAggregate } from '../domain/address/address.ts'
import { addressKeysAggregate } from '../domain/address/keys.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import { openIdClaimAggregate } from '../domain/openid/claim.ts'
import { linkedIdentitiesAggregate } from '../domain/openid/linked-identities.ts'
import type { Refusal } from '../domain/refusal.ts'
import { passkeysAggregate } from '../domain/session/passkeys.ts'
import { factorsAggregate } from '../domain/session/second-factor.ts'
import type { JobKind } from '../ports/jobs.ts'
import { failureOf } from '../ports/outage.ts'
import { addressMovesSubscriber } from '../subscribers/address-moves.ts'
import { signUpJobs, signUpsSubscriber } from '../subscribers/sign-ups.ts'
import type { Core } from './core.ts'

/** The key that addresses are hashed with, of a version. */
export const addressKeyOf =
  ({ keys }: Pick<Core, 'keys'>) =>
  (version: number): Promise<Uint8Array> =>
    keys.secret(`address-${version}`)

/** What gives up ways to sign in. */
const releasing = ({ transactor, clock, newId }: Core) => ({
  claims: transactor(openIdClaimAggregate),
  linked: transactor(linkedIdentitiesAggregate),
  factors: transactor(factorsAggregate),
  passkeys: transactor(passkeysAggregate),
  clock,
  newId,
})
const moveDepsOf = (core: Core): moves.MoveDeps => {
  const { transactor, clock, newId, linkSecret: link } = core
  return {
    addresses: transactor(addressAggregate),
    addressKeys: transactor(addressKeysAggregate),
    accounts: transactor(accountAggregate),
    clock,
    newId,
    secrets: { link, address: addressKeyOf(core) },
    removeDisputed: (accountId, time, from) => removeDisputed(releasing(core), accountId, time, from),
  }
}

export const openAddressPort = (core: Core, deps: FactorDeps, admit: (counted: string) => Admit): AddressPort => {
  const moving = moveDepsOf(core)
  return {
    request: (accountId, given, from) => moves.requestAddressChange(deps, accountId, given, from),
    confirm: (given, counted, from) =>
      moves.confirmAddressChange({ ...deps, removeDisputed: moving.removeDisputed }, given, from, admit(counted)),
    revert: (token, from) =>
      moves.revertAddressChange(moving, token, from, claim => requestFor(deps, 'reset', claim, from)),
  }
}

/** A link that lost a race has no other end than this one; anything else is tried again. */
const settled = (outcome: 'done' | Refusal): void => {
  if (outcome !== 'done' && outcome.refused !== 'link-invalid') throw failureOf(outcome)
}

const fromEvent = ({ meta: { correlationId, traceparent } }: Recorded): From => ({
  correlationId,
  agent: '',
  ...defined({ traceparent }),
})

export const addressMoves = (core: Core) => {
  const deps = moveDepsOf(core)
  return addressMovesSubscriber({
    completeChange: async (claim, event) => settled(await moves.completeChange(deps, claim, fromEvent(event))),
    completeReclaim: async event => {
      const given = {
        accountId: String(event.data['accountId']),
        claim: event.stream,
        from: String(event.data['from']),
      }
      settled(await completeReclaim(deps, given, fromEvent(event)))
    },
    completeRevert: async (claim, event) => settled(await moves.completeRevert(deps, claim, fromEvent(event))),
  })
}

/** What sees to sign-ups that nobody confirms: who puts jobs into the queue, and who does them. */
export const signUpEnds = (core: Core) => {
  const { transactor, clock, newId, keys, jobs } = core
  const deps = {
    addresses: transactor(addressAggregate),
    accounts: transactor(accountAggregate),
    clock,
    newId,
    keys,
  }
  return {
    subscriber: signUpsSubscriber(jobs),
    kind: signUpJobs(jobs, signUp => endUnconfirmed(deps, signUp, { correlationId: newId(), agent: '' })),
  }
}

/** What strangers have asked a link for is written down. */
export const linkRequests = ({ transactor, clock, newId, linkSecret: link }: Core): JobKind =>
  linkJobs({ addresses: transactor(addressAggregate), clock, newId, secrets: { link } })

/** Gives addresses a new key, or goes on with it. Every account is in the log from its first event on. */
export const rotateAddresses = (core: Core) => {
  const accounts = async function* () {
    for await (const { events } of core.log.readAll(0n, { types: [AccountCreated.type] }))
      for (const { data } of events) yield String(data['accountId'])
  }
  const { transactor, clock, newId } = core
  const deps = {
    addresses: transactor(addressAggregate),
    addressKeys: transactor(addressKeysAggregate),
    accounts: transactor(accountAggregate),
    clock,
    newId,
    secrets: { address: addressKeyOf(core) },
  }
  return rotateAddressKey(deps, accounts, { correlationId: core.newId(), agent: '' })
}
