/** What the metrics are read from at each scrape. */

/** Of the live hub: sockets and event streams open now, frames sent to them, clients closed since they were too slow. */
export type LiveStats = { readonly connections: number; readonly messages: number; readonly drops: number }

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

/** One look at everything. Absent: it could not be read now, and is left out of the answer. */
export type Snapshot = {
  readonly append?: AppendStats
  readonly position?: number
  readonly consumers?: readonly ConsumerStats[]
  readonly live?: LiveStats
  readonly tokenAgeSeconds?: number
  readonly signingKeyAgeSeconds?: number
  readonly fileBytes?: Readonly<Record<string, number>>
  readonly diskFreeBytes?: number
  readonly longStreams?: number
  readonly jobs?: readonly JobStats[]
  readonly logs?: Readonly<Record<string, { readonly dropped: number; readonly failures: number }>>
  readonly health?: Readonly<Record<string, 'ok' | 'degraded' | 'failed'>>
  readonly ready?: boolean
}
