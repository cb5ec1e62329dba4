/**
 * The live feed's hub: one tail of the log a node, whatever the number of its listeners. Listeners that would get the same
 * bytes form a group: a group's filter runs once an event, its message is encoded once, and every member is sent the same
 * buffer, one write a member and turn. A listener that resumes is read up from the log and joins its group in the very
 * turn in which it has reached the hub's position: without a gap and without a repeat.
 */
import type { JsonObject, Recorded } from '../domain/event.ts'
import { type Log, UndecodableEventError } from '../log/log.ts'
import type { Clock } from '../ports/clock.ts'
import { type ChannelName, channelOf, dataOf, type Listener, type LiveFilter, scopeOf, wants } from './live-channels.ts'
import { openTurns } from './live-turns.ts'
import { tail } from './tail.ts'

export type LiveMessage =
  | { readonly op: 'subscribed' | 'caught-up'; readonly id: string; readonly after: string }
  | {
      readonly op: 'event'
      readonly id: string
      readonly after: string
      readonly type: string
      readonly at: string
      readonly data: JsonObject
    }

/** How messages become bytes; one object a kind of transport, since groups are told apart by it. */
export type LiveTransport = { readonly name: string; readonly encode: (message: LiveMessage) => Buffer }

/** Where bytes go. The sink keeps its own bound: it ends itself when its reader is too slow. */
export type LiveSink = {
  readonly transport: LiveTransport
  /** Takes bytes to be written at `flush`. */
  send(bytes: Buffer): void
  flush(): void
  /** So much waits to be read that a catch-up should pause. */
  full(): boolean
  /** Resolves true once it is not full; false when it ended, or its reader took nothing for too long. */
  drained(): Promise<boolean>
  /** The reader is too slow. */
  tooSlow(): void
}

export type LiveSubscription = {
  readonly id: string
  readonly channel: ChannelName
  readonly filter: LiveFilter
  readonly listener: Listener
  /** Everything after this position; absent: from now on. Has to be one that the log has reached. */
  readonly after?: bigint
}

export type LiveStats = {
  readonly subscriptions: number
  readonly groups: number
  readonly catchingUp: number
  readonly position: bigint
  /** Messages given to sinks, each receiver counted. */
  readonly messages: number
}

export type LiveHub = {
  /** Begins; the function ends it, and repeating it is harmless. */
  subscribe(subscription: LiveSubscription, sink: LiveSink): () => void
  stats(): LiveStats
  /** Resolves after the signal. */
  readonly done: Promise<void>
}

/** What the channel `projections` tells of one, every second. */
export type ProjectionNews = JsonObject & { readonly name: string }

export type LiveOptions = {
  readonly log: Pick<Log, 'subscribe' | 'readAll' | 'types'>
  readonly clock: Clock
  readonly signal: AbortSignal
  /** The log's head when the hub is opened. */
  readonly from: bigint
  readonly tokenOf: (position: bigint) => string
  readonly projections: () => Promise<readonly ProjectionNews[]>
  /** The day's figures, for those on `activity` who may read analytics. */
  readonly figures: () => Promise<JsonObject>
  /** Whose text was removed: what is read again from the log is sent without it. */
  readonly removals: { refresh(): Promise<void>; has(stream: string): boolean }
  readonly onError: (error: unknown) => void
}

type Member = { readonly sink: LiveSink; after: bigint }
type Group = Omit<LiveSubscription, 'after'> & {
  readonly transport: LiveTransport
  readonly members: Set<Member>
  /** The last token that the members were told. */
  told: bigint
}

const CATCH_UPS_AT_ONCE = 4
const SECOND_MS = 1000
/** Members of quiet groups are told so often how far the log has gone. */
const PROGRESS_TICKS = 5

