import type { Logger } from 'pino'
import type { App, AppOptions, ProjectionStatus, TokenStatus, VerifyReport, Watch } from './adapters/cli/app-port.ts'
import type { LostEnd } from './adapters/eventstore/sqlite/store.ts'
import { createTokenVerifier, jwksOf, signAccessToken } from './adapters/http/access-tokens.ts'
import { openHttpServer } from './adapters/http/server.ts'
import { DEAF_MS, openTokenAuthority } from './adapters/http/token-authority.ts'
import { importFrom } from './adapters/import/command.ts'
import { openAnalytics } from './app-analytics.ts'
import { bindAll, bindSubscribers, type Closing, type Core, openCore, systemClock, type Views } from './app-core.ts'
import { openHistoryEdge } from './app-history.ts'
import { openLive } from './app-live.ts'
import { consumerTrace, openLogging } from './app-logging.ts'
import { openOperation } from './app-operation.ts'
import { fillSample, searchable } from './app-sample.ts'
import { openExecutor } from './commands/execute.ts'
import { createToken, endToken, listTokens, operator } from './commands/tokens.ts'
import type { Config } from './config.ts'
import { choose, dayStream } from './domain/day.ts'
import { EntryRedacted } from './domain/entry-events.ts'
import { pointOf } from './domain/ids.ts'
import { isRefusal } from './domain/refusal.ts'
import type { Token } from './domain/token.ts'
import { verifyLog } from './log/verify.ts'
import { entryCacheKey, entryIdOf } from './projections/entries.ts'
import type { Inspection } from './projections/inspect.ts'
import { followTokens } from './projections/tokens.ts'
import { wordOfTheDay } from './queries/days.ts'
import { entryHistory, exportEntries, getEntry, listEntries, randomEntry } from './queries/entries.ts'
import { searchEntries, suggestEntries } from './queries/search-entries.ts'
import type { SubscriberInspection } from './subscribers/inspect.ts'
import { tail } from './subscribers/tail.ts'

const VERIFIED_TOKENS = 10_000

const openQueries = (core: Core, views: Views, { counter, query }: ReturnType<typeof openAnalytics>) => {
  const reads = { entries: views.entries.view, log: core.log, cache: core.cache }
  const search = { search: views.search.view, entries: views.entries.view }
  const system = (commandId: string) => ({
    ...{ commandId, actor: operator, correlationId: commandId, at: core.clock.now() },
  })
  return {
    getEntry: getEntry(reads),
    listEntries: listEntries(reads),
    entryHistory: entryHistory(reads),
    exportEntries: exportEntries(reads),
    randomEntry: randomEntry(reads, seed => pointOf(seed ?? core.newId())),
    wordOfTheDay: wordOfTheDay({
      ...{ reads, clock: core.clock, pointOf },
      chosen: async (language, date) => (await core.days.load(dayStream(language, date))).state,
      choose: async (language, date, entryId, gone) => {
        const decide = choose({ language, date, entryId }, gone)
        const result = await core.days.run(dayStream(language, date), decide, system(core.newId()))
        return isRefusal(result) ? undefined : result.state
      },
    }),
    searchEntries: searchEntries(search, counter.count),
    analytics: query,
    suggestEntries: suggestEntries(search),
  }
}

/** What works in the background of a service: projections, subscribers, followers. */
const startRunning = async (core: Core, views: Views, logger: Logger, opened: Closing[]) => {
  const { log, clock } = core
  const ending = new AbortController()
  const { signal } = ending
  const complain = (part: string) => (error: unknown) =>
    logger.error({ part, err: error instanceof Error ? error : new Error(String(error)) }, 'a background part failed')
  const trace = consumerTrace(logger)
  const projections = Object.values(views).map(each => ({
    ...{ name: each.name, handle: each.run(signal, complain(`projection ${each.name}`), trace) },
  }))
  const subscribers = bindSubscribers(core).map(each => ({
    ...{ name: each.name, handle: each.run(signal, complain(`subscriber ${each.name}`), trace) },
  }))
  const follower = followTokens({ log, clock, signal })
  // A removed text leaves this node's memory too, whichever node removed it.
  const forgetting = tail({
    ...{ log, clock, signal, from: await log.head(), onError: complain('forgetting') },
    filter: { types: [EntryRedacted.type] },
    onEvents: events => {
      for (const { stream } of events) core.entries.forget(stream)
      void core.cache.invalidate(
        events.map(event => entryCacheKey(entryIdOf(event))),
        events.at(-1)?.position ?? 0n,
      )
    },
  })
  opened.push({
    close: async () => {
      ending.abort()
      const consumers = [...projections, ...subscribers].map(each => each.handle.done)
      await Promise.all([...consumers, follower.done, forgetting])
    },
  })
  return { projections, subscribers, follower }
}

