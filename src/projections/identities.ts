/**
 * Accounts and live sessions as the log has them, in this node's memory, without addresses and passwords: who may act, and
 * as what, is decided by it and not by what a token says. The token follower feeds it.
 */
import {
  type Account,
  type AccountEvent,
  accountAggregate,
  accountCategory,
  accountEvents,
  evolveAccount,
} from '../domain/account/account.ts'
import { lateness } from '../domain/account/erasure.ts'
import { staysAdministrator } from '../domain/account/standing.ts'
import type { Recorded } from '../domain/event.ts'
import {
  evolveSession,
  isLive,
  ofEpoch,
  type Session,
  type SessionEvent,
  sessionCategory,
  sessionEvents,
} from '../domain/session/session.ts'
import type { Clock } from '../ports/clock.ts'

export const identityCategories: readonly string[] = [accountCategory, sessionCategory]

export type Identities = {
  /** Folds one event; any other kind is passed over. */
  apply(event: Recorded): void
  account(id: string): Account | undefined
  /** A session that has not ended, whose account may act. */
  session(id: string): { readonly session: Session; readonly account: Account } | undefined
  /** Of one account, the newest first. */
  sessionsOf(accountId: string): readonly Session[]
  /** Accounts that are to be erased, as far as this node has heard. */
  toErase(): readonly string[]
  /** Erasures that wait for the role of an administrator to end, and those that are late, as far as this node has heard. */
  lateErasures(): { readonly held: number; readonly late: number }
  /** Accounts that are administrators without an end, as far as this node has heard. */
  administrators(): readonly string[]
  /** What is kept. */
  count(): { readonly accounts: number; readonly sessions: number }
}

const SWEEP_ABOVE = 10_000

const accountTypes: ReadonlySet<string> = new Set(accountEvents.map(each => each.type))
const sessionTypes: ReadonlySet<string> = new Set(sessionEvents.map(each => each.type))
const isAccountEvent = (event: Recorded): event is Recorded<AccountEvent> => accountTypes.has(event.type)
const isSessionEvent = (event: Recorded): event is Recorded<SessionEvent> => sessionTypes.has(event.type)

/** Without what is nobody's business here: memory is the one place where a key's end does not reach. */
const bare = ({ address: _a, password: _p, granted: _g, ...account }: Account): Account => account

export const openIdentities = (clock: Pick<Clock, 'now'>): Identities => {
  const accounts = new Map<string, Account>()
  const ending = new Set<string>()
  const sessions = new Map<string, Session>()
  const byAccount = new Map<string, Set<string>>()
  let sweepAt = SWEEP_ABOVE

  const drop = ({ id, accountId }: Session): void => {
    sessions.delete(id)
    const all = byAccount.get(accountId)
    all?.delete(id)
    if (all?.size === 0) byAccount.delete(accountId)
  }
  const sweep = (): void => {
    const now = clock.now()
    for (const session of sessions.values()) if (!isLive(session, now)) drop(session)
    sweepAt = Math.max(SWEEP_ABOVE, 2 * sessions.size)
  }

  const applySession = (event: Recorded<SessionEvent>): void => {
    const session = evolveSession(sessions.get(event.stream.slice(sessionCategory.length + 1)), event)
    if (!session) return
    if (session.ended) {
      drop(session)
      return
    }
    sessions.set(session.id, session)
    const all = byAccount.get(session.accountId) ?? new Set()
    byAccount.set(session.accountId, all.add(session.id))
    if (sessions.size > sweepAt) sweep()
  }

  const standing = (id: string) => {
    const session = sessions.get(id)
    const account = session && accounts.get(session.accountId)
    return session && account && ofEpoch(session, account) && isLive(session, clock.now())
      ? { session, account }
      : undefined
  }

  return {
    apply: event => {
      if (isSessionEvent(event)) applySession(event)
      if (!isAccountEvent(event)) return
      const id = event.stream.slice(accountCategory.length + 1)
      const account = evolveAccount(accounts.get(id) ?? accountAggregate.initial, event)
      if (account) accounts.set(id, bare(account))
      if (account?.erasure && !account.erased) ending.add(id)
      else ending.delete(id)
    },
    account: id => accounts.get(id),
    session: standing,
    sessionsOf: accountId =>
      [...(byAccount.get(accountId) ?? [])]
        .flatMap(id => standing(id)?.session ?? [])
        .toSorted((a, b) => b.startedAt.localeCompare(a.startedAt) || a.id.localeCompare(b.id)),
    toErase: () => [...ending],
    lateErasures: () => {
      const now = clock.now()
      const found = [...ending].map(id => accounts.get(id)).map(account => account && lateness(account, now))
      return { held: found.filter(each => each === 'held').length, late: found.filter(each => each === 'late').length }
    },
    count: () => ({ accounts: accounts.size, sessions: sessions.size }),
    administrators: () => [
      ...accounts
        .values()
        .filter(staysAdministrator)
        .map(each => each.id),
    ],
  }
}
