/**
 * Replays: subscriptions that resume are read up from the log until they are where the tail is. For each kind of them, which is what
 * their channels carry, a node has one reader, and whoever is at the part of the log that it reads is sent it, whosever turn it is: a
 * thousand that resume at one place are one pass over the log. Owners take turns; the turn of one goes to its subscription that is
 * furthest back, so that it meets the others.
 */
import type { Recorded } from '../../domain/event.ts'
import { openTurns, type Turns } from '../../domain/turns.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LogFilter } from '../../ports/event-store.ts'
import { type Log, type Place, placeAfter, placeOf, UndecodableEventError } from '../log/log.ts'
import type { BoundedCache } from '../memory/memory.ts'
import type { Standings } from './standings.ts'
import type { Around, LiveSink } from './transport.ts'

/** A subscription that resumes. */
export type Replay = {
  readonly sink: LiveSink
  /** What of the log its channel carries. */
  readonly filter: LogFilter
  /** Replays of one audience are sent the same, but for their ids. */
  readonly audience: string
  /** The id as JSON text. */
  readonly idText: Buffer
  readonly from: Place
  /** What the audience gets of an event; undefined: nothing. */
  readonly encoded: (event: Recorded) => Around | undefined
  /** It is where the tail is: it joins there, in the same turn. */
  readonly settle: (at: Place) => void
}

/** A part of the log as one kind of replay reads it: what comes after `from`, up to `to`. */
export type ReplayPage = {
  readonly from: bigint
  readonly to: bigint
  readonly events: readonly Recorded[]
  readonly readAt: number
}

const EVENT_BYTES = 600
const CHARACTER_BYTES = 2

/** Bytes that a page takes, about. */
export const replayPageBytes = ({ events }: ReplayPage): number =>
  events.reduce((sum, { data }) => sum + EVENT_BYTES + CHARACTER_BYTES * JSON.stringify(data).length, 0)

export type ReplayStats = {
  /** Replays that are under way. */
  readonly waiting: number
  /** Events read from the log for replays since the start, each once however many it was sent to. */
  readonly read: number
  /** Messages given to sinks. */
  readonly messages: number
}

export type Replays = {
  /** May one more of this owner begin? */
  hasRoom(owner: string): boolean
  /** Begins one; the function ends it, and repeating it is harmless. */
  begin(replay: Replay): () => void
  stats(): ReplayStats
}

export type ReplaysOptions = {
  readonly log: Pick<Log, 'readAll' | 'markAt'>
  readonly clock: Pick<Clock, 'monotonic'>
  readonly signal: AbortSignal
  readonly standings: Pick<Standings, 'refresh'>
  /** Where the tail is. */
  readonly here: () => bigint
  /** Pages that were read a moment ago, for those who come to them a moment later. */
  readonly pages: BoundedCache<ReplayPage>
  /** At once of one owner. */
  readonly most: number
  readonly onError: (error: unknown) => void
}

/** For so long one owner's turn lasts. */
const TURN_MS = 20
/** After so long others of the process have their turn. */
const SLICE_MS = 5
/** So long a page is kept at most: what was removed since is not to be read for long. */
const PAGE_MS = 1000

