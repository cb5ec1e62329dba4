/**
 * Completes a removal: when an entry is redacted, every key that ever sealed its text is destroyed, and its documents leave
 * every generation of every read model; so do those of an account that was erased, whose key is gone by then. The event is the durable intent; this makes it true in every copy of the log, again
 * after a crash, and repeating it is harmless.
 */

import type { Log } from '../core/log/log.ts'
import type { Removing } from '../core/project/removal.ts'
import type { Subscriber } from '../core/subscribe/define.ts'
import { accountCategory } from '../domain/account/account.ts'
import { AccountErased } from '../domain/account/erasure-events.ts'
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
  categories: [entryCategory, accountCategory],
  types: [EntryRedacted.type, AccountErased.type],
  key: (event: Recorded) => event.stream,
  handle: async events => {
    const names = new Set<string>()
    for (const { stream, type } of events) {
      if (type !== EntryRedacted.type) continue
      for await (const page of deps.log.readStream(stream))
        for (const { meta } of page) if (meta.key?.startsWith('document:')) names.add(meta.key)
    }
    for (const name of names) await deps.keys.destroy(name)
    await deps.remove(events)
  },
})
