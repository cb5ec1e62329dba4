import type { App, AppOptions, ProjectionStatus, TokenStatus, VerifyReport, Watch } from './adapters/cli/app-port.ts'
import { signAccessToken } from './adapters/http/access-tokens.ts'
import { importFrom } from './adapters/import/command.ts'
import { rotateAddresses } from './app-address.ts'
import { openBlockTool } from './app-blocks.ts'
import { bindAll, bindSubscribers, type Closing, type Core, openCore, systemClock, type Views } from './app-core.ts'
import { openAccountTool } from './app-identity.ts'
import { mailRules } from './app-mail.ts'
import { fillSample, searchable } from './app-sample.ts'
import { openService, scopeOf } from './app-service.ts'
import { createToken, endToken, listTokens } from './commands/tokens.ts'
import type { Config } from './config.ts'
import { isRefusal } from './domain/refusal.ts'
import type { Token } from './domain/token.ts'
import { verifyLog } from './log/verify.ts'
import type { Inspection } from './projections/inspect.ts'
import { exportEntries } from './queries/entry-export.ts'
import type { SubscriberInspection } from './subscribers/inspect.ts'

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
  const subscribers = bindSubscribers(core, mailRules(config, core))
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
