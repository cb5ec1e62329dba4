/** Reading the history: pages of it by any filter, all of it as a stream, one event, one stream. */

import { atOf } from '../core/log/codec.ts'
import type { Line, Records, Sight, Transcript } from '../core/log/transcript.ts'
import type { View } from '../core/project/view.ts'
import type { Reader } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import type { JsonObject } from '../domain/event.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import type { LoggedEvent } from '../ports/event-store.ts'
import type { Condition } from '../ports/read-store.ts'
import {
  AFTER_ALL,
  CLOCK_ID,
  concernKey,
  eventKey,
  historyId,
  historyKey,
  historyPosition,
} from '../projections/history.ts'

/** What reading the history is refused for. */
export type HistoryRefusal = 'event-not-found' | 'stream-not-found'

/** Every member narrows. Positions exclude themselves; `from` is included, `to` is not. */
export type HistoryQuestion = {
  readonly stream?: string
  readonly category?: string
  readonly type?: string
  readonly actorKind?: string
  readonly actor?: string
  readonly correlationId?: string
  /** What concerns this account and was done by somebody else, of these types. */
  readonly concerning?: { readonly id: string; readonly types: readonly string[] }
  readonly from?: Date
  readonly to?: Date
  readonly after?: bigint
  readonly before?: bigint
  readonly order: 'asc' | 'desc'
}

/**
 * Where a page goes on: the position last looked at, and the first one beyond what the first page reflected. So the pages
 * come to an end, although reading them may itself be recorded.
 */
export type HistoryPlace = { readonly at: bigint; readonly end: bigint }

/** `next`: where the next page goes on, undefined at the end. `position`: what the page reflects. */
export type HistoryPage<Place = HistoryPlace> = {
  readonly lines: readonly Line[]
  readonly next: Place | undefined
  readonly position: bigint
}
/** Some of a stream; `position` is how far the log has been considered with it. */
export type HistoryChunk = { readonly lines: readonly Line[]; readonly position: bigint }

export type HistoryDeps = {
  readonly records: Records
  readonly transcript: Transcript
  readonly view: View<JsonObject>
  /** The event types of each category of streams. */
  readonly types: ReadonlyMap<string, readonly string[]>
}

/** `own`: the name of the reader's own key. */
export type HistoryReader = Reader & { readonly own?: string }

export const sightOf = ({ permissions, own }: HistoryReader): Sight => ({
  ...defined({ own }),
  text: permissions.has('events:read-text'),
  personal: permissions.has('events:read-personal'),
})

/** Characters of events after which a page ends short: of the largest possible events a page would have 100 MB. */
const PAGE_CHARACTERS = 4_000_000
/** Events read at once by their positions. */
const GROUP = 16
/** Events whose ids share their first 48 bits: with any number of events that anybody has, two at most. */
const SAME_KEY = 16
/** Documents of the read model that a stream takes at once. */
const STREAM_PAGE = 256

type Bounds = { readonly low: bigint; readonly high: bigint | undefined }

const least = (a: bigint | undefined, b: bigint | undefined): bigint | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a

const typesOf = (question: HistoryQuestion, types: HistoryDeps['types']): readonly string[] | undefined => {
  const { category, type, concerning } = question
  if (concerning) return concerning.types.filter(each => type === undefined || each === type)
  if (category === undefined) return type === undefined ? undefined : [type]
  const all = types.get(category) ?? []
  return type === undefined ? all : all.filter(each => each === type)
}

const conditionsOf = (question: HistoryQuestion, types: readonly string[] | undefined): readonly Condition[] => {
  const { stream, actorKind, actor, correlationId, concerning } = question
  const equals = (member: string, value: string | number | undefined): readonly Condition[] =>
    value === undefined ? [] : [{ member, op: 'eq', value }]
  const [only] = types ?? []
  return [
    ...(concerning ? [{ member: 'concerns', op: 'any' as const, value: [concernKey(concerning.id)] }] : []),
    ...equals('stream', stream && historyKey(stream)),
    ...equals('correlation', correlationId && historyKey(correlationId)),
    ...(types?.length === 1 ? equals('type', only) : []),
    ...(types && types.length > 1 ? [{ member: 'type', op: 'in' as const, value: types }] : []),
    ...equals('actor', actor && historyKey(actor)),
    ...equals('kind', actorKind),
  ]
}

const metaOf = (
  event: LoggedEvent,
): { readonly actor?: JsonObject; readonly route?: JsonObject; readonly correlationId?: unknown } => {
  try {
    return JSON.parse(event.meta)
  } catch {
    return {}
  }
}

