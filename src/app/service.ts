import type { Logger } from 'pino'
import { createTokenVerifier, jwksOf } from '../adapters/http/access-tokens.ts'
import { DEAF_MS } from '../adapters/http/authority.ts'
import { openHttpServer } from '../adapters/http/server.ts'
import { openTokenAuthority } from '../adapters/http/token-authority.ts'
import type { ServiceLog } from '../adapters/logging/service-log.ts'
import { bytesOfRendering, KEPT_RENDERINGS, openRenderings } from '../adapters/rendering/renderings.ts'
import { openRenderingThread } from '../adapters/rendering/thread.ts'
import type { Config } from '../config/load.ts'
import { tail } from '../core/consume/tail.ts'
import { scopesOf } from '../core/project/view.ts'
import { openExecutor } from '../core/write/execute.ts'
import { defined } from '../domain/defined.ts'
import { OwnError } from '../domain/own-error.ts'
import { waitAtMost } from '../ports/clock.ts'
import { openIdentities } from '../projections/identities.ts'
import { foldPeople } from '../projections/people.ts'
import { followTokens } from '../projections/tokens.ts'
import type { MailRule } from '../subscribers/mail.ts'
import { openAnalytics } from './analytics.ts'
import { type Area, type Forgetting, problemsOf, routesOf, type Service } from './area.ts'
import { openBlocks } from './blocks.ts'
import type { Closing, Core, Views } from './core.ts'
import { removalsOf, roleRightsOf } from './declared.ts'
import { openErasure } from './erasure.ts'
import { openHistoryEdge } from './history.ts'
import { openIdentity, scopeOf } from './identity.ts'
import { openLive } from './live.ts'
import { consumerTrace } from './logging.ts'
import { mailRules, type StartedMail, startMail } from './mail.ts'
import { openOperation } from './operation.ts'
import { bindSubscribers } from './subscribers.ts'
import { openHotRecords } from './warming.ts'

const VERIFIED_TOKENS = 10_000

/**
 * Consumers end with the batch they are at, and leave where they stand and their lease: two calls on an engine, each of which
 * takes its time where that is away or its file is held by another program. So long they are waited for, of the ten seconds
 * that a process has to close.
 */
const ENDING_MS = 2_000

/** What works in the background of a service: projections, subscribers, followers. */
const startRunning = async (
  { core, views, areas, opened }: Pick<ServiceOptions, 'core' | 'views' | 'areas' | 'opened'>,
  rules: readonly MailRule[],
  logger: Logger,
) => {
  const { log, clock } = core
  const ending = new AbortController()
  const { signal } = ending
  const complain = (part: string) => (error: unknown) =>
    logger.error(
      { part, err: error instanceof Error ? error : new OwnError(String(error)) },
      'a background part failed',
    )
  const trace = consumerTrace(logger)
  const projections = views.all.map(each => ({
    name: each.name,
    handle: each.run(signal, complain(`projection ${each.name}`), trace),
  }))
  const subscribers = bindSubscribers(core, areas, rules).map(each => ({
    name: each.name,
    handle: each.run(signal, complain(`subscriber ${each.name}`), trace),
  }))
  const identities = openIdentities(clock)
  const heard = foldPeople()
  const follower = followTokens({ log, clock, signal, identities, people: heard, onPassed: complain('people') })
  const people = { ...heard, position: follower.position, reached: follower.reached }
  /** What is removed leaves memory, and all that was answered with it. */
  const removed = removalsOf(areas).map(
    ({ type, streams = ({ stream }) => [stream] }): Forgetting => ({
      type,
      wasAnswered: true,
      forget: (_, event) => {
        for (const stream of streams(event)) core.forget(stream)
      },
    }),
  )
  const declared = [...removed, ...areas.flatMap(area => area.forgets ?? [])]
  const forgets = new Map(declared.map(forgetting => [forgetting.type.type, forgetting]))
  const forgetting = tail({
    log,
    clock,
    signal,
    from: await log.head(),
    onError: complain('forgetting'),
    filter: { types: [...forgets.keys()] },
    onEvents: events => {
      if (events.length > 0) core.shared.forget()
      const known = events.flatMap(event => {
        const found = forgets.get(event.type)
        found?.forget(core, event)
        return found ? [found] : []
      })
      if (known.some(({ wasAnswered }) => wasAnswered)) void core.cache.forget()
    },
  })
  opened.push({
    close: async () => {
      ending.abort()
      const consumers = [...projections, ...subscribers].map(each => each.handle.done)
      const all = Promise.all([...consumers, follower.done, forgetting])
      // Whoever is not waited for ends with what it stands on, and its lease lapses by itself.
      await waitAtMost(clock, ENDING_MS, all)
    },
  })
  return { projections, subscribers, follower, identities, people }
}

const LOST_END =
  'the log has lost its end: events that consumers had seen are not in it; it has a new id, and read models are built anew'
const lostEndOf = ({ logId, seen, head }: NonNullable<Core['store']['lostEnd']>) => ({
  logId,
  seen: String(seen),
  head: String(head),
})

