/** Reading lists as they stand, by id: found by their owner. */
import { projection } from '../core/project/define.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import { markOf } from '../domain/mark.ts'
import {
  evolveReadingList,
  type ReadingList,
  ReadingListDeleted,
  type ReadingListEvent,
  readingListCategory,
  readingListEvents,
  readingListIdOf,
} from '../domain/shelf/reading-list.ts'

/** `revision` and `mark` are what If-Match states; `shownOf` the owner, where the list is not private. */
export type ReadingListDocument = ReadingList & {
  readonly revision: string
  readonly mark: string
  readonly shownOf?: string
}

const names: ReadonlySet<string> = new Set(readingListEvents.map(({ type }) => type))
const isListEvent = (event: Recorded): event is Recorded<ReadingListEvent> => names.has(event.type)

export const readingListsProjection = projection<ReadingListDocument>({
  name: 'reading-lists',
  version: 1,
  categories: [readingListCategory],
  removals: [ReadingListDeleted.type],
  indexes: [
    { name: 'owner', on: ['owner', 'updatedAt'] },
    { name: 'shown', on: ['shownOf', 'updatedAt'] },
  ],
  key: readingListIdOf,
  evolve: (document, event) => {
    if (!isListEvent(event)) return document
    const list = evolveReadingList(document, event)
    if (!list || list.deleted) return undefined
    const { owner, title, isPrivate, stories, createdAt, updatedAt } = list
    return {
      owner,
      isPrivate,
      stories,
      createdAt,
      updatedAt,
      revision: String(event.revision),
      mark: markOf(event.id, event.meta.at),
      ...defined({ title, shownOf: isPrivate ? undefined : owner }),
    }
  },
})
