/** What the edge gives to routes, and routes that are to be made with it. */
import type { Clock } from '../../ports/clock.ts'
import type { Authority } from './authority.ts'
import type { Limits } from './limits.ts'
import type { Route } from './route.ts'
import type { CommandDeps } from './route-command.ts'
import type { QueryDeps } from './route-query.ts'
import type { SessionCookies } from './session-cookies.ts'

export type EdgeSettings = {
  /** Where clients reach the service; `https:` adds HSTS. */
  readonly publicUrl?: string
  /** A URI by which whoever finds a weakness reaches those who run the service. */
  readonly securityContact?: string
  /** Origins whose pages may read answers; none: no CORS at all. */
  readonly allowedOrigins: readonly string[]
}

export type Edge = CommandDeps &
  QueryDeps & {
    readonly settings: EdgeSettings
    /** Of package.json. */
    readonly version: string
    readonly authority: Authority
    readonly limits: Limits
    readonly cookies: SessionCookies
    readonly clock: Clock
    readonly isClosing: () => boolean
  }

/** The routes of an area: what they stand on of it, their commands and queries, they have been given before. */
export type Routes = (edge: Edge) => readonly Route[]
