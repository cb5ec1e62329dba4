/**
 * Completes a removal: when text is removed, every key that ever sealed it is destroyed, and its documents leave every generation
 * of every read model; so do those of an account that was erased, whose key is gone by then. The event is the durable intent; this
 * makes it true in every copy of the log, again after a crash, and repeating it is harmless.
 */

import type { Log } from '../core/log/log.ts'
import type { RemovalRule } from '../core/log/removals.ts'
import type { Removing } from '../core/project/removal.ts'
import type { Subscriber } from '../core/subscribe/define.ts'
import { accountCategory } from '../domain/account/account.ts'
import { AccountErased } from '../domain/account/erasure-events.ts'
import type { Recorded } from '../domain/event.ts'
import type { Keys } from '../ports/keys.ts'

export const REDACTION = 'redaction'

/** `categories`: of the streams in which there are events that the rules name. */
export const redactionSubscriber = (deps: {
  readonly log: Pick<Log, 'readStream'>
  readonly keys: Pick<Keys, 'destroy'>
  readonly remove: Removing
  readonly rules: readonly RemovalRule[]
  readonly categories: readonly string[]
}): Subscriber => {
  const rules = new Map(deps.rules.map(rule => [rule.type.type, rule]))
  const streamsOf = (event: Recorded): readonly string[] => {
    const rule = rules.get(event.type)
    return rule ? (rule.streams?.(event) ?? [event.stream]) : []
  }
  return {
    name: REDACTION,
    categories: [...deps.categories, accountCategory],
    types: [...rules.keys(), AccountErased.type],
    key: (event: Recorded) => event.stream,
    handle: async events => {
      const names = new Set<string>()
      for (const stream of new Set(events.flatMap(streamsOf)))
        for await (const page of deps.log.readStream(stream))
          for (const { meta } of page) if (meta.key?.startsWith('document:')) names.add(meta.key)
      for (const name of names) await deps.keys.destroy(name)
      await deps.remove(events)
    },
  }
}
