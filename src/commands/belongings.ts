/**
 * What is an account's, for what goes with it: the streams that it has begun, or in which others have named it. From the log itself, since
 * read models may not have all of it yet, and in one reading from the account's beginning for all that ask.
 */
import type { Log } from '../core/log/log.ts'
import { accountStream } from '../domain/account/account.ts'
import { AddressChangeRequested } from '../domain/address/change-events.ts'
import { CommentPosted } from '../domain/comment/events.ts'
import { AppealFiled } from '../domain/moderation/appeal-events.ts'
import { ReadingListBegun } from '../domain/shelf/reading-list.ts'
import { AuthorInvited, StoryBegun } from '../domain/story/events.ts'
import { SeriesBegun } from '../domain/story/series.ts'

const kinds = ['claims', 'lists', 'comments', 'appeals', 'stories', 'series'] as const
/**
 * Names of streams, each in the order in which the log has them first. `claims`: of the addresses that it wanted to move to; `stories`: those
 * that it began or was invited to.
 */
export type Belongings = Readonly<Record<(typeof kinds)[number], ReadonlySet<string>>>

/** By the type of event, the member that names the account. */
const named: ReadonlyMap<string, readonly [kind: (typeof kinds)[number], member: string]> = new Map([
  [AddressChangeRequested.type, ['claims', 'accountId']],
  [ReadingListBegun.type, ['lists', 'accountId']],
  [CommentPosted.type, ['comments', 'author']],
  [AppealFiled.type, ['appeals', 'accountId']],
  [StoryBegun.type, ['stories', 'author']],
  [AuthorInvited.type, ['stories', 'account']],
  [SeriesBegun.type, ['series', 'author']],
])

/** Nothing where there is no such account. @throws {EventStoreError} */
export const belongingsOf = async (
  log: Pick<Log, 'readStream' | 'readFrom'>,
  accountId: string,
): Promise<Belongings> => {
  const found = {
    claims: new Set<string>(),
    lists: new Set<string>(),
    comments: new Set<string>(),
    appeals: new Set<string>(),
    stories: new Set<string>(),
    series: new Set<string>(),
  }
  for await (const [first] of log.readStream(accountStream(accountId), { limit: 1 })) {
    if (!first) break
    for await (const { events } of log.readFrom(first.position, { types: [...named.keys()] }))
      for (const { type, stream, data } of events) {
        const [kind, member] = named.get(type) ?? []
        if (kind && member !== undefined && data[member] === accountId) found[kind].add(stream)
      }
    break
  }
  return found
}
