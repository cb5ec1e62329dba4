/**
 * One WebSocket of the live feed: its messages, its subscriptions, its bound. Events are written to the bare socket as
 * frames that all receivers share; closing and what waits in the socket are therefore looked at here.
 */
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { type ListenedTo, type Listener, listeningFault } from '../../core/live/channels.ts'
import type { LiveFilter } from '../../core/live/filter-members.ts'
import { FilterFault, type ReadFilter } from '../../core/live/filters.ts'
import type { Hub } from '../../core/live/hub.ts'
import type { ClientMessage, LiveFault, ReadMessages } from '../../core/live/messages.ts'
import type { LiveSink } from '../../core/live/transport.ts'
import type { Place } from '../../core/log/log.ts'
import type { ByteBuffer } from '../../core/memory/memory.ts'
import { defined } from '../../domain/defined.ts'
import { pointerMember } from '../../domain/json.ts'
import type { Clock } from '../../ports/clock.ts'
import { textFrame, webSocketTransport } from './frames.ts'

export type ConnectionDeps = {
  readonly hub: Pick<Hub, 'subscribe'>
  readonly readMessage: ReadMessages
  readonly readFilter: ReadFilter
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  /** The place that a token of a client names, or why it names none. */
  readonly readAfter: (token: string) => Promise<Place | LiveFault>
  /** Before a subscription begins: what has to be in the log about it. Rejects when it cannot be written there. */
  readonly recorded: (
    listener: Listener,
    channel: ListenedTo,
    filter: LiveFilter,
    after: Place | undefined,
  ) => Promise<void>
  readonly counters: LiveCounters
  /** What waits for all listeners of the node. */
  readonly buffer: ByteBuffer
  readonly logger: (error: unknown) => void
}

/** Counted since the start, but for `open` and `pendingBytes`. */
export type LiveCounters = {
  open: number
  opened: number
  received: number
  sentBytes: number
  /** Gathered now, to be written before this turn ends. */
  pendingBytes: number
  slow: number
  refused: number
}

export type LiveConnection = {
  /** Every 25 s: false once two pings in a row were not answered. */
  beat(): void
  close(code: number, reason: string): void
}

export const MAX_SUBSCRIPTIONS = 100
/** Bytes that may wait for a reader. */
export const MAX_BUFFERED = 1024 * 1024
/** Bytes of all connections that are gathered before they are written. */
const MAX_PENDING = 1024 * 1024
const PAUSE_AT = 256 * 1024
const STUCK_MS = 30_000
const CLOSING_MS = 5_000
/** Messages in a burst, and how many a second come back. */
const BURST = 200
const REFILL = 20

const TOO_MANY_REPLAYS =
  'As many subscriptions of yours are read up from the log as may be at once: try again once one of them has caught up.'

/** RFC 6901, of a member that may be anything; no longer than a member of ours could be. */
const pointerPart = (member: string): string => pointerMember(member.slice(0, 40).toWellFormed())

