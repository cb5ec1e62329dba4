/**
 * Parking: a document (or a subscriber's key) whose event failed waits, with all its later events, until it is retried.
 * What waits stays in the log; the record holds where it began.
 */
import type { Recorded } from '../../domain/event.ts'
import type { ReadStore } from '../../ports/read-store.ts'

export type Parked = {
  readonly id: string
  /** Of the event that failed: everything from here on waits. */
  readonly position: bigint
  readonly eventId: string
  readonly type: string
  readonly error: string
  readonly since: string
  readonly attempts: number
}

type Records = Pick<ReadStore, 'record' | 'records' | 'swap'>

const prefixOf = (consumer: string): string => `parked:${consumer}:`
const retryRecord = (consumer: string): string => `retry:${consumer}`

const format = (parked: Parked): string => JSON.stringify({ ...parked, position: String(parked.position) })
const parse = (text: string): Parked => {
  const value: unknown = JSON.parse(text)
  const parked = value as Parked & { readonly position: string }
  return { ...parked, position: BigInt(parked.position) }
}

/** Under this id a whole stream waits when an event did not even say which documents it touches. */
export const streamKey = (stream: string): string => `~${stream}`

export const parkedOf = async (store: Records, consumer: string): Promise<Map<string, Parked>> => {
  const found = await store.records(prefixOf(consumer))
  return new Map([...found.values()].map(text => parse(text)).map(each => [each.id, each]))
}

/** Errors whose words are the engine's: these quote what could not be read, and that may be what a person wrote. */
const QUOTING: ReadonlySet<string> = new Set([
  'SyntaxError',
  'TypeError',
  'RangeError',
  'ReferenceError',
  'URIError',
  'EvalError',
])
/** Whether its words are the engine's. */
export const quotes = (error: unknown): boolean => !(error instanceof Error) || QUOTING.has(error.name)

const FOLDERS = ['src/', 'bin/', 'node_modules/']
/** The first place in the program or one of its libraries, without the folder in which they are. */
const placeIn = (frames: string): string | undefined => {
  for (const frame of frames.split('\n')) {
    const place = frame.split(/[\s()]/).findLast(part => part !== '') ?? ''
    const begins = FOLDERS.map(folder => place.indexOf(folder)).filter(at => at >= 0)
    if (begins.length > 0 && /:\d+$/.test(place)) return place.slice(Math.min(...begins))
  }
  return undefined
}

/**
 * A failure in words that are kept: with the reason of what is parked, and in the state of a consumer. Never the text of a person: of an
 * error of the engine its kind and where it was thrown, of ours the sentence.
 */
export const describeFailure = (error: unknown): string => {
  if (!(error instanceof Error)) return `a value was thrown that is no error: ${typeof error}`
  if (!quotes(error)) return `${error.name}: ${error.message}`.slice(0, 1_000)
  // The frames alone: before them stand its words once more.
  const words = `${error.name}: ${error.message}`
  const frames = error.stack?.startsWith(words) ? error.stack.slice(words.length) : ''
  const place = placeIn(frames)
  return place === undefined ? error.name : `${error.name} at ${place}`
}

/** Records it before the checkpoint may pass the event. Of two records the one that begins earlier counts. */
export const park = async (
  store: Records,
  consumer: string,
  id: string,
  event: Pick<Recorded, 'id' | 'type' | 'position'>,
  error: unknown,
  now: Date,
): Promise<Parked> => {
  const name = prefixOf(consumer) + id
  for (;;) {
    const text = await store.record(name)
    const known = text === undefined ? undefined : parse(text)
    if (known && known.position < event.position) return known
    const parked: Parked = {
      id,
      position: event.position,
      eventId: event.id,
      type: event.type,
      error: describeFailure(error),
      since: known?.since ?? now.toISOString(),
      attempts: (known?.attempts ?? 0) + 1,
    }
    if (await store.swap(name, text, format(parked))) return parked
  }
}

/** After a retry that came further: the document waits from another event on. */
export const repark = async (store: Records, consumer: string, parked: Parked): Promise<void> => {
  const name = prefixOf(consumer) + parked.id
  for (;;) if (await store.swap(name, await store.record(name), format(parked))) return
}

export const unpark = async (store: Records, consumer: string, id: string): Promise<void> => {
  const name = prefixOf(consumer) + id
  for (;;) {
    const text = await store.record(name)
    if (text === undefined || (await store.swap(name, text, undefined))) return
  }
}

/** Asks whoever holds the consumer's lease, in this process or another, to retry what is parked. */
export const requestRetry = async (store: Records, consumer: string, now: Date): Promise<void> => {
  const name = retryRecord(consumer)
  for (;;) {
    const [known, at] = [await store.record(name), now.toISOString()]
    // One that is being carried out is not to end this one, which was made at the same moment.
    if (await store.swap(name, known, known?.startsWith(at) ? `${known} again` : at)) return
  }
}

export const retryRequested = (store: Records, consumer: string): Promise<string | undefined> =>
  store.record(retryRecord(consumer))

/** Done, unless it was asked for again meanwhile. */
export const retryDone = async (store: Records, consumer: string, request: string): Promise<void> => {
  await store.swap(retryRecord(consumer), request, undefined)
}
