/** How often a new account comments or proposes: each a few times within a quarter of an hour, counted where all that is limited is. */
import { accountAggregate, accountStream } from '../domain/account/account.ts'
import { NEW_DAYS, NEW_SECONDS } from '../domain/comment/limits.ts'
import type { Core } from './core.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** Seconds to wait where this is one too many, and counts it otherwise; `most`: 0 for no limit. A cache that is away lets them in. */
export const openNewcomers =
  (
    { transactor, cache }: Pick<Core, 'transactor' | 'cache'>,
    most: number,
    of: 'comments' | 'proposals' = 'comments',
  ) =>
  async (accountId: string, now: Date): Promise<number | undefined> => {
    if (most === 0) return undefined
    const { state: account } = await transactor(accountAggregate).load(accountStream(accountId))
    if (!account || now.getTime() - Date.parse(account.createdAt) > NEW_DAYS * DAY_MS) return undefined
    try {
      const { count, resetMs } = await cache.hit(`${of}:${accountId}`, NEW_SECONDS * 1000)
      return count > most ? Math.max(1, Math.ceil(resetMs / 1000)) : undefined
    } catch {
      return undefined
    }
  }