export const openConnection = (
  ws: WebSocket,
  socket: Socket,
  listener: Listener & { readonly counted: string },
  deps: ConnectionDeps,
  onEnd: () => void,
): LiveConnection => {
  const { clock, counters } = deps
  const subscriptions = new Map<string, () => void>()
  let pending: Buffer[] = []
  let pendingBytes = 0
  let missed = 0
  let allowance = BURST
  let countedAt = clock.monotonic()
  let ending = false
  let busy = Promise.resolve()
  let waiting = 0

  const open = (): boolean => !ending && ws.readyState === ws.OPEN && socket.writable
  const drop = (): void => {
    counters.pendingBytes -= pendingBytes
    pending = []
    pendingBytes = 0
  }
  const close = (code: number, reason: string): void => {
    if (ending) return
    ending = true
    drop()
    leaveAll()
    ws.close(code, reason)
    // A reader that takes nothing would not take the close either.
    const gone = new AbortController()
    ws.once('close', () => gone.abort())
    void clock.sleep(CLOSING_MS, gone.signal).then(() => ws.terminate())
  }
  const leaveAll = (): void => {
    for (const leave of subscriptions.values()) leave()
    subscriptions.clear()
  }
  const tooSlow = (): void => {
    if (ending) return
    counters.slow += 1
    close(1013, 'too slow: resume from the last after')
  }
  // The room is needed now: a word of farewell would wait behind what the reader does not take.
  const account = deps.buffer.account(() => {
    if (!ending) counters.slow += 1
    ending = true
    drop()
    leaveAll()
    ws.terminate()
  })

  const hold = (): void => account.hold(socket.destroyed ? 0 : socket.writableLength)

  const flush = (): void => {
    if (pending.length === 0) return
    const [only] = pending
    const all = pending.length === 1 && only ? only : Buffer.concat(pending, pendingBytes)
    drop()
    if (!open()) return
    counters.sentBytes += all.length
    // Also told when the socket ends before it was sent. What the system has taken at once waits for nobody.
    socket.write(all, hold)
    hold()
  }

  const sink: LiveSink = {
    owner: listener.counted,
    transport: webSocketTransport,
    send: bytes => {
      if (!open()) return
      // Many subscriptions to one event make more of a batch than may wait: what there is goes out, then the rest is judged.
      if (pendingBytes + bytes.length > PAUSE_AT) flush()
      const waits = socket.writableLength + pendingBytes
      if (waits > 0 && waits + bytes.length > MAX_BUFFERED) return tooSlow()
      pending.push(bytes)
      pendingBytes += bytes.length
      counters.pendingBytes += bytes.length
      // A message to many, each of whom takes it at once, is not to be gathered for all of them first.
      if (counters.pendingBytes > MAX_PENDING) flush()
    },
    flush,
    alone: () => subscriptions.size === 1,
    full: () => socket.writableLength + pendingBytes > PAUSE_AT || !open(),
    drained: async () => {
      const until = clock.monotonic() + STUCK_MS
      while (open() && socket.writableLength > PAUSE_AT / 4) {
        if (clock.monotonic() > until) return false
        await clock.sleep(50)
      }
      return open()
    },
    tooSlow,
  }

  const say = (message: object): void => {
    sink.send(textFrame(JSON.stringify(message)))
    sink.flush()
  }
  const refuse = (fault: LiveFault, id?: string): void => {
    counters.refused += 1
    say({ op: 'error', ...defined({ id }), ...fault })
  }
  /** What cannot be done now: who stayed for events that nobody will send would wait for ever, so they come back. */
  const sendAway = (detail: string, error: unknown, id?: string): void => {
    deps.logger(error)
    refuse({ code: 'unavailable', detail }, id)
    close(1013, 'unavailable now: connect again with the last after')
  }

  const subscribe = async (message: Extract<ClientMessage, { op: 'subscribe' }>): Promise<void> => {
    const { id, channel, after: token } = message
    if (subscriptions.has(id))
      return refuse({ code: 'id-taken', detail: 'A subscription of this id is open.', pointer: '/id' }, id)
    if (subscriptions.size >= MAX_SUBSCRIPTIONS)
      return refuse({ code: 'too-many-subscriptions', detail: `${MAX_SUBSCRIPTIONS} subscriptions at most.` }, id)
    const fault = listeningFault(channel, listener)
    if (fault) return refuse({ code: 'permission-denied', detail: fault.detail, pointer: '/channel' }, id)
    const filter = deps.readFilter(channel.channel, message.filter)
    if (filter instanceof FilterFault) {
      const { member, message: detail } = filter
      const pointer = member === undefined ? '/filter' : `/filter/${pointerPart(member)}`
      return refuse({ code: 'filter-invalid', detail, pointer }, id)
    }
    const after = token === undefined ? undefined : await deps.readAfter(token)
    if (after && 'code' in after) return refuse({ ...after, pointer: '/after' }, id)
    try {
      await deps.recorded(listener, channel, filter, after)
    } catch (error) {
      return sendAway('It cannot be recorded now that you read: try again.', error, id)
    }
    if (!open()) return
    const leave = deps.hub.subscribe({ id, channel, filter, listener, ...defined({ after }) }, sink)
    if (leave) subscriptions.set(id, leave)
    else refuse({ code: 'too-many-replays', detail: TOO_MANY_REPLAYS, pointer: '/after' }, id)
  }

  const carryOut = async (text: string): Promise<void> => {
    const read = deps.readMessage(text)
    if ('fault' in read) {
      const { id, ...fault } = read.fault
      return refuse(fault, id)
    }
    const { message } = read
    if (message.op === 'ping') return say({ op: 'pong' })
    if (message.op === 'subscribe') return subscribe(message)
    const leave = subscriptions.get(message.id)
    if (!leave)
      return refuse({ code: 'id-unknown', detail: 'No subscription of this id is open.', pointer: '/id' }, message.id)
    if (message.op === 'unsubscribe') {
      leave()
      subscriptions.delete(message.id)
      return say({ op: 'unsubscribed', id: message.id })
    }
    const after = await deps.readAfter(message.after)
    if ('code' in after) refuse({ ...after, pointer: '/after' }, message.id)
  }

  const tooMany = (): boolean => {
    const now = clock.monotonic()
    allowance = Math.min(BURST, allowance + ((now - countedAt) / 1000) * REFILL)
    countedAt = now
    allowance -= 1
    return allowance < 0
  }

  ws.on('message', (data, isBinary) => {
    if (ending) return
    counters.received += 1
    if (isBinary) return close(1003, 'messages are text')
    if (tooMany() || waiting > BURST) return close(1008, 'too many messages')
    const text = Buffer.isBuffer(data) ? data.toString('utf8') : ''
    waiting += 1
    // One after the other: an unsubscribe never overtakes its subscribe.
    busy = busy
      .then(() => (open() ? carryOut(text) : undefined))
      .catch((error: unknown) => sendAway('This could not be carried out now: try again.', error))
      .finally(() => {
        waiting -= 1
      })
  })
  ws.on('pong', () => {
    missed = 0
  })
  // The ws library answers pings; how many it has to answer is limited as all other messages are.
  ws.on('ping', () => {
    if (!ending && tooMany()) close(1008, 'too many pings')
  })
  // The ws library closes with 1009, 1007 or 1002 by itself and then reports it here.
  ws.on('error', () => undefined)
  ws.once('close', () => {
    ending = true
    drop()
    leaveAll()
    account.hold(0)
    onEnd()
  })

  return {
    beat: () => {
      if (missed >= 2) return ws.terminate()
      missed += 1
      if (open()) ws.ping()
    },
    close,
  }
}