type Going = Replay & {
  readonly kind: string
  position: bigint
  /** Where its position is that of an event or of the end of a page at the tail. */
  place: Place | undefined
  /** Where the page begins within which its reader was full. */
  page: bigint | undefined
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

export const openReplays = (options: ReplaysOptions): Replays => {
  const { log, clock, signal, standings, here, pages, most, onError } = options
  /** All of them by owner; `waiting` are those whose readers take more. */
  const owners = new Map<string, Set<Going>>()
  const waiting = new Set<Going>()
  const turns = new Map<string, Turns>()
  /** Owners whose turns are asked for, by kind. */
  const serving = new Set<string>()
  const draining = new Map<LiveSink, Promise<boolean>>()
  let [count, read, messages] = [0, 0, 0]

  const ofOwner = (owner: string, kind: string): readonly Going[] =>
    [...(owners.get(owner) ?? [])].filter(going => going.kind === kind && waiting.has(going))

  const leave = (going: Going): boolean => {
    const { owner } = going.sink
    const own = owners.get(owner)
    waiting.delete(going)
    if (!own?.delete(going)) return false
    count -= 1
    if (own.size === 0) owners.delete(owner)
    return true
  }
  const sendAway = (going: Going): void => {
    if (leave(going)) going.sink.tooSlow()
  }
  /** Has it come to the tail? Nothing else can happen between this look and its joining. */
  const settled = (going: Going): boolean => {
    const { place, position } = going
    if (!place || position < here()) return false
    if (leave(going)) going.settle(place)
    return true
  }

  const keptAt = (kind: string, from: bigint): ReplayPage | undefined => {
    const page = pages.get(`${kind} ${from}`)
    return page && clock.monotonic() - page.readAt < PAGE_MS ? page : undefined
  }
  async function* pagesFrom({ kind, filter }: Going, from: bigint): AsyncGenerator<ReplayPage> {
    for (let at = from, isMore = true; isMore; ) {
      isMore = false
      for (let page = keptAt(kind, at); page; page = keptAt(kind, at)) {
        yield page
        at = page.to
      }
      for await (const { events, position } of log.readAll(at, filter)) {
        read += events.length
        if (position <= at) continue
        const page = { from: at, to: position, events, readAt: clock.monotonic() }
        pages.set(`${kind} ${at}`, page)
        yield page
        at = position
        isMore = keptAt(kind, at) !== undefined
        if (isMore) break
      }
    }
  }

  /** Its reader has enough for now: it gives its place away, and comes back when there is room. */
  const pause = (going: Going): void => {
    const { sink } = going
    waiting.delete(going)
    const drained = draining.get(sink) ?? sink.drained().finally(() => draining.delete(sink))
    draining.set(sink, drained)
    void drained.then(
      isOpen => {
        if (isOpen) wait(going)
        else sendAway(going)
      },
      (error: unknown) => {
        onError(error)
        sendAway(going)
      },
    )
  }

  /** `made`: what the audience gets of the page, by the places of its events; false: nothing. */
  const deliver = (
    going: Going,
    { page, place, made }: { page: ReplayPage; place: Place | undefined; made: (Around | false)[] },
  ): void => {
    const { sink, idText } = going
    let isWhole = true
    let last: Recorded | undefined
    for (const [at, event] of page.events.entries()) {
      if (event.position <= going.position) continue
      isWhole = !sink.full()
      if (!isWhole) break
      last = event
      const around = made[at] ?? going.encoded(event) ?? false
      made[at] = around
      if (around === false) continue
      sink.send(sink.transport.join(around, idText))
      messages += 1
    }
    sink.flush()
    going.position = isWhole ? page.to : (last?.position ?? going.position)
    going.place = isWhole ? place : last ? placeOf(last) : going.place
    going.page = isWhole ? undefined : page.from
    if (!waiting.has(going)) return
    if (sink.full()) pause(going)
    else settled(going)
  }

  /** One page to all that are within it. */
  const handOut = async (kind: string, page: ReplayPage): Promise<void> => {
    await standings.refresh()
    // Who comes to the tail by this page needs to know what stands there.
    const place = page.to >= here() ? await placeAfter(log, { events: page.events, position: page.to }) : undefined
    const isWithin = (going: Going): boolean =>
      going.kind === kind && waiting.has(going) && going.position >= page.from && going.position < page.to
    const audiences = Map.groupBy([...waiting].filter(isWithin), ({ audience }) => audience)
    let since = clock.monotonic()
    for (const audience of audiences.values()) {
      const made: (Around | false)[] = []
      for (const going of audience) {
        if (clock.monotonic() - since >= SLICE_MS) {
          await turn()
          since = clock.monotonic()
        }
        // Meanwhile it may have left, or another reader has brought it on.
        if (isWithin(going)) deliver(going, { page, place, made })
      }
    }
  }

  const pass = async (owner: string, kind: string, reached: (position: bigint) => void): Promise<void> => {
    const lead = ofOwner(owner, kind).reduce<Going | undefined>(
      (back, going) => (back && back.position <= going.position ? back : going),
      undefined,
    )
    if (!lead || settled(lead)) return
    const { page } = lead
    const until = clock.monotonic() + TURN_MS
    const from = page !== undefined && keptAt(kind, page) ? page : lead.position
    reached(from)
    for await (const next of pagesFrom(lead, from)) {
      await handOut(kind, next)
      reached(next.to)
      const isDone = !ofOwner(owner, kind).some(({ position }) => position === next.to)
      if (isDone || signal.aborted || clock.monotonic() >= until) return
    }
  }

  /** As the tail: what this build cannot read is passed over, and the rest goes on. @throws what is not of that kind. */
  const passOver = async (kind: string, at: bigint, error: unknown): Promise<void> => {
    if (!(error instanceof UndecodableEventError) || error.event.position <= at) throw error
    onError(error)
    const { position } = error.event
    const place = { position, mark: await log.markAt(position) }
    for (const going of [...waiting]) {
      if (going.kind !== kind || going.position < at || going.position >= position) continue
      Object.assign(going, { position, place, page: undefined })
      settled(going)
    }
  }

  const serve = async (owner: string, kind: string): Promise<void> => {
    const name = `${kind} ${owner}`
    if (serving.has(name)) return
    serving.add(name)
    const line = turns.get(kind) ?? openTurns(1, 1)
    turns.set(kind, line)
    // Many come at once, after a restart or of one socket: the first of them waits for those of the same moment.
    await turn()
    while (!signal.aborted && ofOwner(owner, kind).length > 0)
      await line.take(owner, async () => {
        let at = -1n
        const reached = (position: bigint): void => {
          at = position
        }
        try {
          await pass(owner, kind, reached)
        } catch (fault) {
          await passOver(kind, at, fault).catch((error: unknown) => {
            // They are sent away with a code that says: try again.
            onError(error)
            for (const going of [...waiting]) if (going.kind === kind && going.position === at) sendAway(going)
          })
        }
      })
    serving.delete(name)
  }
  const wait = (going: Going): void => {
    const { owner } = going.sink
    if (!owners.get(owner)?.has(going)) return
    waiting.add(going)
    void serve(owner, going.kind)
  }

  return {
    hasRoom: owner => (owners.get(owner)?.size ?? 0) < most,
    begin: replay => {
      const { owner } = replay.sink
      const own = owners.get(owner) ?? new Set()
      const { from, filter } = replay
      const kind = JSON.stringify([filter.categories, filter.types])
      const going: Going = { ...replay, kind, position: from.position, place: from, page: undefined }
      owners.set(owner, own.add(going))
      count += 1
      wait(going)
      return () => void leave(going)
    },
    stats: () => ({ waiting: count, read, messages }),
  }
}
