import type { App, AppOptions, ProjectionStatus, TokenStatus } from '../adapters/cli/app-port.ts'
import { collectHeap, growHeapSlowly } from '../adapters/host/heap.ts'
import { giveUpRoom, isFull } from '../adapters/host/room.ts'
import { signAccessToken } from '../adapters/http/access-tokens.ts'
import { importFrom } from '../adapters/import/command.ts'
import { importStories } from '../adapters/import/stories.ts'
import { createToken, endToken, listTokens } from '../commands/tokens.ts'
import type { Config } from '../config/load.ts'
import type { Inspection } from '../core/project/inspect.ts'
import type { SubscriberInspection } from '../core/subscribe/inspect.ts'
import type { Token } from '../domain/access/token.ts'
import { tokenAggregate } from '../domain/access/token.ts'
import { defined } from '../domain/defined.ts'
import { isRefusal } from '../domain/refusal.ts'
import { entriesProjection } from '../projections/entries.ts'
import { exportEntries } from '../queries/entry-export.ts'
import { rotateAddresses } from './address.ts'
import type { Area } from './area.ts'
import { areas as everyArea } from './areas.ts'
import { openBlockTool } from './blocks.ts'
import { bindAll, type Closing, openCore, systemClock } from './core.ts'
import { openAccountTool, scopeOf } from './identity.ts'
import { openLogging } from './logging.ts'
import { mailRules } from './mail.ts'
import { importDeps, openSample } from './sample.ts'
import { openService } from './service.ts'
import { storyImportDeps } from './story-import.ts'
import { bindSubscribers } from './subscribers.ts'
import { repairAll, verifyAll } from './verify.ts'

/** Opens the program on the engines that the configuration names. @throws the ports' errors, with what is wrong. */
export const openApp = async (
  config: Config,
  options: AppOptions,
  areas: readonly Area[] = everyArea,
): Promise<App> => {
  growHeapSlowly()
  const opened: Closing[] = []
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= (async () => {
      for (const each of opened.toReversed()) await each.close()
    })()
    return closing
  }
  const closeAll = async (): Promise<void> => {
    for (const part of opened.splice(0).toReversed()) await part.close().catch(() => undefined)
  }
  try {
    return await compose({ config, options, areas, opened, close })
  } catch (error) {
    await closeAll()
    // On a full disk it reads with the room that was kept for this, and writes once there is more.
    if (!(await isFull(config.dataDir))) throw error
    giveUpRoom(config.dataDir)
  }
  try {
    return await compose({ config, options, areas, opened, close })
  } catch (error) {
    await closeAll()
    throw error
  }
}

type Composing = {
  readonly config: Config
  readonly options: AppOptions
  readonly areas: readonly Area[]
  readonly opened: Closing[]
  readonly close: () => Promise<void>
}

const compose = async ({ config, options, areas, opened, close }: Composing): Promise<App> => {
  const { purpose, version, clock = systemClock, print, between, beatMs } = options
  // Opened first: from here on whatever a service says goes to its log, in the log's form.
  const serviceLog = purpose === 'serve' ? await openLogging(config, print) : undefined
  if (serviceLog) opened.push(serviceLog)
  const warn = serviceLog && ((message: string): void => serviceLog.logger.warn(message))
  const core = await openCore({ config, clock, areas, opened, ...defined({ warn, between, beatMs }) })
  const views = bindAll(core)
  const subscribers = bindSubscribers(core, areas, mailRules(config, core))
  const sample = serviceLog && config.sample !== 'none' ? await openSample(core, views) : undefined
  const filling = (): number | undefined => sample?.percent()
  const service =
    serviceLog && (await openService({ core, views, areas, config, version, serviceLog, filling, opened }))
  const named = (name: string) => {
    const found = views.all.find(each => each.name === name)
    if (!found)
      throw new Error(
        `There is no projection ${name}: take one of ${views.all.map(({ name: known }) => known).join(', ')}.`,
      )
    return found
  }
  const tokenDeps = { tokens: core.transactor(tokenAggregate), log: core.log, clock: core.clock, newId: core.newId }

  return {
    projectionNames: views.all.map(each => each.name),
    subscriberNames: subscribers.map(each => each.name),
    close,
    listen: async () => {
      if (!service) throw new Error('Only a service listens.')
      return (await service.listen(config.host, config.port)).address
    },
    fillSample: async watch => {
      const report = await sample?.fill(watch)
      if (report) collectHeap()
      return report
    },
    import: (format, path, options) => importFrom(format, path, importDeps(core), options),
    importStories: (path, options) => importStories(path, storyImportDeps(core), options),
    catchUp: named(entriesProjection.name).catchUp,
    exportEntries: async function* ({ language, signal }) {
      const pages = exportEntries({ entries: views.of(entriesProjection), log: core.log })
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
      ...(await Promise.all(views.all.map(async each => statusOf(await each.inspect())))),
      ...(await Promise.all(subscribers.map(async each => subscriberStatusOf(await each.inspect())))),
    ],
    retry: async name => {
      const all = [...views.all, ...subscribers]
      const chosen = all.filter(each => name === undefined || each.name === name)
      if (chosen.length === 0) throw new Error(`There is no projection or subscriber ${name}.`)
      let parked = 0
      for (const each of chosen) parked += await each.retry()
      return parked
    },
    verify: watch => verifyAll(core, views, watch),
    repair: watch => repairAll(core, views, watch),
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
    accounts: openAccountTool(core),
    blocks: openBlockTool(core, config),
    jobs: {
      list: async options => (await core.jobs()).list(options),
      show: async key => (await core.jobs()).show(key),
      retry: async key => (await core.jobs()).retry(key),
      drop: async key => (await core.jobs()).drop(key),
    },
    keys: {
      rotate: async () => {
        const { kid, activeFrom } = await core.keys.rotate(core.clock.now())
        return { kid, activeFrom }
      },
      rotateAddresses: () => rotateAddresses(core),
    },
  }
}

const tokenStatus = (token: Token, now: Date): TokenStatus => ({
  id: token.id,
  role: token.role,
  for: token.name ?? '(erased)',
  issuedAt: token.issuedAt,
  expiresAt: token.expiresAt,
  state: token.revoked ? 'revoked' : Date.parse(token.expiresAt) <= now.getTime() ? 'expired' : 'valid',
})

const parkedOf = (found: Pick<Inspection, 'parked'>) =>
  found.parked.map(({ id, error, since }) => ({ id, reason: error, since }))

const subscriberStatusOf = (found: SubscriberInspection): ProjectionStatus => ({
  kind: 'subscriber',
  name: found.name,
  state: 'live',
  position: String(found.position),
  lag: String(found.lag),
  parked: parkedOf(found),
})

const statusOf = (found: Inspection): ProjectionStatus => ({
  kind: 'projection',
  name: found.name,
  version: found.version,
  state: found.state,
  position: String(found.position),
  lag: String(found.lag),
  parked: parkedOf(found),
  ...defined({ progress: found.progress }),
})
