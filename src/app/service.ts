import type { Logger } from 'pino'
import { createTokenVerifier, jwksOf } from '../adapters/http/access-tokens.ts'
import { openHttpServer } from '../adapters/http/server.ts'
import { DEAF_MS, openTokenAuthority } from '../adapters/http/token-authority.ts'
import type { ServiceLog } from '../adapters/logging/service-log.ts'
import { operator } from '../commands/tokens.ts'
import type { Config } from '../config/load.ts'
import { tail } from '../core/consume/tail.ts'
import { scopesOf } from '../core/project/view.ts'
import { openExecutor } from '../core/write/execute.ts'
import { AccountErased } from '../domain/account/erasure-events.ts'
import { SignUpEnded } from '../domain/address/address-events.ts'
import { defined } from '../domain/defined.ts'
import { choose, dayStream } from '../domain/entry/day.ts'
import { EntryRedacted } from '../domain/entry/events.ts'
import { pointOf } from '../domain/ids.ts'
import { isRefusal } from '../domain/refusal.ts'
import { openTurns } from '../domain/turns.ts'
import { waitAtMost } from '../ports/clock.ts'
import { openIdentities } from '../projections/identities.ts'
import { followPeople, type People } from '../projections/people.ts'
import { followTokens } from '../projections/tokens.ts'
import { wordOfTheDay } from '../queries/days.ts'
import { entryHistory, FOLDS_AT_ONCE, FOLDS_OF_ONE, getEntry } from '../queries/entries.ts'
import { randomEntry } from '../queries/entry-draw.ts'
import { exportEntries } from '../queries/entry-export.ts'
import { listEntries } from '../queries/entry-lists.ts'
import { searchEntries, suggestEntries } from '../queries/search-entries.ts'
import type { MailRule } from '../subscribers/mail.ts'
import { signUpEnds } from './address.ts'
import { openAnalytics } from './analytics.ts'
import { openBlocks } from './blocks.ts'
import type { Closing, Core, Views } from './core.ts'
import { forgetAccount, openErasure } from './erasure.ts'
import { openHistoryEdge } from './history.ts'
import { openAdministration, openIdentity, openIdentityPort } from './identity.ts'
import { openLive } from './live.ts'
import { consumerTrace } from './logging.ts'
import { mailRules, type StartedMail, startMail } from './mail.ts'
import { openOpenId } from './openid.ts'
import { openOperation } from './operation.ts'
import { openOwnDataOf, openPeople } from './people.ts'
import { openProfilePort } from './profile.ts'
import { bindSubscribers } from './subscribers.ts'
import { openHotRecords } from './warming.ts'

const VERIFIED_TOKENS = 10_000

