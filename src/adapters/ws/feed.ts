/** All live connections of a node: admission, heartbeat, the end of credentials, the end of the node. */
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Channels, ListenedTo, Listener } from '../../core/live/channels.ts'
import type { LiveFilter } from '../../core/live/filter-members.ts'
import type { ReadFilter } from '../../core/live/filters.ts'
import type { Hub, LiveStats } from '../../core/live/hub.ts'
import { type LiveFault, openMessages, type ResetMessage } from '../../core/live/messages.ts'
import type { Place } from '../../core/log/log.ts'
import type { ByteBuffer } from '../../core/memory/memory.ts'
import type { Permission } from '../../domain/roles.ts'
import type { Clock } from '../../ports/clock.ts'
import { type LiveCounters, openConnection } from './connection.ts'
import { eventBytes, openEventStream } from './event-stream.ts'
import type { Tickets } from './tickets.ts'

/** `credential` is what the connection ends with, `counted` whose places and turns it takes. */
export type LiveListener = Listener & { readonly credential?: { readonly id: string }; readonly counted: string }

export type LiveFeed = {
  readonly channels: Channels
  /** Takes a place among the connections of `counted`, or says whose places are all taken. Give it back once. */
  place(counted: string): (() => void) | 'listener' | 'node'
  /** Whose places are all taken, now. */
  full(counted: string): 'listener' | 'node' | undefined
  connect(ws: WebSocket, socket: Socket, listener: LiveListener, release: () => void): void
  stream(
    asked: {
      readonly channel: ListenedTo
      readonly filter: LiveFilter
      readonly after?: Place
      /** Why what was to be resumed after cannot be: told first, then the stream begins now. */
      readonly reset?: Omit<ResetMessage, 'op' | 'id'>
    },
    listener: LiveListener,
    release: () => void,
  ): Readable | 'too-many-replays'
  /** Before a subscription begins: what has to be in the log about it. */
  recorded(listener: Listener, channel: ListenedTo, filter: LiveFilter, after: Place | undefined): Promise<void>
  /** The place that a token of a client names, or why it names none. */
  readAfter(token: string): Promise<Place | LiveFault>
  /** Where the log ends now, as a token. */
  now(): Promise<{ readonly token: string; readonly place: Place }>
  readonly readFilter: ReadFilter
  readonly tickets: Tickets
  /** What the operator sees: connections, messages, drops. */
  stats(): LiveStats & Readonly<LiveCounters> & { readonly listeners: number }
  /** Sends everybody away: 1012, come back. Resolves when they are gone, after six seconds at most. */
  close(): Promise<void>
}

const PING_MS = 25_000
const COMMENT_MS = 15_000
const CHECK_MS = 500
const GONE_MS = 6_000

type Open = {
  readonly credential: string | undefined
  readonly permissions: ReadonlySet<Permission>
  readonly beat: () => void
  readonly every: number
  readonly end: (code: number, reason: string) => void
  beatAt: number
}

const same = (a: ReadonlySet<Permission>, b: ReadonlySet<Permission>): boolean =>
  a === b || (a.size === b.size && a.isSubsetOf(b))

