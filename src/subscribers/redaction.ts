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
import { defined } from '../domain/defined.ts'
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
    return rule && !rule.onlyBefore ? (rule.streams?.(event) ?? [event.stream]) : []
  }
  const isOnlyBefore = ({ type }: Recorded): boolean => rules.get(type)?.onlyBefore === true
  const keysOf = async (stream: string, limit?: number): Promise<ReadonlySet<string>> => {
    const names = new Set<string>()
    for await (const page of deps.log.readStream(stream, defined({ limit })))
      for (const { meta } of page) if (meta.key?.startsWith('document:')) names.add(meta.key)
    return names
  }
  return {
    name: REDACTION,
    categories: [...deps.categories, accountCategory],
    types: [...rules.keys(), AccountErased.type],
    key: (event: Recorded) => event.stream,
    handle: async events => {
      for (const stream of new Set(events.flatMap(streamsOf)))
        for (const name of await keysOf(stream)) await deps.keys.destroy(name)
      for (const { stream, revision, meta } of events.filter(isOnlyBefore))
        for (const name of await keysOf(stream, Number(revision))) if (name !== meta.key) await deps.keys.destroy(name)
      await deps.remove(events.filter(event => !isOnlyBefore(event)))
    },
  }
}
