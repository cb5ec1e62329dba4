/** All that the HTTP server is made of; src/app/service.ts opens it. */
import type { Logger } from 'pino'
import type { Log } from '../../core/log/log.ts'
import type { Projection } from '../../core/project/define.ts'
import type { Executor } from '../../core/write/execute.ts'
import type { Cache } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Keys } from '../../ports/keys.ts'
import type { Authority } from './authority.ts'
import type { BlockingPort } from './blocking.ts'
import type { EdgeSettings, Routes } from './edge.ts'
import type { RateLimits } from './limits.ts'
import type { Meter } from './meter.ts'
import type { Names } from './names.ts'
import type { HttpMetrics } from './operation.ts'
import type { ProblemTable } from './problem.ts'
import type { Freshness } from './route-query.ts'
import type { HotRecords } from './warming.ts'

export type HttpSettings = EdgeSettings & {
  /** Addresses or CIDR ranges of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  readonly limits: RateLimits
  /** Connections at once of one address; 0: as many as there are. */
  readonly connections: number
  /**
   * Milliseconds for a client to send its headers and the whole request (10 s and 30 s by default), and for which a
   * connection may neither give nor take a byte while it is answered (60 s; cut within twice that).
   */
  readonly timeouts?: { readonly headersMs: number; readonly requestMs: number; readonly idleMs?: number }
}

export type HttpDeps = {
  readonly settings: HttpSettings
  /** Of package.json: shown in OpenAPI and /health, and part of every entity tag. */
  readonly version: string
  /** Of every area, in the order in which they are listed. */
  readonly routes: readonly Routes[]
  /** Of every area. */
  readonly problems: readonly ProblemTable[]
  readonly execute: Executor
  readonly freshness: Freshness
  readonly log: Pick<Log, 'logId' | 'markAt' | 'written'>
  readonly keys: Pick<Keys, 'secret'>
  readonly authority: Authority
  /** How much of the dictionary is there, in percent, while it is being filled; absent where it never is. */
  readonly filling?: () => number | undefined
  readonly metrics?: HttpMetrics
  /** What the stores tell of what they examine; absent where they tell nothing. */
  readonly meter?: Meter
  /** Display names; absent where nobody has one. */
  readonly names?: Names
  /** Who is served nothing; absent where nobody is blocked. */
  readonly blocks?: BlockingPort
  /** What WebSockets end with; absent where there are none. */
  readonly sockets?: { close(): Promise<void> }
  /** What is asked most, from start to start; absent where nothing is loaded before it is asked for. */
  readonly hot?: HotRecords & {
    /** What the answers that are kept are made of. */
    readonly reads: readonly Projection[]
  }
  readonly cache: Cache
  readonly clock: Clock
  /** A random UUID. */
  readonly newId: () => string
  readonly logger: Logger
  /** Of members that are JSON already; absent where the log has no such lines. See src/adapters/logging/service-log.ts. */
  readonly infoLine?: (members: string) => void
}
