/** Proofs of who somebody is, beside the password. */

import { randomBytes } from 'node:crypto'
import type { FactorPort, PasskeyPort, StepUpPort } from '../adapters/http/routes/account-edge.ts'
import { openWebAuthn } from '../adapters/passkeys/webauthn.ts'
import { endForFactor } from '../commands/factor-sessions.ts'
import * as passkeys from '../commands/passkeys.ts'
import * as factors from '../commands/second-factor.ts'
import type { Admit } from '../commands/sessions.ts'
import { requireFresh, requireFreshBesidePassword, stepUp } from '../commands/step-up.ts'
import { accountAggregate } from '../domain/account/account.ts'
import { defined } from '../domain/defined.ts'
import { devicesAggregate } from '../domain/session/devices.ts'
import { passkeysAggregate, passkeysStream } from '../domain/session/passkeys.ts'
import { factorsAggregate } from '../domain/session/second-factor.ts'
import { failureOf } from '../ports/outage.ts'
import { factorChangesSubscriber } from '../subscribers/factor-changes.ts'
import type { Core } from './core.ts'

/** Where passkeys are of: WebAuthn is for https, and for localhost (level 3, 5.1.4). */
const passkeyOrigin = (publicUrl: string | undefined): string | undefined => {
  const url = publicUrl === undefined ? null : URL.parse(publicUrl)
  return url && (url.protocol === 'https:' || url.hostname === 'localhost') ? url.origin : undefined
}

/** What factors need beside accounts. */
export const openFactors = async (core: Core, publicUrl: string | undefined) => {
  const [totp, recovery, challengeSecret] = await Promise.all([
    core.keys.secret('totp'),
    core.keys.secret('recovery-code'),
    core.keys.secret('passkey-challenge'),
  ])
  if (!totp || !recovery || !challengeSecret) throw new Error('A secret is missing.')
  const origin = passkeyOrigin(publicUrl)
  return {
    factors: core.transactor(factorsAggregate),
    passkeys: core.transactor(passkeysAggregate),
    devices: core.transactor(devicesAggregate),
    factorSecrets: { totp, recovery },
    challengeSecret,
    randomBytes: (count: number) => randomBytes(count),
    ...defined({ webAuthn: origin === undefined ? undefined : openWebAuthn(origin) }),
  }
}

/** `admit` counts the tries of a claim from one place. */
export const openStepUp = (deps: factors.FactorDeps, admit: (counted: string) => Admit): StepUpPort => ({
  require: by => requireFresh(deps, by),
  requireBesidePassword: (by, counted) => requireFreshBesidePassword(deps, by, admit(counted)),
  prove: (by, proof, counted, from) => stepUp(deps, by, proof, from, admit(counted)),
})

/** What the routes of one's own factors do. */
export const openFactorPort = (deps: factors.FactorDeps): FactorPort => ({
  standing: async id => {
    const { totp, codes } = await factors.factorsOf(deps, { id })
    return { recoveryCodes: codes.length, ...defined({ since: totp?.since }) }
  },
  offer: (by, from) => factors.offerOwnTotp(deps, by, from),
  confirm: (by, code, from) => factors.confirmOwnTotp(deps, by, code, from),
  remove: (by, from) => factors.removeOwnTotp(deps, by, from),
  recoveryCodes: (by, from) => factors.makeOwnRecoveryCodes(deps, by, from),
})

/** What the routes of passkeys do. */
export const openPasskeyPort = (deps: factors.FactorDeps): PasskeyPort => ({
  signInOptions: device => passkeys.assertionOptions(deps, 'sign-in', device),
  stepUpOptions: by => passkeys.assertionOptions(deps, 'step-up', by.sessionId),
  addOptions: by => passkeys.registrationOptions(deps, by),
  add: (by, given, from) => passkeys.addOwnPasskey(deps, by, given, from),
  remove: (by, id, from) => passkeys.removeOwnPasskey(deps, by, id, from),
  list: async accountId => (await deps.passkeys.load(passkeysStream(accountId))).state.items,
})

export const factorChanges = ({ transactor, clock }: Pick<Core, 'transactor' | 'clock'>) =>
  factorChangesSubscriber({
    endSessions: async (by, { meta: { actor, commandId, correlationId } }) => {
      const envelope = { actor, commandId, correlationId, at: clock.now() }
      const ended = await endForFactor({ accounts: transactor(accountAggregate) }, by, envelope)
      if (ended !== 'done') throw failureOf(ended)
    },
  })
