/** The subscribers of the service, each with all that can be done with it. */
import type { ConsumerTrace } from '../core/consume/consume.ts'
import { openRemoving, type Removing, removedBy } from '../core/project/removal.ts'
import type { Subscriber } from '../core/subscribe/define.ts'
import { inspectSubscriber, retrySubscriber } from '../core/subscribe/inspect.ts'
import { runSubscriber } from '../core/subscribe/runner.ts'
import { beginOutward, type UnsentDeps } from '../core/subscribe/unsent.ts'
import type { MailRule } from '../subscribers/mail.ts'
import { redactionSubscriber } from '../subscribers/redaction.ts'
import type { Area } from './area.ts'
import type { Core } from './core.ts'
import { categoriesOf, removalsOf } from './declared.ts'

export const unsentDeps = ({ log, reads, jobs }: Core, subscriber: Subscriber): UnsentDeps => ({
  subscriber,
  log,
  records: reads,
  jobs,
})

/** One subscriber with all that can be done with it. */
const bindSubscriber = (core: Core, subscriber: Subscriber) => {
  const { log, clock, node } = core
  const store = subscriber.outward ? core.outward : core.reads
  const consumer = { log, store, clock, nodeId: node.id, hasEnded: node.hasEnded }
  const unsent = unsentDeps(core, subscriber)
  const beginAt = subscriber.outward && { beginAt: (head: bigint) => beginOutward(unsent, head) }
  return {
    name: subscriber.name,
    declared: subscriber,
    run: (signal: AbortSignal, onError: (message: string) => void, trace: ConsumerTrace) =>
      runSubscriber({ subscriber, ...consumer, ...beginAt, signal, onError, trace }),
    inspect: () => inspectSubscriber({ store, log }, subscriber),
    retry: () => retrySubscriber(store, subscriber, clock.now()),
  }
}

const removingIn = ({ reads, log, projections }: Core) => openRemoving(reads, log.logId, projections.map(removedBy))

/** Carries out what removes text, of whatever area. */
const redactionIn = ({ log, keys }: Core, areas: readonly Area[], remove: Removing): Subscriber => {
  const rules = removalsOf(areas)
  const removing = new Set(rules.map(({ type }) => type.type))
  const categories = categoriesOf(areas)
    .filter(({ events }) => events.some(({ type }) => removing.has(type)))
    .map(({ category }) => category)
  return redactionSubscriber({ log, keys, remove, rules, categories })
}

/** The subscribers of the areas, and the one that carries out what their events remove. */
export const bindSubscribers = (core: Core, areas: readonly Area[], rules: readonly MailRule[]) => {
  const given = { core, rules, remove: removingIn(core) }
  const declared = areas.flatMap(({ subscribers }) => subscribers?.(given) ?? [])
  return [redactionIn(core, areas, given.remove), ...declared].map(subscriber => bindSubscriber(core, subscriber))
}
export type Subscribers = ReturnType<typeof bindSubscribers>
