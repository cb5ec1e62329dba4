/** The second factor of an account: codes of an authenticator (RFC 6238), and those kept on paper for when it is lost. */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { refuse } from '../refusal.ts'

/** What is refused of a second factor. */
export type FactorRefusal = 'code-wrong' | 'factor-on' | 'factor-off' | 'password-short'

// Stream

export const factorsCategory = 'factors'
export const factorsStream = (accountId: string): string => streamName(factorsCategory, accountId)

// Events

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })
const step = Type.Integer({ minimum: 0 })
const purpose = Type.Enum(['sign-in', 'step-up'])
const subject = (data: { readonly accountId?: unknown }): string => String(data.accountId)

/** `secret` is encrypted by the service before it is sealed; it is no factor until a code of it was told. */
export const TotpOffered = eventType(
  'TotpOffered',
  Type.Object(
    { accountId: text, secret: Type.String({ minLength: 1, seal: 'subject' as const, secret: true as const }) },
    strict,
  ),
  { subject },
)
/** The factor is on: `step` of the code that was told is used up. `sessionId` is the one that goes on. */
export const TotpConfirmed = eventType('TotpConfirmed', Type.Object({ accountId: text, sessionId: text, step }, strict))
/** Without a session the service did it: an intruder had added it. */
export const TotpRemoved = eventType(
  'TotpRemoved',
  Type.Object({ accountId: text, sessionId: Type.Optional(text) }, strict),
)
/** The code of a step was taken, as no code of it or an earlier one is from here on. */
export const CodeUsed = eventType('CodeUsed', Type.Object({ step, purpose }, strict))
/** A code, or a passkey in its place, that was none or was used; `device` is a keyed hash of what tells browsers apart. */
export const CodeRefused = eventType('CodeRefused', Type.Object({ device: text, purpose }, strict))
/** Keyed hashes of the codes that take the place of all before. */
export const RecoveryCodesMade = eventType(
  'RecoveryCodesMade',
  Type.Object(
    { accountId: text, hashes: Type.Array(text, { minItems: 1, maxItems: 20, secret: true as const }) },
    strict,
  ),
)
export const RecoveryCodeUsed = eventType(
  'RecoveryCodeUsed',
  Type.Object(
    { hash: Type.String({ minLength: 1, secret: true as const }), purpose, left: Type.Integer({ minimum: 0 }) },
    strict,
  ),
)

export const factorEvents = [
  TotpOffered,
  TotpConfirmed,
  TotpRemoved,
  CodeUsed,
  CodeRefused,
  RecoveryCodesMade,
  RecoveryCodeUsed,
] as const
export type FactorEvent = EventOf<(typeof factorEvents)[number]>

// Fold

export type Factors = {
  readonly accountId?: string
  /** Waits for its first code. */
  readonly offered?: { readonly secret?: string; readonly at: string }
  /** Is on: without the secret once the account was erased. */
  readonly totp?: { readonly secret?: string; readonly lastStep: number; readonly since: string }
  /** Hashes of recovery codes that were not used. */
  readonly codes: readonly string[]
}

export const evolveFactors = (factors: Factors, event: Recorded<FactorEvent>): Factors => {
  const { totp } = factors
  switch (event.type) {
    case 'TotpOffered': {
      const { accountId, secret } = event.data
      return {
        ...factors,
        accountId,
        offered: { at: event.meta.at, ...defined({ secret: event.removed ? undefined : secret }) },
      }
    }
    case 'TotpConfirmed': {
      const { offered, ...rest } = factors
      const { at: _, ...kept } = offered ?? { at: '' }
      return { ...rest, totp: { ...kept, lastStep: event.data.step, since: event.meta.at } }
    }
    case 'TotpRemoved': {
      const { offered: _o, totp: _t, ...rest } = factors
      return { ...rest, codes: [] }
    }
    case 'CodeUsed':
      return totp ? { ...factors, totp: { ...totp, lastStep: Math.max(totp.lastStep, event.data.step) } } : factors
    case 'RecoveryCodesMade':
      return { ...factors, codes: event.data.hashes }
    case 'RecoveryCodeUsed':
      return { ...factors, codes: factors.codes.filter(each => each !== event.data.hash) }
    default:
      return factors
  }
}