export const openLiveFeed = (deps: {
  readonly hub: Hub
  readonly channels: Channels
  readonly clock: Clock
  readonly tickets: Tickets
  readonly readAfter: LiveFeed['readAfter']
  readonly now: LiveFeed['now']
  readonly readFilter: ReadFilter
  /** Records that somebody listens to the log itself; rejects when it cannot be recorded, and nothing is handed out. */
  readonly recorded: LiveFeed['recorded']
  /** What the credential allows now; 'unknown' when this node has not heard of the log for too long to say. */
  readonly standing: (credential: string) => ReadonlySet<Permission> | 'ended' | 'unknown'
  /** Has this node heard nothing of the log for too long? Nobody is told then that they are up to date. */
  readonly lost: () => boolean
  /** Connections at once of one account, or of one address without an account. */
  readonly most: number
  /** Connections at once of everybody. */
  readonly total: number
  /** What waits for all listeners of the node. */
  readonly buffer: ByteBuffer
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
}): LiveFeed => {
  const { hub, channels, clock, standing, lost, most, total, buffer, signal, onError } = deps
  const counters: LiveCounters = {
    open: 0,
    opened: 0,
    received: 0,
    sentBytes: 0,
    pendingBytes: 0,
    slow: 0,
    refused: 0,
  }
  const readMessage = openMessages(channels)
  const all = new Set<Open>()
  const places = new Map<string, number>()
  let taken = 0
  let closing = false

  const full = (counted: string): 'listener' | 'node' | undefined =>
    closing || lost() || taken >= total ? 'node' : (places.get(counted) ?? 0) >= most ? 'listener' : undefined

  const add = (each: Open): (() => void) => {
    all.add(each)
    counters.open += 1
    counters.opened += 1
    return () => {
      if (all.delete(each)) counters.open -= 1
    }
  }

  const look = async (): Promise<void> => {
    let sweepAt = 0
    while (!signal.aborted) {
      await clock.sleep(CHECK_MS, signal)
      const now = clock.monotonic()
      for (const each of [...all]) {
        const stands = lost() ? 'unknown' : each.credential === undefined ? each.permissions : standing(each.credential)
        if (stands === 'ended') each.end(1008, 'the access token has ended')
        else if (stands === 'unknown') each.end(1013, 'this node has lost the log: try another, or again')
        // What was subscribed to rests on what was allowed then; all of it is judged anew.
        else if (!same(stands, each.permissions)) each.end(1012, 'what you may do has changed: connect again')
        else if (now - each.beatAt >= each.every) {
          each.beatAt = now
          each.beat()
        }
      }
      if (now < sweepAt) continue
      sweepAt = now + 60_000
      await deps.tickets.sweep().catch(onError)
    }
  }
  void look().catch(onError)

  return {
    channels,
    readAfter: deps.readAfter,
    now: deps.now,
    readFilter: deps.readFilter,
    recorded: deps.recorded,
    tickets: deps.tickets,
    full,
    place: counted => {
      const none = full(counted)
      if (none) return none
      places.set(counted, (places.get(counted) ?? 0) + 1)
      taken += 1
      let mine = true
      return () => {
        if (!mine) return
        mine = false
        taken -= 1
        const left = (places.get(counted) ?? 1) - 1
        if (left > 0) places.set(counted, left)
        else places.delete(counted)
      }
    },
    connect: (ws, socket, listener, release) => {
      let leave: () => void = () => undefined
      const connection = openConnection(
        ws,
        socket,
        listener,
        {
          hub,
          clock,
          readMessage,
          readFilter: deps.readFilter,
          readAfter: deps.readAfter,
          recorded: deps.recorded,
          counters,
          buffer,
          logger: onError,
        },
        () => {
          leave()
          release()
        },
      )
      leave = add({
        credential: listener.credential?.id,
        permissions: listener.permissions,
        every: PING_MS,
        beatAt: clock.monotonic(),
        beat: connection.beat,
        end: connection.close,
      })
      if (closing) connection.close(1012, 'restarting')
    },
    stream: ({ reset, ...asked }, listener, release) => {
      const { body, sink, comment, end } = openEventStream(clock, { counters, buffer }, listener.counted)
      if (reset) sink.send(eventBytes({ op: 'reset', id: asked.channel.name, ...reset }))
      const leaveHub = hub.subscribe({ ...asked, id: asked.channel.name, listener }, sink)
      if (!leaveHub) {
        body.destroy()
        release()
        return 'too-many-replays'
      }
      const leave = add({
        credential: listener.credential?.id,
        permissions: listener.permissions,
        every: COMMENT_MS,
        beatAt: clock.monotonic(),
        beat: comment,
        end,
      })
      body.once('close', () => {
        leaveHub()
        leave()
        release()
      })
      return body
    },
    stats: () => ({ ...hub.stats(), ...counters, listeners: places.size }),
    close: async () => {
      closing = true
      for (const each of [...all]) each.end(1012, 'restarting: resume from the last after')
      const until = clock.monotonic() + GONE_MS
      while (all.size > 0 && clock.monotonic() < until) await clock.sleep(20)
    },
  }
}
