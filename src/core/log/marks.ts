/** The marks of positions (src/domain/mark.ts), read from the store and remembered for those that were asked for lately. */
import { LRUCache } from 'lru-cache'
import { markOf, NO_MARK } from '../../domain/mark.ts'
import type { EventStore, LoggedEvent } from '../../ports/event-store.ts'
import { atOf } from './codec.ts'

export type Marks = {
  /** NO_MARK where no event stands. @throws {EventStoreError} where it is not remembered and the store cannot say. */
  at(position: bigint): Promise<string>
  /** An event as it was read: what was only sent may not be what is recorded. */
  note(event: LoggedEvent): string
}

/** Some 500 KiB. */
const REMEMBERED = 4_096

export const openMarks = (store: Pick<EventStore, 'readAt'>): Marks => {
  const known = new LRUCache<bigint, string>({ max: REMEMBERED })
  const asked = new Map<bigint, Promise<string>>()
  const note = ({ id, meta, position }: LoggedEvent): string => {
    const mark = markOf(id, atOf(meta))
    known.set(position, mark)
    return mark
  }
  const look = async (position: bigint): Promise<string> => {
    const [event] = await store.readAt([position])
    return event ? note(event) : NO_MARK
  }
  return {
    note,
    at: async position => {
      if (position === 0n) return NO_MARK
      const mark = known.get(position)
      if (mark !== undefined) return mark
      const looking = asked.get(position) ?? look(position).finally(() => asked.delete(position))
      asked.set(position, looking)
      return looking
    },
  }
}