export const factorsAggregate: Aggregate<Factors, FactorEvent> = {
  category: factorsCategory,
  events: factorEvents,
  initial: { codes: [] },
  evolve: evolveFactors,
  route: ({ accountId }) => ({ visibility: 'owner', ...defined({ owner: accountId }) }),
}

// Decide

/** An offer that nobody confirmed for so long (ms) is none: its secret may lie open somewhere. */
export const OFFER_MS = 60 * 60_000

/** The step of a code under a secret, as the log keeps that; undefined where the code is none of it. */
export type StepOf = (secret: string) => number | undefined
type Purpose = 'sign-in' | 'step-up'

const off = () => refuse('factor-off', 'There is no authenticator: POST /v1/me/totp adds one.')
const wrong = () => refuse('code-wrong', 'This code is wrong, or was used.')

export const offerTotp =
  (accountId: string, secret: string): Decide<Factors, FactorEvent, FactorRefusal> =>
  ({ totp }) =>
    totp
      ? refuse('factor-on', 'There is an authenticator already: remove it first.')
      : [{ type: 'TotpOffered', data: { accountId, secret } }]

export const confirmTotp =
  (sessionId: string, stepOf: StepOf, now: Date): Decide<Factors, FactorEvent, FactorRefusal> =>
  ({ accountId, offered, totp }) => {
    if (totp) return refuse('factor-on', 'There is an authenticator already: remove it first.')
    if (accountId === undefined || offered?.secret === undefined) return off()
    if (now.getTime() - Date.parse(offered.at) > OFFER_MS)
      return refuse('factor-off', 'This authenticator was offered more than an hour ago: ask for another one.')
    const step = stepOf(offered.secret)
    return step === undefined ? wrong() : [{ type: 'TotpConfirmed', data: { accountId, sessionId, step } }]
  }

/** Takes a code once: a step that was used, or is older than one that was, is wrong. */
export const useTotp =
  (stepOf: StepOf, purpose: Purpose): Decide<Factors, FactorEvent, FactorRefusal> =>
  ({ totp }) => {
    if (!totp) return off()
    const step = totp.secret === undefined ? undefined : stepOf(totp.secret)
    return step === undefined || step <= totp.lastStep ? wrong() : [{ type: 'CodeUsed', data: { step, purpose } }]
  }

export const useRecoveryCode =
  (hash: string, purpose: Purpose): Decide<Factors, FactorEvent, FactorRefusal> =>
  ({ totp, codes }) =>
    !totp
      ? off()
      : codes.includes(hash)
        ? [{ type: 'RecoveryCodeUsed', data: { hash, purpose, left: codes.length - 1 } }]
        : wrong()

export const refuseCode =
  (device: string, purpose: Purpose): Decide<Factors, FactorEvent, FactorRefusal> =>
  () => [{ type: 'CodeRefused', data: { device, purpose } }]

export const removeTotp =
  (accountId: string, sessionId: string): Decide<Factors, FactorEvent, FactorRefusal> =>
  ({ totp }) =>
    totp ? [{ type: 'TotpRemoved', data: { accountId, sessionId } }] : []

/** Takes away what was added between two times (RFC 3339): by an intruder, from whom the account was taken back. */
export const removeDisputedTotp =
  (since: string, until: string): Decide<Factors, FactorEvent, FactorRefusal> =>
  ({ accountId, totp }) =>
    accountId !== undefined && totp && totp.since >= since && totp.since <= until
      ? [{ type: 'TotpRemoved', data: { accountId } }]
      : []

export const makeRecoveryCodes =
  (accountId: string, hashes: readonly string[]): Decide<Factors, FactorEvent, FactorRefusal> =>
  ({ totp }) =>
    totp ? [{ type: 'RecoveryCodesMade', data: { accountId, hashes: [...hashes] } }] : off()
