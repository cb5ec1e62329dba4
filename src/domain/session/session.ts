/** A session: one sign-in on one device, with refresh tokens that are each good once. */
import Type from 'typebox'
import type { Account } from '../account/account.ts'
import { withCause } from '../account/session-end-events.ts'
import { endFault } from '../account/standing.ts'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { refuse } from '../refusal.ts'

/** What is refused of a session. */
export type SessionRefusal = 'session-ended' | 'session-not-found' | 'step-up-required' | 'second-factor-required'

// Stream

export const sessionCategory = 'session'
export const sessionStream = (id: string): string => streamName(sessionCategory, id)

// Events

const strict = { additionalProperties: false }
const text = Type.String({ minLength: 1 })

/** `agent` is what the client calls itself; `device` a keyed hash that tells the account's devices apart. */
export const SessionStarted = eventType(
  'SessionStarted',
  Type.Object(
    {
      sessionId: text,
      accountId: text,
      epoch: Type.Integer({ minimum: 0 }),
      device: text,
      agent: Type.String({ seal: 'subject' as const }),
      remember: Type.Boolean(),
      endsAt: text,
    },
    strict,
  ),
  { subject: data => String(data['accountId']) },
)
/** The refresh token of `generation` is the one that is good from here on. */
export const SessionRefreshed = eventType(
  'SessionRefreshed',
  Type.Object({ generation: Type.Integer({ minimum: 1 }) }, strict),
)
/** Its holder proved once more who they are, `by` this. */
export const SessionSteppedUp = eventType(
  'SessionSteppedUp',
  Type.Object({ by: Type.Enum(['password', 'totp', 'recovery-code', 'passkey', 'provider']) }, strict),
)
/** `device` is that of the session. An administrator says why in `reason`, sealed under the key of `accountId`. */
export const SessionEnded = eventType(
  'SessionEnded',
  Type.Object(
    {
      cause: Type.Enum(['signed-out', 'ended', 'reused', 'administrator']),
      by: text,
      device: Type.Optional(text),
      accountId: Type.Optional(text),
      reason: Type.Optional(Type.String({ minLength: 1, seal: 'subject' as const })),
    },
    strict,
  ),
  { subject: data => String(data['accountId']), version: 2, upcasters: { 1: withCause } },
)

export const sessionEvents = [SessionStarted, SessionRefreshed, SessionSteppedUp, SessionEnded] as const
export type SessionEvent = EventOf<(typeof sessionEvents)[number]>

// Fold

/** Times are RFC 3339. */
export type Session = {
  readonly id: string
  readonly accountId: string
  readonly epoch: number
  readonly device: string
  readonly agent?: string
  readonly remember: boolean
  readonly generation: number
  readonly startedAt: string
  /** When a token was last asked for. */
  readonly usedAt: string
  /** When its holder last proved who they are. */
  readonly authenticatedAt: string
  readonly endsAt: string
  readonly ended: boolean
}
export type SessionState = Session | undefined

export const evolveSession = (session: SessionState, event: Recorded<SessionEvent>): SessionState => {
  switch (event.type) {
    case 'SessionStarted': {
      const { sessionId: id, accountId, epoch, device, agent, remember, endsAt } = event.data
      const { at } = event.meta
      return (
        session ?? {
          id,
          accountId,
          epoch,
          device,
          remember,
          endsAt,
          generation: 0,
          ended: false,
          startedAt: at,
          usedAt: at,
          authenticatedAt: at,
          ...defined({ agent: event.removed ? undefined : agent }),
        }
      )
    }
    case 'SessionRefreshed':
      return session && { ...session, generation: event.data.generation, usedAt: event.meta.at }
    case 'SessionSteppedUp':
      return session && { ...session, authenticatedAt: event.meta.at }
    case 'SessionEnded':
      return session && { ...session, ended: true }
    default:
      return session
  }
}

export const sessionAggregate: Aggregate<SessionState, SessionEvent> = {
  category: sessionCategory,
  events: sessionEvents,
  initial: undefined,
  evolve: evolveSession,
  route: session => ({ visibility: 'owner', ...defined({ owner: session?.accountId }) }),
}

// Decide

