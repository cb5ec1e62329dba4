/** The live feed of a service: the hub on the log, its connections, its tickets. */
import { join } from 'node:path'
import { ProblemError } from './adapters/http/problems.ts'
import { openSyncTokens } from './adapters/http/tokens.ts'
import { asyncApi } from './adapters/ws/asyncapi.ts'
import { asyncApiPage } from './adapters/ws/asyncapi-page.ts'
import { openLiveFeed } from './adapters/ws/feed.ts'
import { openTickets } from './adapters/ws/tickets.ts'
import type { Closing, Core, Running } from './app-core.ts'
import { EntryRedacted } from './domain/entry-events.ts'
import type { JsonObject } from './domain/event.ts'
import { openRemovals } from './log/removals.ts'
import { openLiveHub } from './subscribers/live.ts'

export const openLive = async (
  core: Core,
  running: Running,
  options: {
    readonly version: string
    readonly dataDir: string
    readonly most: number
    readonly total: number
    /** The day's figures. */
    readonly figures: () => Promise<JsonObject>
    readonly standing: (credential: string) => 'holds' | 'ended' | 'unknown'
    readonly onError: (error: unknown) => void
  },
  opened: Closing[],
) => {
  const { log, store, keys, clock, newId } = core
  const { onError, most, total, standing, figures } = options
  const ending = new AbortController()
  const { signal } = ending
  const syncTokens = openSyncTokens(await keys.secret('sync-token'), log.logId)
  const secret = await keys.secret('live-ticket')
  const tickets = await openTickets({ folder: join(options.dataDir, 'tickets'), secret, clock, newId })
  const hub = openLiveHub({
    ...{ log, clock, signal, from: await log.head(), tokenOf: syncTokens.of, onError, figures },
    removals: openRemovals(store, [EntryRedacted.type]),
    projections: () =>
      Promise.all(
        running.projections.map(async ({ name, handle }) => {
          const { state, lag, parked, rate, progress, position } = await handle.status()
          return { name, state, position: syncTokens.of(position), lag: String(lag), parked, rate, progress }
        }),
      ),
  })
  const feed = openLiveFeed({
    ...{ hub, clock, tickets, standing, most, total, signal, onError },
    readAfter: async token => {
      try {
        const position = syncTokens.read(token)
        if (position <= (await log.head())) return position
        return { code: 'after-ahead', detail: 'after names a position that the log has not reached.' }
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error
        return error.code === 'other-log'
          ? {
              code: 'other-log',
              detail: 'after is of another log: drop what you keep, read again, subscribe without it.',
            }
          : { code: 'after-invalid', detail: 'after was not made by this service: subscribe without it.' }
      }
    },
  })
  opened.push({
    close: async () => {
      await feed.close()
      ending.abort()
      await hub.done
    },
  })
  const document = asyncApi(options.version)
  return { ...feed, document, page: asyncApiPage(document) }
}