const openQueries = (
  core: Core,
  views: Views,
  { counter, query }: ReturnType<typeof openAnalytics>,
  people: People,
) => {
  const reads = {
    entries: views.entries.view,
    log: core.log,
    streams: core.entries,
    folds: openTurns(FOLDS_AT_ONCE, FOLDS_OF_ONE),
    people,
  }
  const search = { search: views.search.view, entries: views.entries.view }
  const system = (commandId: string) => ({
    commandId,
    actor: operator,
    correlationId: commandId,
    at: core.clock.now(),
  })
  return {
    getEntry: getEntry(reads),
    listEntries: listEntries(reads),
    entryHistory: entryHistory(reads),
    exportEntries: exportEntries(reads),
    randomEntry: randomEntry(reads, seed => pointOf(seed ?? core.newId())),
    wordOfTheDay: wordOfTheDay({
      reads,
      clock: core.clock,
      pointOf,
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

/**
 * Consumers end with the batch they are at, and leave where they stand and their lease: two calls on an engine, each of which
 * takes its time where that is away or its file is held by another program. So long they are waited for, of the ten seconds
 * that a process has to close.
 */
const ENDING_MS = 2_000

/** What works in the background of a service: projections, subscribers, followers. */
const startRunning = async (
  core: Core,
  views: Views,
  rules: readonly MailRule[],
  logger: Logger,
  opened: Closing[],
) => {
  const { log, clock } = core
  const ending = new AbortController()
  const { signal } = ending
  const complain = (part: string) => (error: unknown) =>
    logger.error({ part, err: error instanceof Error ? error : new Error(String(error)) }, 'a background part failed')
  const trace = consumerTrace(logger)
  const projections = Object.values(views).map(each => ({
    name: each.name,
    handle: each.run(signal, complain(`projection ${each.name}`), trace),
  }))
  const subscribers = bindSubscribers(core, rules).map(each => ({
    name: each.name,
    handle: each.run(signal, complain(`subscriber ${each.name}`), trace),
  }))
  const identities = openIdentities(clock)
  const people = followPeople({ log, clock, signal, onError: complain('people') })
  const follower = followTokens({ log, clock, signal, identities })
  // A removed text leaves this node's memory too, whichever node removed it.
  const head = await log.head()
  const forgetting = tail({
    log,
    clock,
    signal,
    from: head,
    onError: complain('forgetting'),
    filter: { types: [EntryRedacted.type, AccountErased.type] },
    onEvents: events => {
      for (const event of events)
        if (event.type === AccountErased.type) forgetAccount(core, event)
        else core.entries.forget(event.stream)
      // What it was kept in is not known here, and never answered with again: it goes with all that is kept.
      if (events.length > 0) void core.cache.forget()
    },
  })
  // Of a sign-up that is over nothing was ever answered with, so that nothing else has to go.
  const ended = tail({
    log,
    clock,
    signal,
    from: head,
    onError: complain('forgetting sign-ups'),
    filter: { types: [SignUpEnded.type] },
    onEvents: events => {
      for (const { stream } of events) core.addresses.forget(stream)
    },
  })
  opened.push({
    close: async () => {
      ending.abort()
      const consumers = [...projections, ...subscribers].map(each => each.handle.done)
      const all = Promise.all([...consumers, follower.done, people.done, forgetting, ended])
      // Whoever is not waited for ends with what it stands on, and its lease lapses by itself.
      await waitAtMost(clock, ENDING_MS, all)
    },
  })
  return { projections, subscribers, follower, identities, people }
}

const issuerOf = (config: Config): string => config.publicUrl ?? 'urn:lexichron'
/** Who signs tokens, and for whom: the public address, or a name where there is none. */
export const scopeOf = (config: Config) => ({ issuer: issuerOf(config), audience: issuerOf(config) })

const LOST_END =
  'the log has lost its end: events that consumers had seen are not in it; it has a new id, and read models are built anew'
const lostEndOf = ({ logId, seen, head }: NonNullable<Core['store']['lostEnd']>) => ({
  logId,
  seen: String(seen),
  head: String(head),
})

/** Opens the service: what works in the background, live feed, operation and the HTTP server. `serviceLog` is what it writes to. */
export const openService = async (
  core: Core,
  views: Views,
  config: Config,
  version: string,
  serviceLog: ServiceLog,
  opened: Closing[],
) => {
  const { logger } = serviceLog
  if (core.store.lostEnd) logger.error({ lostEnd: lostEndOf(core.store.lostEnd) }, LOST_END)
  let listening: string | undefined
  const rules = mailRules(config, core, () => listening)
  // Closed after the subscribers, whose effects are its jobs.
  let mail: StartedMail | undefined
  opened.push({ close: async () => mail?.close() })
  const running = await startRunning(core, views, rules, logger, opened)
  const started = await startMail(core, config, { rules, others: [signUpEnds(core).kind] }, logger)
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
  const authority = openTokenAuthority({
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
      total: config.nodeSockets,
      readings: history.readings,
      standing: id => authority.current({ id })?.permissions ?? (authority.deafFor() > DEAF_MS ? 'unknown' : 'ended'),
      lost: () => authority.deafFor() > DEAF_MS,
      people,
      figures: async () => JSON.parse(JSON.stringify((await figures.analyticsFigures()).figures)),
      onError: error => logger.error({ part: 'live', err: error }, 'a background part failed'),
    },
    opened,
  )
  const told = () => {
    const { open, messages, slow, position } = live.stats()
    return { connections: open, messages, drops: slow, position }
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
      nodes: live.nodes,
      blocks: blocks.part,
      mail: started.report,
    },
    opened,
  )
  const ownData = openOwnDataOf(core, history.history, identities)
  const erasure = await openErasure(core, issuerOf(config), config.keyBackupDays)
  const server = await openHttpServer({
    identity: {
      ...openIdentityPort(core, identity, identities, scopeOf(config)),
      erasure,
    },
    administration: openAdministration(core, identities),
    people: openPeople(core, identity, identities, { accounts: views.accounts.view, ownData }),
    ownData,
    profile: await openProfilePort(core),
    names: people,
    blocks,
    openId: await openOpenId(core, config, identity, scopeOf(config), logger, opened),
    live,
    settings: {
      ...defined({ publicUrl: config.publicUrl, securityContact: config.securityContact }),
      allowedOrigins: config.allowedOrigins,
      trustedProxies: config.trustedProxies,
      limits: config.limits,
    },
    version,
    authority,
    logger,
    entries: core.entries,
    queries: openQueries(core, views, figures, people),
    history,
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
      scopes: names => scopesOf(names.map(name => views[name].view)),
    },
    hot: openHotRecords(core),
    log: core.log,
    keys: core.keys,
    cache: core.cache,
    clock: core.clock,
    newId: core.newId,
    jwks: async () => {
      const { keys } = jwksOf(await core.keys.signing(core.clock.now()))
      // The key of receipts stays for good. Tokens are verified by the keys of tokens alone, whatever is listed here.
      return { keys: [...keys.map(key => ({ ...key })), ...erasure.keys.map(key => ({ ...key }))] }
    },
    ...operation,
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
