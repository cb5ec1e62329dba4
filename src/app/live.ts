/** The live feed of a service: the hub on the log, its connections, its tickets. */

import { openPresence, type Presence } from '../adapters/cache/presence.ts'
import { livePage } from '../adapters/http/pages/live.ts'
import { asyncApi } from '../adapters/ws/asyncapi.ts'
import { openLiveFeed } from '../adapters/ws/feed.ts'
import { openTickets } from '../adapters/ws/tickets.ts'
import type { Readings } from '../commands/history.ts'
import { openFilters } from '../core/live/filters.ts'
import { openHub } from '../core/live/hub.ts'
import { replayPageBytes } from '../core/live/replays.ts'
import { liveEventSchemas } from '../core/live/schemas.ts'
import { openStandings } from '../core/live/standings.ts'
import { TokenError } from '../core/log/opaque.ts'
import { openSyncTokens } from '../core/log/sync-tokens.ts'
import { defined } from '../domain/defined.ts'
import { isRefusal } from '../domain/refusal.ts'
import type { Permission } from '../domain/roles.ts'
import type { People } from '../projections/people.ts'
import type { Analytics } from './analytics.ts'
import type { Area } from './area.ts'
import type { Closing, Core, Running } from './core.ts'
import { categoriesOf, channelsOf, standingsOf } from './declared.ts'

/** As many as are read at once, and some that others come to a moment later. */
const REPLAY_PAGES = 16

export const openLive = async (
  core: Core,
  running: Running,
  options: {
    readonly version: string
    readonly most: number
    readonly total: number
    readonly replays: number
    readonly people: Pick<People, 'wants'>
    readonly areas: readonly Area[]
    readonly figures: Analytics
    /** Records who reads the log. */
    readonly readings: Pick<Readings, 'open'>
    readonly standing: (credential: string) => ReadonlySet<Permission> | 'ended' | 'unknown'
    readonly lost: () => boolean
    /** How much of the dictionary is there, in percent, while it is being filled. */
    readonly filling: () => number | undefined
    readonly onError: (error: unknown) => void
  },
  opened: Closing[],
) => {
  const { log, store, keys, clock, newId } = core
  const { onError, most, total, standing, lost, areas, figures, filling, people } = options
  const ending = new AbortController()
  const { signal } = ending
  const categories = categoriesOf(areas)
  const channels = channelsOf(areas, people.wants)
  const syncTokens = openSyncTokens(await keys.secret('sync-token'), log)
  const secret = await keys.secret('live-ticket')
  const tickets = openTickets({ records: core.engine.store, secret, clock, newId })
  let presence: Presence | undefined
  const head = await log.head()
  const connections = () => presence?.all().connections ?? 0
  const given = { core, running, figures, connections, filling, tokenOf: syncTokens.of }
  const hub = openHub({
    log,
    clock,
    signal,
    from: { position: head, mark: await log.markAt(head) },
    tokenOf: syncTokens.at,
    onError,
    news: areas.flatMap(({ news }) => news?.(given) ?? []),
    standings: openStandings(store, standingsOf(areas)),
    replays: options.replays,
    pages: core.memory.region('replays').cache({ max: REPLAY_PAGES, sizeOf: replayPageBytes }),
  })
  const feed = openLiveFeed({
    hub,
    channels,
    clock,
    tickets,
    standing,
    lost,
    most,
    total,
    buffer: core.memory.live,
    signal,
    onError,
    readFilter: openFilters(
      channels,
      categories,
      running.projections.map(({ name }) => name),
    ),
    now: async () => {
      const position = await log.head()
      return { token: await syncTokens.of(position), place: { position, mark: await log.markAt(position) } }
    },
    recorded: async ({ actor }, { channel }, filter, after) => {
      if (!channel.isRecorded || !actor) return
      const filters = { ...filter, ...defined({ after: after && String(after.position) }), order: 'asc' as const }
      const opened = await options.readings.open({ actor, correlationId: newId(), filters })
      if (isRefusal(opened)) throw new Error(opened.detail)
    },
    readAfter: async token => {
      try {
        return await syncTokens.read(token)
      } catch (error) {
        if (!(error instanceof TokenError)) throw error
        return error.code === 'other-log'
          ? {
              code: 'other-log',
              detail:
                'after is of another log, or of another history of it: drop what you keep, read again, subscribe without it.',
            }
          : { code: 'after-invalid', detail: 'after was not made by this service: subscribe without it.' }
      }
    },
  })
  const nodes = openPresence({
    cache: core.cache,
    clock,
    nodeId: core.nodeId,
    own: () => {
      const { open, listeners } = feed.stats()
      return { connections: open, listeners }
    },
  })
  presence = nodes
  opened.push({
    close: async () => {
      await nodes.close()
      await feed.close()
      ending.abort()
      await hub.done
    },
  })
  const document = asyncApi(options.version, channels.all, liveEventSchemas(channels.all, categories))
  return {
    ...feed,
    nodes: nodes.all,
    document,
    page: livePage(
      document,
      channels.all.map(({ name }) => name),
    ),
  }
}
