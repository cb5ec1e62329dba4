/** The passkeys of an account (W3C Web Authentication, level 3): what is kept of each, and that nothing is taken twice. */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { refuse } from '../refusal.ts'

/** What is refused of passkeys. */
export type PasskeyRefusal = 'passkey-wrong' | 'passkey-refused' | 'passkey-not-found' | 'passkeys-off'

// Stream

export const passkeysCategory = 'passkeys'
export const passkeysStream = (accountId: string): string => streamName(passkeysCategory, accountId)

// Events

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })
const secret = Type.String({ minLength: 1, seal: 'subject' as const })
const counter = Type.Integer({ minimum: 0 })
/** Of the challenge that was answered, and until when it could be. */
const challenge = { nonce: text, nonceUntil: text }
const subject = (data: { readonly accountId?: unknown }): string => String(data.accountId)

/** `credentialId` and `publicKey` (COSE) in base64url. `sessionId` is the one that goes on. */
export const PasskeyAdded = eventType(
  'PasskeyAdded',
  Type.Object(
    {
      accountId: text,
      passkeyId: text,
      sessionId: text,
      credentialId: secret,
      publicKey: secret,
      name: secret,
      counter,
      backedUp: Type.Boolean(),
      ...challenge,
    },
    strict,
  ),
  { subject },
)
export const PasskeyUsed = eventType(
  'PasskeyUsed',
  Type.Object({ passkeyId: text, counter, purpose: Type.Enum(['sign-in', 'step-up']), ...challenge }, strict),
)
/** Its signature is right and its counter is not above the last one: there may be two of it. */
export const PasskeyRefused = eventType(
  'PasskeyRefused',
  Type.Object({ passkeyId: text, counter, last: counter, ...challenge }, strict),
)
/** An answer in its name that was not right, or was used; `device` is a keyed hash of what tells browsers apart. */
export const PasskeyFailed = eventType(
  'PasskeyFailed',
  Type.Object({ passkeyId: text, device: text, purpose: Type.Enum(['sign-in', 'step-up']) }, strict),
)
/** Without a session the service did it: an intruder had added it. */
export const PasskeyRemoved = eventType(
  'PasskeyRemoved',
  Type.Object({ accountId: text, passkeyId: text, sessionId: Type.Optional(text) }, strict),
)

export const passkeyEvents = [PasskeyAdded, PasskeyUsed, PasskeyRefused, PasskeyFailed, PasskeyRemoved] as const
export type PasskeyEvent = EventOf<(typeof passkeyEvents)[number]>

// Fold

/** Without credential, key and name once the account was erased. Times are RFC 3339. */
export type Passkey = {
  readonly id: string
  readonly credentialId?: string
  readonly publicKey?: string
  readonly name?: string
  readonly counter: number
  readonly backedUp: boolean
  readonly createdAt: string
  readonly usedAt?: string
}
/** `answered`: challenges that were used and could be sent again. */
export type Passkeys = {
  readonly accountId?: string
  readonly items: readonly Passkey[]
  readonly answered: ReadonlyMap<string, string>
}

/** Those that have run out are of no use to anybody, so that no more are kept than five minutes can bring. */
const answering = (passkeys: Passkeys, nonce: string, until: string, at: string): Passkeys => ({
  ...passkeys,
  answered: new Map([...[...passkeys.answered].filter(([, end]) => end > at), [nonce, until]]),
})

