/** Every revision of an entry by folding its whole stream: what the program does not do, and its answers are compared with. */
import type { Log } from '../../src/core/log/log.ts'
import { type Entry, entryStream, evolveEntry } from '../../src/domain/entry/entry.ts'
import type { EntryEvent } from '../../src/domain/entry/events.ts'
import type { Recorded } from '../../src/domain/event.ts'
import { isEntryEvent } from '../../src/projections/entries.ts'

/** The event and the entry after it. */
export type Revision = { readonly event: Recorded<EntryEvent>; readonly entry: Entry }

/** Oldest first. */
export const revisionsOf = async function* (log: Pick<Log, 'readStream'>, id: string): AsyncGenerator<Revision> {
  let entry: Entry | undefined
  for await (const page of log.readStream(entryStream(id)))
    for (const event of page) {
      if (!isEntryEvent(event)) continue
      entry = evolveEntry(entry, event)
      if (entry) yield { event, entry }
    }
}
