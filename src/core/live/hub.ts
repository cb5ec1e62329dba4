/**
 * The live feed's hub: one tail of the log a node, whatever the number of its listeners. Listeners that would get the same
 * bytes form a group: every member is sent the same buffer, one write a member and turn. Groups that differ by nothing but
 * the id which the client gave its subscription share the filter's run and the encoded event: only the id is set in for
 * each. A listener that resumes is read up from the log and joins its group in the very
 * turn in which it has reached the hub's position: without a gap and without a repeat.
 */
import type { JsonObject, Recorded } from '../../domain/event.ts'
import type { Clock } from '../../ports/clock.ts'
import { tail } from '../consume/tail.ts'
import { type Log, type Place, placeOf } from '../log/log.ts'
import type { BoundedCache } from '../memory/memory.ts'
import { type ListenedTo, type Listener, logOf, type News, scopeOf, type Telling } from './channels.ts'
import type { LiveFilter } from './filter-members.ts'
import { carries } from './filters.ts'
import { openReplays, type ReplayPage } from './replays.ts'
import type { Standings } from './standings.ts'
import type { Around, LiveSink, LiveTransport } from './transport.ts'

export type Subscription = {
  readonly id: string
  readonly channel: ListenedTo
  readonly filter: LiveFilter
  readonly listener: Listener
  /** Everything after this place; absent: from now on. Has to be one of the log's. */
  readonly after?: Place
}

export type LiveStats = {
  readonly subscriptions: number
  readonly groups: number
  /** Subscriptions that are being read up from the log. */
  readonly replays: number
  /** Events read from the log for them since the start, each once however many it was sent to. */
  readonly replayed: number
  readonly position: bigint
  /** Messages given to sinks, each receiver counted. */
  readonly messages: number
}

export type Hub = {
  /** Begins; the function ends it, and repeating it is harmless. undefined: whoever it is counted as resumes as often as allowed. */
  subscribe(subscription: Subscription, sink: LiveSink): (() => void) | undefined
  stats(): LiveStats
  /** Resolves after the signal. */
  readonly done: Promise<void>
}

export type HubOptions = {
  readonly log: Pick<Log, 'subscribe' | 'readAll' | 'types' | 'markAt'>
  readonly clock: Clock
  readonly signal: AbortSignal
  /** The log's head when the hub is opened. */
  readonly from: Place
  readonly tokenOf: (place: Place) => string
  readonly news: readonly News[]
  /** How documents stand now: what is read again from the log is sent as it may be seen now. */
  readonly standings: Standings
  /** Subscriptions at once of one owner that are read up from the log. */
  readonly replays: number
  /** What was read for them a moment ago. */
  readonly pages: BoundedCache<ReplayPage>
  readonly onError: (error: unknown) => void
}

type Member = { readonly sink: LiveSink; after: bigint }
type Audience = Omit<Subscription, 'after' | 'id'> & { readonly transport: LiveTransport }
type Group = Audience & {
  readonly id: string
  /** The id as JSON text. */
  readonly idText: Buffer
  /** Groups that share this text differ by their ids alone. */
  readonly audience: string
  readonly members: Set<Member>
  /** The last token that the members were told. */
  told: bigint
}

/** An event that an audience gets. */
type Found = { readonly at: bigint; readonly around: Around }

const SECOND_MS = 1000
/** Members of quiet groups are told so often how far the log has gone. */
const PROGRESS_TICKS = 5

/** Those who get the same bytes, but for their ids. */
const audienceOf = ({ channel, filter, listener, transport }: Audience): string =>
  JSON.stringify([channel.name, filter, scopeOf(channel, listener), transport.name])

