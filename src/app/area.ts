/** What an area is to the service: its data, and the routes that it is reached by. The list of areas is areas.ts. */
import type { Logger } from 'pino'
import type { Authority } from '../adapters/http/authority.ts'
import type { Routes } from '../adapters/http/edge.ts'
import type { ProblemTable } from '../adapters/http/problem.ts'
import type { ErasurePort } from '../adapters/http/routes/account-edge.ts'
import type { LivePort } from '../adapters/http/routes/live.ts'
import type { OperationPort } from '../adapters/http/routes/operations.ts'
import type { Renderings } from '../adapters/rendering/renderings.ts'
import type { FactorDeps } from '../commands/second-factor.ts'
import type { Config } from '../config/load.ts'
import type { News } from '../core/live/channels.ts'
import type { Removing } from '../core/project/removal.ts'
import type { Subscriber } from '../core/subscribe/define.ts'
import type { EventType, Recorded } from '../domain/event.ts'
import type { JobKind } from '../ports/jobs.ts'
import type { MailRule } from '../subscribers/mail.ts'
import type { Analytics } from './analytics.ts'
import type { Blocks } from './blocks.ts'
import type { Closing, Core, Running, Views } from './core.ts'
import type { Declared } from './declared.ts'
import type { OpenHistory } from './history.ts'

/** The service as areas find it when their routes are made: what more than one of them stands on. */
export type Service = {
  readonly core: Core
  readonly views: Views
  readonly config: Config
  readonly logger: Logger
  readonly running: Running
  readonly authority: Authority
  /** What proves who somebody is. */
  readonly identity: FactorDeps
  readonly erasure: ErasurePort
  readonly blocks: Blocks
  readonly history: OpenHistory
  readonly figures: Analytics
  readonly live: LivePort
  readonly operation: OperationPort
  /** The HTML of chapters. */
  readonly renderings: Renderings
  /** Takes what has to be closed with the service. */
  readonly opened: Closing[]
}

/** What subscribers are made with, whether a service runs or somebody only looks how they do. */
export type Subscribing = {
  readonly core: Core
  /** Which mails are sent, and to whom. */
  readonly rules: readonly MailRule[]
  /** Deletes what events remove from every read model. */
  readonly remove: Removing
}

/** What the clock's messages on the live feed are made of. */
export type NewsSources = {
  readonly core: Core
  readonly running: Running
  readonly figures: Analytics
  /** Live connections now, of all nodes that can be seen. */
  readonly connections: () => number
  /** How much of the dictionary is there, in percent, while it is being filled. */
  readonly filling: () => number | undefined
  readonly tokenOf: (position: bigint) => Promise<string>
}

/** What of an area leaves this node's memory, whichever node wrote the event. */
export type Forgetting = {
  readonly type: EventType
  readonly forget: (core: Core, event: Recorded) => void
  /** It may have been answered with. In which of the answers that are kept is not known: all of them go. */
  readonly wasAnswered: boolean
}

export type Area = Declared & {
  /** What it refuses with, and what its routes answer beside that. */
  readonly problems?: ProblemTable
  /** Events to effects. */
  readonly subscribers?: (given: Subscribing) => readonly Subscriber[]
  /** The kinds of jobs that are its own. */
  readonly jobs?: (core: Core) => readonly JobKind[]
  readonly forgets?: readonly Forgetting[]
  /** What the clock tells on its channels. */
  readonly news?: (given: NewsSources) => readonly News[]
  readonly routes?: (service: Service) => Routes | Promise<Routes>
}

/** The problems of all areas. */
export const problemsOf = (areas: readonly Area[]): readonly ProblemTable[] =>
  areas.flatMap(({ problems }) => (problems ? [problems] : []))

/** The routes of all areas, in the order of the list. */
export const routesOf = (areas: readonly Area[], service: Service): Promise<readonly Routes[]> =>
  Promise.all(areas.flatMap(({ routes }) => (routes ? [routes(service)] : [])))