export const evolvePasskeys = (passkeys: Passkeys, event: Recorded<PasskeyEvent>): Passkeys => {
  const { items } = passkeys
  const { at } = event.meta
  switch (event.type) {
    case 'PasskeyAdded': {
      const { accountId, passkeyId: id, counter, backedUp, nonce, nonceUntil, ...data } = event.data
      const { credentialId, publicKey, name } = data
      const added = { id, counter, backedUp, createdAt: at, ...(!event.removed && { credentialId, publicKey, name }) }
      return answering({ ...passkeys, accountId, items: [...items, added] }, nonce, nonceUntil, at)
    }
    case 'PasskeyUsed': {
      const { passkeyId, counter, nonce, nonceUntil } = event.data
      const used = items.map(each => (each.id === passkeyId ? { ...each, counter, usedAt: at } : each))
      return answering({ ...passkeys, items: used }, nonce, nonceUntil, at)
    }
    case 'PasskeyRefused':
      return answering(passkeys, event.data.nonce, event.data.nonceUntil, at)
    case 'PasskeyRemoved':
      return { ...passkeys, items: items.filter(each => each.id !== event.data.passkeyId) }
    default:
      return passkeys
  }
}

export const passkeysAggregate: Aggregate<Passkeys, PasskeyEvent> = {
  category: passkeysCategory,
  events: passkeyEvents,
  initial: { items: [], answered: new Map() },
  evolve: evolvePasskeys,
  route: ({ accountId }) => ({ visibility: 'owner', ...defined({ owner: accountId }) }),
}

// Decide

export const MOST_PASSKEYS = 20

/** A challenge of ours that was answered: its random part, and until when (RFC 3339) it may be. */
export type Answered = { readonly nonce: string; readonly nonceUntil: string }

const wrong = () => refuse('passkey-wrong', 'This passkey is none of the account, or its answer was used.')

export const addPasskey =
  (passkey: EventOf<typeof PasskeyAdded>['data']): Decide<Passkeys, PasskeyEvent, PasskeyRefusal> =>
  ({ items, answered }) => {
    if (answered.has(passkey.nonce)) return wrong()
    if (items.some(each => each.credentialId === passkey.credentialId))
      return refuse('passkey-refused', 'This passkey is one of yours already.')
    if (items.length >= MOST_PASSKEYS)
      return refuse('passkey-refused', `An account has ${MOST_PASSKEYS} passkeys at most: remove one first.`)
    return [{ type: 'PasskeyAdded', data: passkey }]
  }

/**
 * Takes an answer whose signature is right: once, and with a counter above the last one where there are counters (level 3,
 * 7.2, step 22). One that is not is noted as refused, and is nobody's proof.
 */
export const usePasskey =
  (
    id: string,
    counter: number,
    purpose: 'sign-in' | 'step-up',
    answer: Answered,
  ): Decide<Passkeys, PasskeyEvent, PasskeyRefusal> =>
  ({ items, answered }) => {
    const passkey = items.find(each => each.id === id)
    if (!passkey || answered.has(answer.nonce)) return wrong()
    const { counter: last } = passkey
    return (counter > 0 || last > 0) && counter <= last
      ? [{ type: 'PasskeyRefused', data: { passkeyId: id, counter, last, ...answer } }]
      : [{ type: 'PasskeyUsed', data: { passkeyId: id, counter, purpose, ...answer } }]
  }

export const failPasskey =
  (passkeyId: string, device: string, purpose: 'sign-in' | 'step-up'): Decide<Passkeys, PasskeyEvent, PasskeyRefusal> =>
  () => [{ type: 'PasskeyFailed', data: { passkeyId, device, purpose } }]

export const removePasskey =
  (id: string, sessionId: string): Decide<Passkeys, PasskeyEvent, PasskeyRefusal> =>
  ({ accountId, items }) =>
    accountId === undefined || !items.some(each => each.id === id)
      ? refuse('passkey-not-found', 'There is no such passkey of yours.')
      : [{ type: 'PasskeyRemoved', data: { accountId, passkeyId: id, sessionId } }]

/** Takes away those that were added between two times (RFC 3339): by an intruder, from whom the account was taken back. */
export const removeDisputedPasskeys =
  (since: string, until: string): Decide<Passkeys, PasskeyEvent, PasskeyRefusal> =>
  ({ accountId, items }) =>
    accountId === undefined
      ? []
      : items
          .filter(each => each.createdAt >= since && each.createdAt <= until)
          .map(({ id: passkeyId }) => ({ type: 'PasskeyRemoved', data: { accountId, passkeyId } }))
