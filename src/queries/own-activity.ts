/** What somebody has done, and what was done at or to their account by others. */
import type { Line } from '../core/log/transcript.ts'
import { AccountReinstated, AccountSuspended, RoleGranted, RoleTaken } from '../domain/account/account.ts'
import { SessionsEnded } from '../domain/account/session-end-events.ts'
import { SignInFailed } from '../domain/address/address-events.ts'
import { SessionEnded } from '../domain/session/session.ts'
import type { History, HistoryPage, HistoryPlace, HistoryReader } from './history.ts'

export type ActivityQuestion = {
  readonly type?: string
  readonly from?: Date
  readonly to?: Date
  readonly order: 'asc' | 'desc'
}

/** Tries at the account, and what administrators did to it. */
export const concerningTypes: readonly string[] = [
  SignInFailed.type,
  AccountSuspended.type,
  AccountReinstated.type,
  SessionsEnded.type,
  SessionEnded.type,
  RoleGranted.type,
  RoleTaken.type,
]

/** Of what others did its owner is told the fact and the reason: not who it was, nor where else it stands. */
const TOLD = ['cause', 'reason', 'device', 'role', 'expiresAt', 'languages'] as const

type Told = {
  readonly id: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  readonly meta: { readonly at: string; readonly actor: { readonly kind: string } }
}

const factOf = ({ text, ...place }: Line): Line => {
  const { id, type, data, meta }: Told = JSON.parse(text)
  const told = TOLD.flatMap(member => (data[member] === undefined ? [] : [[member, data[member]]]))
  const fact = {
    id,
    type,
    data: Object.fromEntries(told),
    meta: { at: meta.at, actor: { kind: meta.actor.kind } },
  }
  return { ...place, text: JSON.stringify(fact) }
}

type Paging = { readonly limit: number; readonly place?: HistoryPlace }

/**
 * One page of two questions in the order of the log. A page of either may be short although more follows: only what lies on
 * the near side of where both have looked is known to be in order.
 */
const merged = (pages: readonly HistoryPage[], order: 'asc' | 'desc', limit: number): HistoryPage => {
  const before = (a: bigint, b: bigint): boolean => (order === 'asc' ? a < b : a > b)
  const ends = pages.flatMap(({ next }) => next ?? [])
  const horizon = ends.map(({ at }) => at).toSorted((a, b) => (before(a, b) ? -1 : 1))[0]
  const known = pages
    .flatMap(({ lines }) => lines)
    .filter(({ position }) => horizon === undefined || !before(horizon, position))
    .toSorted((a, b) => (before(a.position, b.position) ? -1 : 1))
  const lines = known.slice(0, limit)
  const position = pages.reduce(
    (least, page) => (page.position < least ? page.position : least),
    pages[0]?.position ?? 0n,
  )
  const at = known.length > limit ? lines.at(-1)?.position : horizon
  const end = ends.map(place => place.end).reduce((least, each) => (each < least ? each : least), position + 1n)
  return { lines, position, next: at === undefined ? undefined : { at, end } }
}

/**
 * One page. `whole`: as the log has what others did too, for those who administer; else the fact and the reason alone.
 * @throws {ProjectionError}
 */
export const activityOf = async (
  history: Pick<History, 'page'>,
  accountId: string,
  {
    question,
    paging,
    reader,
    whole = false,
  }: {
    readonly question: ActivityQuestion
    readonly paging: Paging
    readonly reader: HistoryReader
    readonly whole?: boolean
  },
): Promise<HistoryPage> => {
  const own = await history.page({ ...question, actor: accountId }, paging, reader)
  const concerning = { id: accountId, types: concerningTypes }
  const others = await history.page({ ...question, concerning }, paging, reader)
  return merged(
    [own, { ...others, lines: whole ? others.lines : others.lines.map(factOf) }],
    question.order,
    paging.limit,
  )
}
