/** The pipeline of this service: its steps in their order. */
import { createHash } from 'node:crypto'
import { accountAggregate, accountStream } from '../domain/account/account.ts'
import { NEW_DAYS } from '../domain/comment/limits.ts'
import { linkStep, openPipeline, type Pipeline, repeatStep, wordStep } from '../domain/moderation/pipeline.ts'
import type { Core } from './core.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const MINUTE_MS = 60 * 1000

/** A cache that is away lets pass what it would have counted. What is counted last was let pass by all others. */
export const openCommentPipeline = ({ cache, moderation }: Pick<Core, 'cache' | 'moderation'>): Pipeline => {
  const seen = async (account: string, words: string): Promise<boolean> => {
    const said = createHash('sha256').update(words).digest('base64url')
    try {
      return (await cache.hit(`said:${account}:${said}`, moderation.repeatMinutes * MINUTE_MS)).count > 1
    } catch {
      return false
    }
  }
  return openPipeline([
    wordStep(moderation.rules),
    linkStep(moderation.newLinks),
    ...(moderation.repeatMinutes > 0 ? [repeatStep(seen)] : []),
  ])
}

/** Is the account one of the last days? */
export const openIsNew =
  ({ transactor }: Pick<Core, 'transactor'>) =>
  async (accountId: string, now: Date): Promise<boolean> => {
    const { state: account } = await transactor(accountAggregate).load(accountStream(accountId))
    return account !== undefined && now.getTime() - Date.parse(account.createdAt) < NEW_DAYS * DAY_MS
  }
