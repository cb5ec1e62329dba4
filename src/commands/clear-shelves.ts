/**
 * What somebody keeps of stories goes with their account: bookmarks, subscriptions, progress, reading lists. Done before the account's
 * key is destroyed, and again from the start where a process ended in the middle.
 */
import type { Log } from '../core/log/log.ts'
import type { Envelope, Transactor } from '../core/write/transact.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import {
  deleteList,
  ReadingListBegun,
  type ReadingListEvent,
  type ReadingListState,
} from '../domain/shelf/reading-list.ts'
import { clearShelf, type Shelf, type ShelfEvent, shelvesOf } from '../domain/shelf/shelf.ts'
import { sinceAccount } from './since-account.ts'

export type ClearingDeps = {
  readonly shelves: Transactor<Shelf, ShelfEvent>
  readonly lists: Transactor<ReadingListState, ReadingListEvent>
  readonly log: Pick<Log, 'readStream' | 'readFrom'>
}

/** The streams of the lists that the account has begun. */
const listsOf = async ({ log }: ClearingDeps, accountId: string): Promise<readonly string[]> => {
  const streams: string[] = []
  for await (const { stream, data } of sinceAccount(log, accountId, [ReadingListBegun.type]))
    if (data['accountId'] === accountId) streams.push(stream)
  return streams
}

/** `by`: an envelope of its own for each command. */
export const clearShelves = async (
  deps: ClearingDeps,
  accountId: string,
  by: () => Envelope,
): Promise<'done' | Refusal> => {
  for (const stream of shelvesOf(accountId)) {
    const cleared = await deps.shelves.run(stream, clearShelf(accountId), by())
    if (isRefusal(cleared)) return cleared
  }
  for (const stream of await listsOf(deps, accountId)) {
    const deleted = await deps.lists.run(stream, deleteList({ id: accountId }), by())
    if (isRefusal(deleted)) return deleted
  }
  return 'done'
}
