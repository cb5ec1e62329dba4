/** What the read store says of a subscriber, whoever runs it: for operators beside the service. */

import type { ConsumerStore } from '../../ports/read-store.ts'
import { type Parked, parkedOf, requestRetry } from '../consume/parking.ts'
import type { Log } from '../log/log.ts'
import { consumerOf, type Subscriber } from './define.ts'

export type SubscriberInspection = {
  readonly name: string
  readonly position: bigint
  /** In positions, which are not dense: 0n is up to date. */
  readonly lag: bigint
  readonly parked: readonly Parked[]
}

export const inspectSubscriber = async (
  { store, log }: { readonly store: ConsumerStore; readonly log: Pick<Log, 'head'> },
  subscriber: Pick<Subscriber, 'name'>,
): Promise<SubscriberInspection> => {
  const consumer = consumerOf(subscriber)
  const position = (await store.checkpoint(consumer))?.position ?? 0n
  const parked = [...(await parkedOf(store, consumer)).values()]
  const head = await log.head()
  return { name: subscriber.name, position, lag: head > position ? head - position : 0n, parked }
}

/** Asks the node that runs the subscriber to try its parked keys again; how many there are. */
export const retrySubscriber = async (
  store: ConsumerStore,
  subscriber: Pick<Subscriber, 'name'>,
  now: Date,
): Promise<number> => {
  const consumer = consumerOf(subscriber)
  const parked = await parkedOf(store, consumer)
  if (parked.size > 0) await requestRetry(store, consumer, now)
  return parked.size
}