const HOUR_MS = 60 * 60_000
const DAY_MS = 24 * HOUR_MS
/** Absolute and idle ends (OWASP ASVS 5, 7.3): a device that is to be remembered, and one that is not. */
const lives = {
  remembered: { longestMs: 30 * DAY_MS, idleMs: 14 * DAY_MS },
  passing: { longestMs: DAY_MS, idleMs: 2 * HOUR_MS },
} as const
const lifeOf = (remember: boolean) => (remember ? lives.remembered : lives.passing)

/** A client that did not get the answer may ask once more with the old token for so long, and gets the same. */
export const RETRY_MS = 10_000

/** Has it neither ended nor run out at `now`? Whether its account ended it is the account's to say. */
export const isLive = (session: Session, now: Date): boolean =>
  !session.ended &&
  Date.parse(session.endsAt) > now.getTime() &&
  Date.parse(session.usedAt) + lifeOf(session.remember).idleMs > now.getTime()

/** For so long, in ms, a proof is good for what matters most: factors, password, address, identities, export, erasure. */
export const FRESH_MS = 10 * 60_000
export const isFresh = ({ authenticatedAt }: Session, now: Date): boolean =>
  now.getTime() - Date.parse(authenticatedAt) <= FRESH_MS

/**
 * May it go on as its account stands? A session of an older epoch has ended, but for the one that was spared, and so have all once the
 * account is being erased. One that began while the account is suspended goes on: what it may do is a matter of rights.
 */
export const ofEpoch = (session: Session, account: Account): boolean =>
  !endFault(account) && (session.epoch === account.epoch || account.spared === session.id)

export type Start = {
  readonly sessionId: string
  readonly accountId: string
  readonly epoch: number
  readonly device: string
  readonly agent: string
  readonly remember: boolean
  readonly now: Date
}
export const startSession =
  ({ now, ...given }: Start): Decide<SessionState, SessionEvent, SessionRefusal> =>
  session => {
    if (session) return []
    const endsAt = new Date(now.getTime() + lifeOf(given.remember).longestMs).toISOString()
    return [{ type: 'SessionStarted', data: { ...given, endsAt } }]
  }

const over = () => refuse('session-ended', 'The session has ended, or there is none: sign in.')

/**
 * Takes the refresh token of a generation. The one before the last, within ten seconds, is a repeat: nothing is written and
 * the answer is that of the first time. Any older one was stolen, by the one side or the other: the session ends.
 */
export const refreshSession =
  (generation: number, now: Date): Decide<SessionState, SessionEvent, SessionRefusal> =>
  session => {
    if (!session || !isLive(session, now)) return over()
    if (generation === session.generation)
      return [{ type: 'SessionRefreshed', data: { generation: session.generation + 1 } }]
    if (generation > session.generation) return over()
    const repeated = generation === session.generation - 1
    if (repeated && now.getTime() - Date.parse(session.usedAt) <= RETRY_MS) return []
    return [{ type: 'SessionEnded', data: { cause: 'reused', by: session.accountId, device: session.device } }]
  }

export type Proof = 'password' | 'totp' | 'recovery-code' | 'passkey' | 'provider'

/** Notes that the holder of a session proved who they are: what asks for that may be done for ten minutes. */
export const stepUpSession =
  (owner: string, by: Proof, now: Date): Decide<SessionState, SessionEvent, SessionRefusal> =>
  session =>
    session?.accountId !== owner || !isLive(session, now) ? over() : [{ type: 'SessionSteppedUp', data: { by } }]

/** Ends it; of somebody else's there is none to see. */
export const endSession =
  (owner: string, cause: 'signed-out' | 'ended'): Decide<SessionState, SessionEvent, SessionRefusal> =>
  session =>
    session?.accountId !== owner
      ? refuse('session-not-found', 'There is no such session.')
      : session.ended
        ? []
        : [{ type: 'SessionEnded', data: { cause, by: owner, device: session.device } }]

/** An administrator ends one of somebody else's, and says why. */
export const endSessionFor =
  (owner: string, by: string, reason: string): Decide<SessionState, SessionEvent, SessionRefusal> =>
  session => {
    if (session?.accountId !== owner) return refuse('session-not-found', 'There is no such session.')
    if (reason.trim() === '') return refuse('reason-required', 'Whoever ends the session of somebody else says why.')
    if (session.ended) return []
    const { device } = session
    return [{ type: 'SessionEnded', data: { cause: 'administrator', by, device, accountId: owner, reason } }]
  }