/** Found by the hash of a text: is it the text? */
const answers = (question: HistoryQuestion) => {
  const { stream, actor, actorKind, correlationId, concerning } = question
  const concerned = concerning?.id
  const within = inTime(question)
  return (event: LoggedEvent): boolean => {
    // Nobody can say what it was: who asks for what may be it is told that it is there.
    if (event.damaged) return true
    if ((stream !== undefined && event.stream !== stream) || !within(event)) return false
    if ([actor, actorKind, correlationId, concerned].every(each => each === undefined)) return true
    const meta = metaOf(event)
    return (
      (concerned === undefined || meta.route?.['owner'] === concerned) &&
      (actor === undefined || meta.actor?.['id'] === actor) &&
      (actorKind === undefined || meta.actor?.['kind'] === actorKind) &&
      (correlationId === undefined || meta.correlationId === correlationId)
    )
  }
}

/** The times of events are all of one form, in which they sort as texts. */
const inTime = ({ from, to }: HistoryQuestion) => {
  const [low, high] = [from?.toISOString(), to?.toISOString()]
  return ({ meta }: LoggedEvent): boolean => {
    if (low === undefined && high === undefined) return true
    const at = atOf(meta)
    return (low === undefined || at >= low) && (high === undefined || at < high)
  }
}

const nothing = (): Refusal => refuse('event-not-found', 'There is no such event.')

