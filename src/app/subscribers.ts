/** The subscribers of the service, each with all that can be done with it. */
import type { ConsumerTrace } from '../core/consume/consume.ts'
import { openRemoving, removedBy } from '../core/project/removal.ts'
import type { Subscriber } from '../core/subscribe/define.ts'
import { inspectSubscriber, retrySubscriber } from '../core/subscribe/inspect.ts'
import { runSubscriber } from '../core/subscribe/runner.ts'
import { beginOutward, type UnsentDeps } from '../core/subscribe/unsent.ts'
import { type MailRule, mailSubscriber } from '../subscribers/mail.ts'
import { redactionSubscriber } from '../subscribers/redaction.ts'
import { addressMoves, signUpEnds } from './address.ts'
import type { Core } from './core.ts'
import { factorChanges } from './factors.ts'

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

/** Every subscriber of the service: a new one is one line more. */
export const bindSubscribers = (core: Core, rules: readonly MailRule[]) => [
  bindSubscriber(core, redactionSubscriber({ log: core.log, keys: core.keys, remove: removingIn(core) })),
  bindSubscriber(core, addressMoves(core)),
  bindSubscriber(core, signUpEnds(core).subscriber),
  bindSubscriber(core, factorChanges(core)),
  bindSubscriber(core, mailSubscriber(rules, core)),
]
export type Subscribers = ReturnType<typeof bindSubscribers>
