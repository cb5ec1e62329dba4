/** What the metrics are read from at each scrape. */

import type { MemoryReport } from '../../core/memory/memory.ts'

/**
 * Of the live hub: sockets and event streams open now, frames sent to them, clients closed since they were too slow, how far it has
 * read the log, subscriptions that are being read up from it, and events that were read for these since the start.
 */
export type LiveStats = {
  readonly connections: number
  readonly messages: number
  readonly drops: number
  readonly position: bigint
  readonly replays: number
  readonly replayed: number
}

/** Of the thread that writes the log. Everything but `waiting` counts from the start of the process. */
export type AppendStats = {
  readonly waiting: number
  readonly transactions: number
  readonly events: number
  readonly repeated: number
  readonly conflicts: number
  readonly failed: number
  readonly restarts: number
}

/** Positions behind the head, which are not dense, and what waits for `projections retry`. */
export type ConsumerStats = {
  readonly kind: 'projection' | 'subscriber'
  readonly name: string
  readonly state: string
  readonly lag: number
  readonly parked: number
  /** Events a second, and 0 to 1 of the generation that is being built; projections only. */
  readonly rate?: number
  readonly progress?: number
}

export type JobStats = {
  readonly name: string
  readonly done: number
  readonly failed: number
  /** Seconds since 1970; 0 before the first time. */
  readonly lastDone: number
}

/** Of the connections to an external engine: those in use, requests that wait for one; the rest counts from the start. */
export type PoolStats = {
  readonly inUse: number
  readonly waiting: number
  readonly opened: number
  readonly closed: number
  readonly cleared: number
}

/** Commands that an external engine answered since the start, by name, with the seconds they took together. */
export type CommandStats = Readonly<
  Record<string, { readonly done: number; readonly failed: number; readonly seconds: number }>
>

/** One look at everything. Absent: it could not be read now, and is left out of the answer. */
export type Snapshot = {
  readonly append?: AppendStats
  readonly position?: number
  readonly consumers?: readonly ConsumerStats[]
  readonly live?: LiveStats
  /** Of caches and buffers, by their part of the memory. */
  readonly memory?: readonly MemoryReport[]
  /** Accounts, live sessions, and people with a name or choices, which each node keeps in memory whole. */
  readonly known?: Readonly<Record<'accounts' | 'sessions' | 'people', number>>
  /** Of all nodes, as far as this one can see them. */
  readonly nodes?: { readonly nodes: number; readonly connections: number; readonly listeners: number }
  /** For how long events have waited that the live hub has not read. */
  readonly liveBehindSeconds?: number
  readonly tokenAgeSeconds?: number
  readonly signingKeyAgeSeconds?: number
  /** The age at which it is due for rotation. */
  readonly signingKeyLifeSeconds?: number
  readonly fileBytes?: Readonly<Record<string, number>>
  readonly diskFreeBytes?: number
  readonly longStreams?: number
  /** Met by this process since it started: damaged events and streams, each once, and documents. */
  readonly damage?: Readonly<Record<'events' | 'streams' | 'documents', number>>
  readonly jobs?: readonly JobStats[]
  readonly logs?: Readonly<Record<string, { readonly dropped: number; readonly failures: number }>>
  readonly health?: Readonly<Record<string, 'ok' | 'degraded' | 'failed'>>
  readonly ready?: boolean
  /** Of the queue: jobs by state, and when the one that waits longest was due. */
  readonly queue?: {
    readonly waiting: number
    readonly running: number
    readonly parked: number
    readonly oldest?: Date
  }
  /** By the port that the connection serves: `read`, `keys`. */
  readonly pools?: Readonly<Record<string, PoolStats>>
  readonly commands?: Readonly<Record<string, CommandStats>>
}
