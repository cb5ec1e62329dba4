/** An access token of a service: who it was issued to, with which role, until when, and whether it was revoked. */
import Type from 'typebox'
import type { Aggregate, Decide, Decision } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { refuse } from '../refusal.ts'
import { type Role, roles } from '../roles.ts'

/** What is refused of a token. */
export type TokenRefusal = 'token-not-found' | 'token-life'

// Stream

export const tokenCategory = 'token'
export const tokenStream = (id: string): string => streamName(tokenCategory, id)

// Events

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })

/** `subject` is the actor id that the token acts as; `name` says in words who got it, and is sealed under the subject's key. */
export const TokenIssued = eventType(
  'TokenIssued',
  Type.Object(
    {
      tokenId: text,
      role: Type.Enum([...roles]),
      subject: text,
      name: Type.String({ minLength: 1, seal: 'subject' as const }),
      issuedAt: text,
      expiresAt: text,
    },
    strict,
  ),
  { subject: data => String(data['subject']) },
)
/** `by` is the actor id of who revoked it. */
export const TokenRevoked = eventType('TokenRevoked', Type.Object({ by: text }, strict))

export const tokenEvents = [TokenIssued, TokenRevoked] as const
export type TokenEvent = EventOf<(typeof tokenEvents)[number]>

// Fold

/** Times are RFC 3339. `name` is absent once it was erased. */
export type Token = {
  readonly id: string
  readonly role: Role
  readonly subject: string
  readonly name?: string
  readonly issuedAt: string
  readonly expiresAt: string
  readonly revoked: boolean
}
export type TokenState = Token | undefined

export const evolveToken = (token: TokenState, event: Recorded<TokenEvent>): TokenState => {
  switch (event.type) {
    case 'TokenIssued': {
      const { tokenId: id, role, subject, issuedAt, expiresAt } = event.data
      const name = event.removed ? {} : { name: event.data.name }
      return token ?? { id, role, subject, ...name, issuedAt, expiresAt, revoked: false }
    }
    case 'TokenRevoked':
      return token && { ...token, revoked: true }
    default:
      return token
  }
}

export const tokenAggregate: Aggregate<TokenState, TokenEvent> = {
  category: tokenCategory,
  events: tokenEvents,
  initial: undefined,
  evolve: evolveToken,
  route: token => ({ visibility: 'owner', ...defined({ owner: token?.subject }) }),
}

// Decide

const SHORTEST_MS = 1000
/** The longest life of a token, in milliseconds. */
export const LONGEST_TOKEN_LIFE_MS = 24 * 60 * 60 * 1000
const LONGEST_NAME = 200

/** `lifeMs` is counted from `now`. */
export type TokenRequest = {
  readonly tokenId: string
  readonly role: Role
  readonly subject: string
  readonly name: string
  readonly lifeMs: number
  readonly now: Date
}

export const issueToken =
  ({ tokenId, role, subject, name, lifeMs, now }: TokenRequest): Decide<TokenState, TokenEvent, TokenRefusal> =>
  (token): Decision<TokenEvent, TokenRefusal> => {
    if (token) return []
    if (!Number.isInteger(lifeMs) || lifeMs < SHORTEST_MS || lifeMs > LONGEST_TOKEN_LIFE_MS)
      return refuse('token-life', 'A token lives for one second at least and 24 hours at most.')
    if (name.trim() === '' || name.length > LONGEST_NAME || !name.isWellFormed() || /\p{Cc}/u.test(name))
      return refuse(
        'text-invalid',
        `A token's name has 1 to ${LONGEST_NAME} characters, none of them control characters.`,
      )
    const expiresAt = new Date(now.getTime() + lifeMs).toISOString()
    return [{ type: 'TokenIssued', data: { tokenId, role, subject, name, issuedAt: now.toISOString(), expiresAt } }]
  }

export const revokeToken =
  (by: string): Decide<TokenState, TokenEvent, TokenRefusal> =>
  token =>
    !token
      ? refuse('token-not-found', 'There is no such token.')
      : token.revoked
        ? []
        : [{ type: 'TokenRevoked', data: { by } }]
