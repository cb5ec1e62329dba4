/** All that the HTTP server is made of; src/app/service.ts opens it. */
import type { Logger } from 'pino'
import type { Log } from '../../core/log/log.ts'
import type { Executor } from '../../core/write/execute.ts'
import type { Transactor } from '../../core/write/transact.ts'
import type { EntryEvent } from '../../domain/entry/events.ts'
import type { EntryState } from '../../domain/entry/state.ts'
import type { JsonObject } from '../../domain/event.ts'
import type { Cache } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Keys } from '../../ports/keys.ts'
import type { analytics } from '../../queries/analytics.ts'
import type { wordOfTheDay } from '../../queries/days.ts'
import type { entryHistory, getEntry } from '../../queries/entries.ts'
import type { randomEntry } from '../../queries/entry-draw.ts'
import type { exportEntries } from '../../queries/entry-export.ts'
import type { listEntries } from '../../queries/entry-lists.ts'
import type { OwnData } from '../../queries/own-data.ts'
import type { searchEntries, suggestEntries } from '../../queries/search-entries.ts'
import type { Authority } from './authority.ts'
import type { BlockingPort } from './blocking.ts'
import type { RateLimits } from './limits.ts'
import type { Names } from './names.ts'
import type { Health, HttpMetrics } from './operation.ts'
import type { Freshness } from './route-query.ts'
import type { IdentityPort } from './routes/account-edge.ts'
import type { AdministrationPort } from './routes/administration.ts'
import type { BlocksPort } from './routes/blocks.ts'
import type { HistoryEdge } from './routes/history.ts'
import type { LivePort } from './routes/live.ts'
import type { OpenIdPort } from './routes/openid.ts'
import type { PeoplePort } from './routes/people.ts'
import type { ProfilePort } from './routes/profile.ts'
import type { PublicProfilePort } from './routes/public-profile.ts'
import type { HotRecords } from './warming.ts'

export type HttpQueries = {
  readonly getEntry: ReturnType<typeof getEntry>
  readonly listEntries: ReturnType<typeof listEntries>
  readonly entryHistory: ReturnType<typeof entryHistory>
  readonly randomEntry: ReturnType<typeof randomEntry>
  readonly wordOfTheDay: ReturnType<typeof wordOfTheDay>
  readonly exportEntries: ReturnType<typeof exportEntries>
  readonly searchEntries: ReturnType<typeof searchEntries>
  readonly suggestEntries: ReturnType<typeof suggestEntries>
  readonly analytics: ReturnType<typeof analytics>
}

export type HttpSettings = {
  /** Where clients reach the service; `https:` adds HSTS. */
  readonly publicUrl?: string
  /** A URI by which whoever finds a weakness reaches those who run the service. */
  readonly securityContact?: string
  /** Origins whose pages may read answers; none: no CORS at all. */
  readonly allowedOrigins: readonly string[]
  /** Addresses or CIDR ranges of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  readonly limits: RateLimits
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
  readonly entries: Transactor<EntryState, EntryEvent>
  readonly execute: Executor
  readonly queries: HttpQueries
  readonly history: HistoryEdge
  readonly freshness: Freshness
  readonly log: Pick<Log, 'logId' | 'markAt'>
  readonly keys: Pick<Keys, 'secret'>
  readonly authority: Authority
  /** The JSON Web Key Set of the access tokens (RFC 7517). */
  readonly jwks: () => Promise<JsonObject>
  readonly health: () => Promise<Health>
  readonly metrics?: HttpMetrics
  /** Display names; absent where there are no accounts. */
  readonly names?: Names
  /** Absent where there are no accounts. */
  readonly identity?: IdentityPort
  readonly administration?: AdministrationPort
  readonly profile?: ProfilePort & PublicProfilePort
  /** Absent where nobody is blocked. */
  readonly ownData?: OwnData
  readonly people?: PeoplePort
  readonly blocks?: { readonly list: BlockingPort; readonly port: BlocksPort }
  readonly openId?: OpenIdPort
  /** Absent where there is no live feed. */
  readonly live?: LivePort
  /** What is asked most, from start to start; absent where nothing is loaded before it is asked for. */
  readonly hot?: HotRecords
  readonly cache: Cache
  readonly clock: Clock
  /** A random UUID. */
  readonly newId: () => string
  readonly logger: Logger
}
