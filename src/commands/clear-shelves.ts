/**
 * What somebody keeps of stories goes with their account: bookmarks, subscriptions, progress, reading lists. Done before the account's
 * key is destroyed, and again from the start where a process ended in the middle.
 */
import type { Envelope, Transactor } from '../core/write/transact.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import { deleteList, type ReadingListEvent, type ReadingListState } from '../domain/shelf/reading-list.ts'
import { clearShelf, type Shelf, type ShelfEvent, shelvesOf } from '../domain/shelf/shelf.ts'
import type { Belongings } from './belongings.ts'

export type ClearingDeps = {
  readonly shelves: Transactor<Shelf, ShelfEvent>
  readonly lists: Transactor<ReadingListState, ReadingListEvent>
}

/** `by`: an envelope of its own for each command. */
export const clearShelves = async (
  deps: ClearingDeps,
  { accountId, lists }: Pick<Belongings, 'lists'> & { readonly accountId: string },
  by: () => Envelope,
): Promise<'done' | Refusal> => {
  for (const stream of shelvesOf(accountId)) {
    const cleared = await deps.shelves.run(stream, clearShelf(accountId), by())
    if (isRefusal(cleared)) return cleared
  }
  for (const stream of lists) {
    const deleted = await deps.lists.run(stream, deleteList({ id: accountId }), by())
    if (isRefusal(deleted)) return deleted
  }
  return 'done'
}