const issuerOf = (config: Config): string => config.publicUrl ?? 'urn:lexichron'
const scopeOf = (config: Config) => ({ issuer: issuerOf(config), audience: issuerOf(config) })

/** Opens the program on the engines that the configuration names. @throws the ports' errors, with what is wrong. */
export const openApp = async (config: Config, options: AppOptions): Promise<App> => {
  const opened: Closing[] = []
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= (async () => {
      for (const each of opened.toReversed()) await each.close()
    })()
    return closing
  }
  try {
    return await compose(config, options, opened, close)
  } catch (error) {
    await close().catch(() => undefined)
    throw error
  }
}

const compose = async (
  config: Config,
  { purpose, version, clock = systemClock }: AppOptions,
  opened: Closing[],
  close: () => Promise<void>,
): Promise<App> => {
  const core = await openCore(config, clock, opened)
  const views = bindAll(core)
  const subscribers = bindSubscribers(core)
  const service = purpose === 'serve' ? await openService(core, views, config, version, opened) : undefined
  const named = (name: string) => {
    const found = Object.values(views).find(each => each.name === name)
    if (!found) throw new Error(`There is no projection ${name}: take one of ${Object.keys(views).join(', ')}.`)
    return found
  }
  const tokenDeps = { tokens: core.tokens, log: core.log, clock: core.clock, newId: core.newId }

  return {
    projectionNames: Object.values(views).map(each => each.name),
    subscriberNames: subscribers.map(each => each.name),
    close,
    listen: async () => {
      if (!service) throw new Error('Only a service listens.')
      return (await service.listen(config.host, config.port)).address
    },
    fillSample: async watch => {
      if (config.sample === 'none') return undefined
      const report = await fillSample(core, watch)
      if (report?.complete) await searchable(core, views, watch)
      return report
    },
    import: (format, path, options) => importFrom(format, path, core, options),
    exportEntries: async function* ({ language, signal }) {
      const pages = exportEntries({ entries: views.entries.view, log: core.log })
      for await (const page of pages(language === undefined ? {} : { language })) {
        for (const item of page.items) yield JSON.stringify(item)
        if (signal.aborted) return
      }
    },
    rebuild: async (name, watch) => {
      const bound = named(name)
      await bound.rebuild(watch)
      const { position } = await bound.inspect()
      return { name, position: String(position) }
    },
    projections: async () => [
      ...(await Promise.all(Object.values(views).map(async each => statusOf(await each.inspect())))),
      ...(await Promise.all(subscribers.map(async each => subscriberStatusOf(await each.inspect())))),
    ],
    retry: async name => {
      const all = [...Object.values(views), ...subscribers]
      const chosen = all.filter(each => name === undefined || each.name === name)
      if (chosen.length === 0) throw new Error(`There is no projection or subscriber ${name}.`)
      let parked = 0
      for (const each of chosen) parked += await each.retry()
      return parked
    },
    verify: watch => verifyAll(core, views, watch),
    tokens: {
      create: async ({ role, for: name, lifeMs }) => {
        const token = await createToken(tokenDeps, { role, name, lifeMs })
        if (isRefusal(token)) return token
        const { id, subject, issuedAt, expiresAt } = token
        const claims = {
          jti: id,
          sub: subject,
          kind: 'service' as const,
          role: token.role,
          issuedAt: new Date(issuedAt),
          expiresAt: new Date(expiresAt),
        }
        return { id, role, for: name, expiresAt, token: await signAccessToken(core.keys, scopeOf(config), claims) }
      },
      list: async () => (await listTokens(tokenDeps)).map(each => tokenStatus(each, core.clock.now())),
      revoke: async id => {
        const token = await endToken(tokenDeps, id)
        return isRefusal(token) ? token : tokenStatus(token, core.clock.now())
      },
    },
    keys: {
      rotate: async () => {
        const { kid, activeFrom } = await core.keys.rotate(core.clock.now())
        return { kid, activeFrom }
      },
    },
  }
}

const tokenStatus = (token: Token, now: Date): TokenStatus => ({
  ...{
    id: token.id,
    role: token.role,
    for: token.name ?? '(erased)',
    issuedAt: token.issuedAt,
    expiresAt: token.expiresAt,
  },
  state: token.revoked ? 'revoked' : Date.parse(token.expiresAt) <= now.getTime() ? 'expired' : 'valid',
})

