/**
 * What somebody is told of a comment: a stream for each person and comment, so that they are told once, whatever is repeated, held back
 * and released, or true of them twice. It says where the comment is, and nothing of what it says.
 */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType } from '../event.ts'
import { streamName, uuidv5 } from '../ids.ts'

// Stream

export const noticeCategory = 'notice'
/** Of two UUIDs, of which the first one is the space of the other's names. */
export const noticeStream = (comment: string, accountId: string): string =>
  streamName(noticeCategory, uuidv5(comment, accountId))

// Events

/** Why somebody is told, the nearest first: they were answered, mentioned, or wrote what it is about. */
export const noticeReasons = ['answer', 'mention', 'work'] as const
export type NoticeReason = (typeof noticeReasons)[number]

const id = Type.String({ minLength: 1 })
export const CommentTold = eventType(
  'CommentTold',
  Type.Object(
    { accountId: id, comment: id, thread: id, because: Type.Enum([...noticeReasons]) },
    { additionalProperties: false },
  ),
)
export const noticeEvents = [CommentTold] as const
export type NoticeEvent = EventOf<typeof CommentTold>

// Fold

/** `accountId`: who was told; absent as long as nobody is. */
export type Notice = { readonly accountId?: string }

export const noticeAggregate: Aggregate<Notice, NoticeEvent> = {
  category: noticeCategory,
  events: noticeEvents,
  initial: {},
  evolve: (_, { data: { accountId } }) => ({ accountId }),
  route: ({ accountId }) => ({ visibility: 'owner', ...defined({ owner: accountId }) }),
  // Nobody reads one twice.
  cachedStreams: 1,
}

// Decide

export const tellOfComment =
  (told: NoticeEvent['data']): Decide<Notice, NoticeEvent, never> =>
  notice =>
    notice.accountId === undefined ? [{ type: 'CommentTold', data: told }] : []

/** Who is told of a comment, each once for the nearest reason, and never who said it. */
export const toldOf = (
  author: string,
  {
    answered,
    mentioned,
    authors,
  }: {
    readonly answered: string | undefined
    readonly mentioned: readonly string[]
    readonly authors: readonly string[]
  },
): ReadonlyMap<string, NoticeReason> => {
  const told = new Map<string, NoticeReason>()
  const tell = (accounts: readonly string[], because: NoticeReason): void => {
    for (const account of accounts) if (account !== author && !told.has(account)) told.set(account, because)
  }
  tell(answered === undefined ? [] : [answered], 'answer')
  tell(mentioned, 'mention')
  tell(authors, 'work')
  return told
}