export const openHistory = (deps: HistoryDeps) => {
  const { records, transcript, view } = deps

  const edge = async (condition: Condition, backwards: boolean): Promise<bigint | undefined> => {
    const page = await view.find({ where: [condition], order: ['at'], backwards, limit: 1 })
    const [found] = page.documents
    return found && historyPosition(found.id)
  }

  /**
   * Positions between which a span of time lies. Events are not in the order of their times, where the clocks of nodes differ or
   * were set back: with W as the most that one was ever behind, everything up to the last event of a time before `from - W` is of
   * before `from`, and everything beyond an event of the time `to + W` is of `to` or later. In the order of their times, W is 0.
   */
  const boundsOf = async ({ from, to, after, before }: HistoryQuestion): Promise<Bounds> => {
    if (!from && !to) return { low: after ?? 0n, high: before }
    const clock = (await view.get([CLOCK_ID])).get(CLOCK_ID)?.body
    const behind = typeof clock?.['behind'] === 'number' ? clock['behind'] : 0
    const low = from && (await edge({ member: 'at', op: 'range', lt: from.getTime() - behind }, true))
    const high = to && (await edge({ member: 'at', op: 'range', gte: to.getTime() + behind }, false))
    const lows = [0n, low ?? 0n, after ?? 0n]
    return { low: lows.reduce((a, b) => (a > b ? a : b)), high: least(high, before) }
  }

  /** Positions that the read model finds from a place on, the place excluded, and where to go on. */
  const find = async (question: HistoryQuestion, bounds: Bounds, place: bigint | undefined, limit: number) => {
    const types = typesOf(question, deps.types)
    const backwards = question.order === 'desc'
    const none = { positions: [], next: undefined }
    if (types?.length === 0) return none
    const start = backwards ? least(place, bounds.high) : [place ?? 0n, bounds.low].reduce((a, b) => (a > b ? a : b))
    const page = await view.find({
      where: conditionsOf(question, types),
      order: [],
      backwards,
      limit,
      after: [start === undefined ? AFTER_ALL : historyId(start)],
    })
    const inside = (position: bigint): boolean =>
      backwards ? position > bounds.low : bounds.high === undefined || position < bounds.high
    const isEvent = (id: unknown): id is string => typeof id === 'string' && id < AFTER_ALL
    const positions = page.documents.flatMap(({ id }) => (isEvent(id) ? [historyPosition(id)] : [])).filter(inside)
    const last = page.next?.at(-1)
    const next = isEvent(last) ? historyPosition(last) : undefined
    return { positions, next: next !== undefined && inside(next) ? next : undefined }
  }

  /** The event with this id, and the position up to which it was looked for. */
  const byId = async (id: string): Promise<{ readonly event?: LoggedEvent; readonly position: bigint }> => {
    const condition = { member: 'event', op: 'eq', value: eventKey(id) } as const
    const page = await view.find({ where: [condition], order: [], limit: SAME_KEY })
    const events = await records.readAt(page.documents.map(each => historyPosition(each.id)))
    const event = events.find(each => each.id === id) ?? events.find(each => each.damaged)
    return { position: page.position, ...defined({ event }) }
  }

  /** The events at the positions, some at a time, that answer the question. */
  const fetch = async function* (question: HistoryQuestion, positions: readonly bigint[]) {
    const fits = answers(question)
    for (let at = 0; at < positions.length; at += GROUP) {
      const events = await records.readAt(positions.slice(at, at + GROUP))
      yield events.filter(fits)
    }
  }

  /** One page. `place` is `next` of the page before. @throws {ProjectionError} */
  const page = async (
    question: HistoryQuestion,
    paging: { readonly limit: number; readonly place?: HistoryPlace },
    reader: HistoryReader,
  ): Promise<HistoryPage> => {
    await view.ready()
    const position = view.position()
    const end = paging.place?.end ?? position + 1n
    const bounds = await boundsOf({ ...question, before: least(question.before, end) ?? end })
    const { positions, next } = await find(question, bounds, paging.place?.at, paging.limit)
    const goOn = (at: bigint | undefined): HistoryPlace | undefined => (at === undefined ? undefined : { at, end })
    const lines: Line[] = []
    let characters = 0
    for await (const events of fetch(question, positions)) {
      lines.push(...(await transcript.write(events, sightOf(reader), true)))
      characters += events.reduce((sum, each) => sum + each.data.length, 0)
      const last = lines.at(-1)
      if (characters > PAGE_CHARACTERS && last) {
        const cut = last.position === positions.at(-1) ? next : last.position
        return { lines, next: goOn(cut), position }
      }
    }
    return { lines, next: goOn(next), position }
  }

  /** Straight from the log: what its own filter can answer, in its own order. */
  const fromLog = async function* (question: HistoryQuestion, reader: HistoryReader): AsyncGenerator<HistoryChunk> {
    const types = typesOf(question, deps.types)
    const { low, high } = await boundsOf(question)
    const end = least(high, (await records.head()) + 1n) ?? 1n
    const sight = sightOf(reader)
    const within = inTime(question)
    const timed = question.from !== undefined || question.to !== undefined
    if (types?.length === 0 || low + 1n >= end) return yield { lines: [], position: end - 1n }
    for await (const batch of records.readAll(low, types && { types })) {
      const over = batch.position >= end
      const due = over || timed ? batch.events.filter(each => each.position < end && within(each)) : batch.events
      yield { lines: await transcript.write(due, sight, false), position: over ? end - 1n : batch.position }
      if (over) return
    }
  }

  const fromModel = async function* (question: HistoryQuestion, reader: HistoryReader): AsyncGenerator<HistoryChunk> {
    await view.ready()
    const reflects = view.position()
    const bounds = await boundsOf({ ...question, before: least(question.before, reflects + 1n) ?? reflects })
    const sight = sightOf(reader)
    let place: bigint | undefined
    do {
      const found = await find(question, bounds, place, STREAM_PAGE)
      for await (const events of fetch(question, found.positions)) {
        const last = events.at(-1)
        if (last) yield { lines: await transcript.write(events, sight, false), position: last.position }
      }
      place = found.next
      if (place !== undefined) yield { lines: [], position: place }
    } while (place !== undefined)
    yield { lines: [], position: question.order === 'asc' ? (bounds.high ?? reflects + 1n) - 1n : bounds.low }
  }

  return {
    page,
    /**
     * Everything up to what was the head when it began, some at a time: the caller asks for more when it can take more.
     * @throws {ProjectionError} {EventStoreError}
     */
    stream: (question: HistoryQuestion, reader: HistoryReader): AsyncGenerator<HistoryChunk> =>
      question.order === 'asc' &&
      question.stream === undefined &&
      question.actor === undefined &&
      question.actorKind === undefined &&
      question.correlationId === undefined &&
      question.concerning === undefined
        ? fromLog(question, reader)
        : fromModel(question, reader),
    /** One event by its id. @throws {ProjectionError} */
    event: async (
      id: string,
      reader: HistoryReader,
    ): Promise<{ readonly line: Line; readonly stream: string; readonly position: bigint } | Refusal> => {
      const position = await records.head()
      const first = await byId(id)
      // What came last may not be in the read model yet: nobody is told that an event is not there before it is.
      if (!first.event && first.position < position) await view.waitFor(position)
      const found = first.event ?? (first.position < position ? (await byId(id)).event : undefined)
      if (!found) return nothing()
      const [line] = await transcript.write([found], sightOf(reader), true)
      return line ? { line, stream: found.stream, position } : nothing()
    },
    /** The revisions of one stream; `place` is the first of the page, undefined at the stream's own end. */
    revisions: async (
      stream: string,
      paging: { readonly limit: number; readonly order: 'asc' | 'desc'; readonly place?: bigint },
      reader: HistoryReader,
    ): Promise<HistoryPage<bigint> | Refusal> => {
      const { limit, order, place } = paging
      const position = await records.head()
      const direction = order === 'asc' ? 'forwards' : 'backwards'
      const events: LoggedEvent[] = []
      let next: bigint | undefined
      let characters = 0
      const options = { direction, limit: limit + 1, ...defined({ from: place }) } as const
      reading: for await (const each of records.readStream(stream, options))
        for (const event of each) {
          if (events.length === limit || characters > PAGE_CHARACTERS) {
            next = event.revision
            break reading
          }
          events.push(event)
          characters += event.data.length
        }
      if (events.length === 0) return refuse('stream-not-found', 'There is no such stream, or no such revision of it.')
      return { lines: await transcript.write(events, sightOf(reader), true), next, position }
    },
  }
}
export type History = ReturnType<typeof openHistory>
