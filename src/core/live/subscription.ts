/** What the edges know of the live feed. */

import type { ChannelName, Listener, LiveFilter } from '../../subscribers/live-channels.ts'
import type { Place } from '../log/log.ts'
import type { LiveSink } from './transport.ts'

export type LiveSubscription = {
  readonly id: string
  readonly channel: ChannelName
  readonly filter: LiveFilter
  readonly listener: Listener
  /** Everything after this place; absent: from now on. Has to be one of the log's. */
  readonly after?: Place
}

export type LiveStats = {
  readonly subscriptions: number
  readonly groups: number
  readonly catchingUp: number
  readonly position: bigint
  /** Messages given to sinks, each receiver counted. */
  readonly messages: number
}

export type LiveHub = {
  /** Begins; the function ends it, and repeating it is harmless. */
  subscribe(subscription: LiveSubscription, sink: LiveSink): () => void
  stats(): LiveStats
  /** Resolves after the signal. */
  readonly done: Promise<void>
}