export type ServiceOptions = {
  readonly core: Core
  readonly views: Views
  readonly areas: readonly Area[]
  readonly config: Config
  /** Of package.json. */
  readonly version: string
  /** What it writes to. */
  readonly serviceLog: ServiceLog
  /** How much of the dictionary is there, in percent, while it is being filled. */
  readonly filling: () => number | undefined
  /** Takes what has to be closed. */
  readonly opened: Closing[]
}

/** Opens the service: what works in the background, live feed, operation and the HTTP server. */
export const openService = async (options: ServiceOptions) => {
  const { core, views, areas, config, version, serviceLog, filling, opened } = options
  const { logger } = serviceLog
  if (core.store.lostEnd) logger.error({ lostEnd: lostEndOf(core.store.lostEnd) }, LOST_END)
  // Whoever cannot read what tokens are signed with does not begin: it could let nobody in, and would say so to each alone.
  await core.keys.signing(core.clock.now())
  let listening: string | undefined
  const rules = mailRules(config, core, () => listening)
  // Closed after the subscribers, whose effects are its jobs.
  let mail: StartedMail | undefined
  opened.push({ close: async () => mail?.close() })
  const running = await startRunning(options, rules, logger)
  const started = await startMail(
    core,
    config,
    { rules, others: areas.flatMap(({ jobs }) => jobs?.(core) ?? []) },
    logger,
  )
  mail = started
  const figures = openAnalytics(core, views, logger, opened)
  const verifier = createTokenVerifier({
    ...scopeOf(config),
    keys: core.keys,
    clock: core.clock,
    max: VERIFIED_TOKENS,
    memory: core.memory.region('tokens'),
  })
  const { follower, identities, people } = running
  const identity = await openIdentity(core, config.publicUrl)
  const blocks = await openBlocks(core, config, err => logger.error({ part: 'blocks', err }, 'not read'), opened)
  const roles = roleRightsOf(areas)
  const authority = openTokenAuthority({
    roles,
    verifier,
    follower,
    identities,
    head: () => core.log.head(),
    clock: core.clock,
  })
  const history = openHistoryEdge(core, views, err =>
    logger.error({ part: 'history', err }, 'a reading was not recorded'),
  )
  opened.push(history)
  const live = await openLive(
    core,
    running,
    {
      version,
      most: config.liveSockets,
      replays: config.liveReplays,
      total: config.nodeSockets,
      readings: history.readings,
      standing: id => authority.current({ id })?.permissions ?? (authority.deafFor() > DEAF_MS ? 'unknown' : 'ended'),
      lost: () => authority.deafFor() > DEAF_MS,
      people,
      filling,
      areas,
      figures,
      onError: error => logger.error({ part: 'live', err: error }, 'a background part failed'),
    },
    opened,
  )
  const told = () => {
    const { open, messages, slow, position, replays, replayed } = live.stats()
    return { connections: open, messages, drops: slow, position, replays, replayed }
  }
  const operation = await openOperation(
    {
      core,
      config,
      running,
      views,
      version,
      log: serviceLog,
      live: told,
      filling,
      nodes: live.nodes,
      blocks: blocks.part,
      mail: started.report,
    },
    opened,
  )
  const scope = scopeOf(config)
  const erasure = await openErasure(core, scope.issuer, config.keyBackupDays)
  const jwks = async () => {
    const { keys } = jwksOf(await core.keys.signing(core.clock.now()))
    // The key of receipts stays for good. Tokens are verified by the keys of tokens alone, whatever is listed here.
    return { keys: [...keys.map(key => ({ ...key })), ...erasure.keys.map(key => ({ ...key }))] }
  }
  const renderings = openRenderings({
    thread: openRenderingThread(),
    kept: core.memory.region('answers').cache({ max: KEPT_RENDERINGS, sizeOf: bytesOfRendering }),
  })
  opened.push(renderings)
  const service: Service = {
    core,
    views,
    config,
    logger,
    running,
    authority,
    identity,
    erasure,
    blocks,
    history,
    figures,
    live,
    operation: { ...operation, version, roles, jwks },
    renderings,
    opened,
  }
  const server = await openHttpServer({
    routes: await routesOf(areas, service),
    problems: problemsOf(areas),
    names: people,
    blocks: blocks.list,
    sockets: live,
    settings: {
      ...defined({ publicUrl: config.publicUrl, securityContact: config.securityContact }),
      allowedOrigins: config.allowedOrigins,
      trustedProxies: config.trustedProxies,
      limits: config.limits,
      connections: config.connections,
    },
    version,
    authority,
    logger,
    execute: openExecutor({ cache: core.cache, clock: core.clock, newId: core.newId }),
    freshness: {
      position: views.position,
      waitFor: async (projections, position) => {
        for (const projection of projections) await views.of(projection).waitFor(position)
      },
      scopes: projections => scopesOf(projections.map(views.of)),
    },
    hot: openHotRecords(core),
    log: core.log,
    keys: core.keys,
    cache: core.cache,
    clock: core.clock,
    newId: core.newId,
    metrics: operation.metrics,
    meter: core.meter,
    filling,
  })
  opened.push(server)
  // First of all: what jobs there are may end while requests do.
  opened.push({ close: async () => started.rest() })
  return {
    ...server,
    listen: async (host: string, port: number) => {
      const listens = await server.listen(host, port)
      listening = listens.address
      return listens
    },
  }
}
