/**
 * Completes a removal: when an entry is redacted, every key that ever sealed its text is destroyed, and its documents leave
 * every generation of every read model. The event is the durable intent; this makes it true in every copy of the log, again
 * after a crash, and repeating it is harmless.
 */

import type { Log } from '../core/log/log.ts'
import type { Removing } from '../core/project/removal.ts'
import type { Subscriber } from '../core/subscribe/define.ts'
import { entryCategory } from '../domain/entry/entry.ts'
import { EntryRedacted } from '../domain/entry/events.ts'
import type { Recorded } from '../domain/event.ts'
import type { Keys } from '../ports/keys.ts'

export const REDACTION = 'redaction'

export const redactionSubscriber = (deps: {
  readonly log: Pick<Log, 'readStream'>
  readonly keys: Pick<Keys, 'destroy'>
  readonly remove: Removing
}): Subscriber => ({
  name: REDACTION,
  categories: [entryCategory],
  types: [EntryRedacted.type],
  key: (event: Recorded) => event.stream,
  handle: async events => {
    const names = new Set<string>()
    for (const { stream } of events)
      for await (const page of deps.log.readStream(stream))
        for (const { meta } of page) if (meta.key?.startsWith('document:')) names.add(meta.key)
    for (const name of names) await deps.keys.destroy(name)
    await deps.remove(events)
  },
})
