/**
 * Parking: a document (or a subscriber's key) whose event failed waits, with all its later events, until it is retried.
 * What waits stays in the log; the record holds where it began.
 */
import type { Recorded } from '../../domain/event.ts'
import { describeFailure } from '../../domain/own-error.ts'
import type { ReadStore } from '../../ports/read-store.ts'

export type Parked = {
  readonly id: string
  /** Of the event that failed: everything from here on waits. */
  readonly position: bigint
  readonly eventId: string
  readonly type: string
  /** Words that may be kept (src/domain/own-error.ts). */
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

/** `id`: what waits, and from which event on. */
export type Failing = {
  readonly id: string
  readonly event: Pick<Recorded, 'id' | 'type' | 'position'>
  readonly error: unknown
  readonly now: Date
}

/** Records it before the checkpoint may pass the event. Of two records the one that begins earlier counts. */
export const park = async (store: Records, consumer: string, { id, event, error, now }: Failing): Promise<Parked> => {
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