const parkedOf = (found: Pick<Inspection, 'parked'>) =>
  found.parked.map(({ id, error, since }) => ({ id, reason: error, since }))

const subscriberStatusOf = (found: SubscriberInspection): ProjectionStatus => ({
  ...{ kind: 'subscriber', name: found.name, state: 'live' },
  ...{ position: String(found.position), lag: String(found.lag), parked: parkedOf(found) },
})

const statusOf = (found: Inspection): ProjectionStatus => ({
  ...{ kind: 'projection', name: found.name, version: found.version, state: found.state },
  ...{ position: String(found.position), lag: String(found.lag) },
  parked: parkedOf(found),
})

/** Every event decodes and fits its schema; every read model is what a replay gives. */
const verifyAll = async (core: Core, views: Views, watch: Watch): Promise<VerifyReport> => {
  const { events, faults } = await verifyLog(core.log, watch.signal, done =>
    watch.onProgress({ step: 'verify log', done, total: 0, unit: 'events' }),
  )
  const projections: VerifyReport['projections'][number][] = []
  for (const each of Object.values(views)) {
    const found = await each.verify(watch)
    projections.push({
      ...{ name: each.name, documents: found.documents, different: found.differing },
      differences: found.differences.map(({ id, kind }) => `${id}: ${kind}`),
    })
  }
  return { events, faults, projections }
}

const LOST_END =
  'the log has lost its end: events that consumers had seen are not in it; it has a new id, and read models are built anew'
const lostEndOf = ({ logId, seen, head }: LostEnd) => ({ logId, seen: String(seen), head: String(head) })

const openService = async (core: Core, views: Views, config: Config, version: string, opened: Closing[]) => {
  const serviceLog = await openLogging(config)
  opened.push(serviceLog)
  const { logger } = serviceLog
  if (core.store.lostEnd) logger.error({ lostEnd: lostEndOf(core.store.lostEnd) }, LOST_END)
  const running = await startRunning(core, views, logger, opened)
  const figures = openAnalytics(core, views, logger, opened)
  const verifier = createTokenVerifier({ ...scopeOf(config), keys: core.keys, clock: core.clock, max: VERIFIED_TOKENS })
  const { follower } = running
  const authority = openTokenAuthority({ verifier, follower, head: () => core.log.head(), clock: core.clock })
  const history = openHistoryEdge(core, views, err =>
    logger.error({ part: 'history', err }, 'a reading was not recorded'),
  )
  opened.push(history)
  const live = await openLive(
    ...([core, running] as const),
    {
      ...{
        version,
        dataDir: config.dataDir,
        most: config.liveSockets,
        total: config.nodeSockets,
        standing: id =>
          authority.current({ id }) !== undefined ? 'holds' : authority.deafFor() > DEAF_MS ? 'unknown' : 'ended',
        figures: async () => JSON.parse(JSON.stringify((await figures.analyticsFigures()).figures)),
      },
      onError: error => logger.error({ part: 'live', err: error }, 'a background part failed'),
    },
    opened,
  )
  const told = () => {
    const { open, messages, slow } = live.stats()
    return { connections: open, messages, drops: slow }
  }
  const operation = await openOperation({ core, config, running, views, version, log: serviceLog, live: told }, opened)
  const server = await openHttpServer({
    live,
    settings: {
      ...(config.publicUrl !== undefined && { publicUrl: config.publicUrl }),
      ...{ allowedOrigins: config.allowedOrigins, trustedProxies: config.trustedProxies, limits: config.limits },
    },
    ...{ version, authority, logger, entries: core.entries, queries: openQueries(core, views, figures), history },
    execute: openExecutor({ cache: core.cache, clock: core.clock, newId: core.newId }),
    freshness: {
      position: () =>
        Object.values(views).reduce(
          (least, { view }) => (view.position() < least ? view.position() : least),
          views.entries.view.position(),
        ),
      waitFor: async (names, position) => {
        for (const name of names) await views[name].view.waitFor(position)
      },
    },
    ...{ log: core.log, keys: core.keys, cache: core.cache, clock: core.clock, newId: core.newId },
    jwks: async () => {
      const { keys } = jwksOf(await core.keys.signing(core.clock.now()))
      return { keys: keys.map(key => ({ ...key })) }
    },
    ...operation,
  })
  opened.push(server)
  return server
}