export const openHub = (options: HubOptions): Hub => {
  const { log, clock, signal, tokenOf, onError, standings } = options
  const groups = new Map<string, Group>()
  let here = options.from
  let messages = 0
  let ticks = 0
  let second = { events: 0, types: new Map<string, number>() }

  /** undefined: the audience does not get the event. */
  const encoded = (audience: Audience, event: Recorded, replayed: boolean): Around | undefined => {
    const { channel: listened, filter, listener, transport } = audience
    const { channel, id } = listened
    if (!channel.carried || !carries(channel, filter, event)) return undefined
    const type = log.types.get(event.type)
    const telling: Telling = { event, type, listener, id, replayed, standing: standings.of }
    if (!channel.carried.wants(telling)) return undefined
    const data = channel.carried.data(telling)
    return transport.around({ after: tokenOf(placeOf(event)), type: event.type, at: event.meta.at, data })
  }

  const send = (sink: LiveSink, bytes: Buffer, touched: Set<LiveSink>): void => {
    sink.send(bytes)
    if (sink.alone()) sink.flush()
    else touched.add(sink)
  }

  const give = (group: Group, bytes: Buffer, count: number, touched: Set<LiveSink>): void => {
    for (const { sink } of group.members) send(sink, bytes, touched)
    messages += count * group.members.size
  }

  /** Of one part of the log or one second: what every audience gets, made at the first of its groups. */
  const openShares = <T>() => {
    const made = new Map<string, T>()
    return (group: Group, make: () => T): T => {
      const found = made.get(group.audience) ?? make()
      made.set(group.audience, found)
      return found
    }
  }

  const flush = (touched: ReadonlySet<LiveSink>): void => {
    for (const sink of touched) sink.flush()
  }

  /** One part of the log to one group. Who joined ahead of the tail has had some of it already. */
  const deliver = (group: Group, found: readonly Found[], touched: Set<LiveSink>): void => {
    const frames = found.map(({ at, around }) => ({ at, bytes: group.transport.join(around, group.idText) }))
    const first = frames[0]
    const last = frames.at(-1)
    if (!first || !last) return
    const all = frames.length === 1 ? first.bytes : Buffer.concat(frames.map(each => each.bytes))
    group.told = last.at
    for (const member of group.members) {
      const { sink, after } = member
      const due = after < first.at ? frames : frames.filter(({ at }) => at > after)
      if (due.length === 0) continue
      messages += due.length
      send(sink, due === frames ? all : Buffer.concat(due.map(each => each.bytes)), touched)
    }
  }

  const onEvents = (events: readonly Recorded[]): void => {
    const last = events.at(-1)
    if (!last) return
    standings.note(events)
    const touched = new Set<LiveSink>()
    const shared = openShares<readonly Found[]>()
    for (const group of groups.values()) {
      if (!logOf(group.channel)) continue
      const found = shared(group, () =>
        events.flatMap(event => {
          const around = encoded(group, event, false)
          return around ? [{ at: event.position, around }] : []
        }),
      )
      deliver(group, found, touched)
    }
    here = placeOf(last)
    // Strangers listen: what they may not see does not count either.
    const open = events.filter(each => each.meta.route.visibility === 'public')
    second.events += open.length
    for (const { type } of open) second.types.set(type, (second.types.get(type) ?? 0) + 1)
    flush(touched)
  }

  const isTold = ({ channel, to }: News, group: Group): boolean =>
    group.channel.channel === channel && to(group.listener)

  const tell = (news: News, all: readonly JsonObject[]): void => {
    const { type } = news
    const touched = new Set<LiveSink>()
    const shared = openShares<readonly Around[]>()
    const [at, after] = [clock.now().toISOString(), tokenOf(here)]
    for (const group of groups.values()) {
      if (!isTold(news, group)) continue
      const due = shared(group, () =>
        all
          .filter(data => Object.entries(group.filter).every(([member, value]) => data[member] === value))
          .map(data => group.transport.around({ after, type, at, data })),
      )
      const frames = due.map(each => group.transport.join(each, group.idText))
      if (frames.length > 0) give(group, Buffer.concat(frames), frames.length, touched)
    }
    flush(touched)
  }

  const progress = (): void => {
    const { position } = here
    const touched = new Set<LiveSink>()
    for (const group of groups.values()) {
      if (!logOf(group.channel) || group.told >= position) continue
      group.told = position
      const bytes = group.transport.encode({ op: 'caught-up', id: group.id, after: tokenOf(here) })
      // Who joined ahead of the tail is farther than this: told so, they would resume from where they have been.
      for (const { sink, after } of group.members) {
        if (after > position) continue
        messages += 1
        send(sink, bytes, touched)
      }
    }
    flush(touched)
  }

  const isHeard = (news: News): boolean => groups.values().some(group => isTold(news, group))

  const beat = async (): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(SECOND_MS, signal)
      if (signal.aborted) return
      const { events, types } = second
      second = { events: 0, types: new Map() }
      const passed = { events, types: Object.fromEntries(types) }
      try {
        for (const news of options.news) if (isHeard(news)) tell(news, await news.tell(passed))
        ticks += 1
        if (ticks % PROGRESS_TICKS === 0) progress()
      } catch (error) {
        onError(error)
      }
    }
  }

  const join = (subscription: Subscription, sink: LiveSink, after: bigint): (() => void) => {
    const { id, channel, filter, listener } = subscription
    const audience = audienceOf({ channel, filter, listener, transport: sink.transport })
    const idText = JSON.stringify(id)
    const key = `${audience}${idText}`
    const group = groups.get(key) ?? {
      id,
      idText: Buffer.from(idText),
      audience,
      channel,
      filter,
      listener,
      transport: sink.transport,
      told: here.position,
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

  const say = (op: 'subscribed' | 'caught-up', id: string, at: Place, sink: LiveSink): void => {
    sink.send(sink.transport.encode({ op, id, after: tokenOf(at) }))
    messages += 1
  }

  const replays = openReplays({
    log,
    clock,
    signal,
    standings,
    here: () => here.position,
    pages: options.pages,
    most: options.replays,
    onError,
  })

  const subscribe = (subscription: Subscription, sink: LiveSink): (() => void) | undefined => {
    const { id, channel, filter, listener, after } = subscription
    const carried = logOf(channel)
    const from = after === undefined || !carried ? here : after
    const isBehind = carried && from.position < here.position
    if (isBehind && !replays.hasRoom(sink.owner)) return undefined
    say('subscribed', id, from, sink)
    if (!isBehind) {
      say('caught-up', id, from, sink)
      sink.flush()
      return join(subscription, sink, from.position)
    }
    sink.flush()
    let joined: (() => void) | undefined
    const audience: Audience = { channel, filter, listener, transport: sink.transport }
    const leave = replays.begin({
      sink,
      from,
      filter: carried,
      audience: audienceOf(audience),
      idText: Buffer.from(JSON.stringify(id)),
      encoded: event => encoded(audience, event, true),
      settle: at => {
        joined = join(subscription, sink, at.position)
        say('caught-up', id, at, sink)
        sink.flush()
      },
    })
    return () => {
      leave()
      joined?.()
    }
  }

  const tailing = tail({ log, clock, signal, from: options.from.position, filter: {}, onEvents, onError })
  const done = Promise.all([tailing, beat()]).then(() => undefined)
  return {
    subscribe,
    stats: () => {
      const { waiting, read, messages: replayed } = replays.stats()
      return {
        groups: groups.size,
        replays: waiting,
        replayed: read,
        position: here.position,
        messages: messages + replayed,
        subscriptions: [...groups.values()].reduce((sum, { members }) => sum + members.size, waiting),
      }
    },
    done,
  }
}