export const openLiveHub = (options: LiveOptions): LiveHub => {
  const { log, clock, signal, tokenOf, onError } = options
  const groups = new Map<string, Group>()
  const turns = openTurns(CATCH_UPS_AT_ONCE)
  let position = options.from
  let messages = 0
  let catchingUp = 0
  let ticks = 0
  let second = { events: 0, types: new Map<string, number>() }

  const encoded = (of: Pick<Group, 'id' | 'channel' | 'listener' | 'transport'>, event: Recorded): Buffer =>
    of.transport.encode({
      ...{ op: 'event', id: of.id, after: tokenOf(event.position), type: event.type, at: event.meta.at },
      data: dataOf(of.channel, of.listener, event, log.types, options.removals.has(event.stream)),
    })

  const give = (group: Group, bytes: Buffer, count: number, touched: Set<LiveSink>): void => {
    for (const { sink } of group.members) {
      sink.send(bytes)
      touched.add(sink)
    }
    messages += count * group.members.size
  }

  const flush = (touched: ReadonlySet<LiveSink>): void => {
    for (const sink of touched) sink.flush()
  }

  /** One part of the log to one group. Who joined ahead of the tail has had some of it already. */
  const deliver = (group: Group, events: readonly Recorded[], touched: Set<LiveSink>): void => {
    const frames = events
      .filter(event => wants(group.channel, group.filter, group.listener, event))
      .map(event => ({ at: event.position, bytes: encoded(group, event) }))
    const first = frames[0]
    const last = frames.at(-1)
    if (!first || !last) return
    const all = frames.length === 1 ? first.bytes : Buffer.concat(frames.map(each => each.bytes))
    group.told = last.at
    for (const member of group.members) {
      const { sink, after } = member
      if (after < first.at) {
        sink.send(all)
        messages += frames.length
      } else
        for (const { at, bytes } of frames) {
          if (at <= after) continue
          sink.send(bytes)
          messages += 1
        }
      touched.add(sink)
    }
  }

  const onEvents = (events: readonly Recorded[]): void => {
    const last = events.at(-1)
    if (!last) return
    const touched = new Set<LiveSink>()
    for (const group of groups.values()) if (channelOf(group.channel).log) deliver(group, events, touched)
    position = last.position
    second.events += events.length
    for (const { type } of events) second.types.set(type, (second.types.get(type) ?? 0) + 1)
    flush(touched)
  }

  const news = (
    channel: 'activity' | 'projections',
    type: string,
    all: readonly JsonObject[],
    to: (listener: Listener) => boolean = () => true,
  ): void => {
    const touched = new Set<LiveSink>()
    const at = clock.now().toISOString()
    for (const group of groups.values()) {
      if (group.channel !== channel || !to(group.listener)) continue
      const due = all.filter(data => group.filter['name'] === undefined || data['name'] === group.filter['name'])
      const message = (data: JsonObject) =>
        group.transport.encode({ op: 'event', id: group.id, after: tokenOf(position), type, at, data })
      if (due.length > 0) give(group, Buffer.concat(due.map(message)), due.length, touched)
    }
    flush(touched)
  }

  const progress = (): void => {
    const touched = new Set<LiveSink>()
    for (const group of groups.values()) {
      if (!channelOf(group.channel).log || group.told >= position) continue
      group.told = position
      give(group, group.transport.encode({ op: 'caught-up', id: group.id, after: tokenOf(position) }), 1, touched)
    }
    flush(touched)
  }

  const listened = (channel: ChannelName, by: (listener: Listener) => boolean = () => true): boolean =>
    [...groups.values()].some(group => group.channel === channel && by(group.listener))
  const readsAnalytics = ({ permissions }: Listener): boolean => permissions.has('analytics:read')

  const beat = async (): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(SECOND_MS, signal)
      if (signal.aborted) return
      const { events, types } = second
      second = { events: 0, types: new Map() }
      try {
        news('activity', 'Activity', [{ seconds: 1, events, types: Object.fromEntries(types) }])
        if (listened('activity', readsAnalytics))
          news('activity', 'Analytics', [await options.figures()], readsAnalytics)
        if (listened('projections')) news('projections', 'ProjectionProgress', await options.projections())
        ticks += 1
        if (ticks % PROGRESS_TICKS === 0) progress()
      } catch (error) {
        onError(error)
      }
    }
  }

  const join = (subscription: LiveSubscription, sink: LiveSink, after: bigint): (() => void) => {
    const { id, channel, filter, listener } = subscription
    const key = JSON.stringify([channel, filter, id, scopeOf(listener, channel), sink.transport.name])
    const group = groups.get(key) ?? {
      ...{ id, channel, filter, listener, transport: sink.transport, told: position },
      members: new Set<Member>(),
    }
    groups.set(key, group)
    const member = { sink, after }
    group.members.add(member)
    return () => {
      group.members.delete(member)
      if (group.members.size === 0 && groups.get(key) === group) groups.delete(key)
    }
  }

  const say = (op: 'subscribed' | 'caught-up', id: string, at: bigint, sink: LiveSink): void => {
    sink.send(sink.transport.encode({ op, id, after: tokenOf(at) }))
    messages += 1
  }

  /**
   * Reads the log to one listener until it is where the hub is. Only a few read at once; one whose reader does not keep
   * up gives its turn and its page away and reads again from where it was, so that nobody waits for it.
   */
  const catchUp = async (subscription: LiveSubscription, sink: LiveSink, from: bigint, ended: () => boolean) => {
    const { id, channel, filter, listener } = subscription
    let at = from
    const part = async (): Promise<void> => {
      for await (const batch of log.readAll(at, channelOf(channel).log)) {
        await options.removals.refresh()
        for (const event of batch.events) {
          if (ended() || sink.full()) break
          at = event.position
          if (!wants(channel, filter, listener, event)) continue
          sink.send(encoded({ id, channel, listener, transport: sink.transport }, event))
          messages += 1
        }
        sink.flush()
        if (ended() || sink.full()) return
        at = batch.position
      }
    }
    while (!ended()) {
      if (at >= position) return at
      await turns.take(part)
      if (sink.full() && !(await sink.drained())) {
        if (!ended()) sink.tooSlow()
        return undefined
      }
    }
    return undefined
  }

  const subscribe = (subscription: LiveSubscription, sink: LiveSink): (() => void) => {
    const { id, channel, after } = subscription
    const from = after === undefined || !channelOf(channel).log ? position : after
    let ended = false
    let leave: () => void = () => undefined
    const settle = (at: bigint): void => {
      leave = join(subscription, sink, at)
      say('caught-up', id, at, sink)
      sink.flush()
    }
    say('subscribed', id, from, sink)
    if (from >= position) settle(from)
    else {
      catchingUp += 1
      sink.flush()
      void catchUp(subscription, sink, from, () => ended || signal.aborted)
        .then(at => {
          if (at !== undefined && !ended) settle(at)
        })
        .catch((error: unknown) => {
          // The client is sent away with a code that says: try again.
          if (!(error instanceof UndecodableEventError) || !ended) onError(error)
          if (!ended) sink.tooSlow()
        })
        .finally(() => {
          catchingUp -= 1
        })
    }
    return () => {
      ended = true
      leave()
    }
  }

  const tailing = tail({ log, clock, signal, from: options.from, filter: {}, onEvents, onError })
  const done = Promise.all([tailing, beat()]).then(() => undefined)
  return {
    subscribe,
    stats: () => ({
      ...{ groups: groups.size, catchingUp, position, messages },
      subscriptions: [...groups.values()].reduce((sum, { members }) => sum + members.size, catchingUp),
    }),
    done,
  }
}
