/** Rebuilding beside the live generation, and verifying the live one against the log. */
import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '../../domain/event.ts'
import type { Document, ReadStore } from '../../ports/read-store.ts'
import { parkedOf } from '../consume/parking.ts'
import { collectionName, type Projection, progressOf } from './define.ts'
import { ProjectionError } from './errors.ts'
import {
  beginBuilding,
  forgetConsumer,
  generationsOf,
  goLive,
  readPointer,
  TOUCH_MS,
  takeGeneration,
  touch,
} from './pointer.ts'
import { followCollection, type RunnerOptions } from './runner.ts'

/** `events` is how many were folded so far, by this run of it; `progress` is how far it is, 0 to 1. */
export type RebuildProgress = {
  readonly position: bigint
  readonly head: bigint
  readonly progress: number
  readonly events: number
}

export type RebuildOptions<D extends JsonObject> = RunnerOptions<D> & {
  readonly onProgress?: (progress: RebuildProgress) => void
}

/** Asks the nodes that run the projection to build a new generation beside the live one and to swap it in. */
export const requestRebuild = async (
  store: ReadStore,
  projection: Pick<Projection, 'name' | 'version'>,
  now: Date,
): Promise<number> => (await beginBuilding(store, projection.name, projection.version, now)).generation

const reporter = <D extends JsonObject>(options: RebuildOptions<D>, head: bigint) => {
  let events = 0
  return (position: bigint, taken: number): void => {
    events += taken
    options.onProgress?.({ position, head, progress: progressOf(position, head), events })
  }
}

/**
 * Builds a new generation here, or waits for the node that builds it, until it is live. One that was begun and left is
 * gone on with. Answers its number. @throws {Error} when it cannot be finished; an abort ends it without an answer.
 */
export const rebuild = async <D extends JsonObject>(options: RebuildOptions<D>): Promise<number | undefined> => {
  const { projection, store, log, clock, signal } = options
  const { name, version } = projection
  const at = await beginBuilding(store, name, version, clock.now())
  const live = async (): Promise<boolean> =>
    generationsOf(await readPointer(store, name), version).live === at.generation
  const ended = new AbortController()
  let problem: string | undefined
  const building = followCollection({
    ...options,
    at,
    signal: AbortSignal.any([signal, ended.signal]),
    onCaughtUp: async () => {
      await goLive(store, name, at)
      return false
    },
    onState: (_, error) => {
      problem = error
    },
    onProgress: reporter(options, await log.head()),
  }).finally(() => ended.abort())
  // Another node may hold its lease, and swap it in.
  while (!ended.signal.aborted) {
    if (await live()) ended.abort()
    else await clock.sleep(100, AbortSignal.any([signal, ended.signal]))
    if (signal.aborted) break
  }
  const end = await building
  if (await live()) return at.generation
  if (signal.aborted) return undefined
  const why = problem ?? 'another rebuild took its place'
  throw new ProjectionError('projection-unfinished', `${collectionName(name, at)} was not finished (${end}): ${why}`)
}

/** `damaged`: it does not fit its checksum, or does not stand in its indexes where it should. */
export type Difference = { readonly id: string; readonly kind: 'missing' | 'extra' | 'different' | 'damaged' }
export type Verification = {
  readonly generation: number
  readonly documents: number
  /** The first of them, and how many there are. */
  readonly differences: readonly Difference[]
  readonly differing: number
  /** Documents changed since the replay ended: not compared. */
  readonly moved: number
  readonly parked: number
  /** The log can be read up to here alone: what is later was not compared. */
  readonly readUpTo?: bigint
}

const PAGE = 500
const REPORTED = 100

async function* documentsOf(
  store: ReadStore,
  collection: string,
  onDamaged: (id: string) => void,
): AsyncGenerator<Document> {
  for (let after = ''; ; ) {
    const page = await store.scan(collection, after, PAGE, onDamaged)
    yield* page
    const last = page.at(-1)
    if (!last) return
    after = last.id
  }
}

/**
 * Replays the log into a collection of its own, in bounded memory, and compares it with the live one by id. Documents that
 * changed since are counted, not compared. @throws {ProjectionError} projection-building when nothing is live.
 */
export const verifyProjection = async <D extends JsonObject>(options: RebuildOptions<D>): Promise<Verification> => {
  const { projection, store, log, clock, signal } = options
  const { name, version } = projection
  const { live } = generationsOf(await readPointer(store, name), version)
  if (live === undefined)
    throw new ProjectionError('projection-building', `${name}@${version} is not built yet: there is nothing to verify`)
  const collection = collectionName(name, { version, generation: live })
  // A scratch of its own for each verification: two at once do not disturb each other, one that was killed disturbs none.
  const at = { version, generation: await takeGeneration(store, name, clock.now()) }
  const scratch = collectionName(name, at)
  const report = reporter(options, await log.head())
  let touched = Number.NEGATIVE_INFINITY
  /** What is in use is not swept away, however long this takes. */
  const keep = async (): Promise<void> => {
    if (clock.monotonic() - touched < TOUCH_MS) return
    touched = clock.monotonic()
    for (const each of [scratch, collection]) await touch(store, each, clock.now())
  }
  try {
    await keep()
    const replayed = await followCollection({
      ...options,
      at,
      projection: { ...projection, indexes: [] },
      onCaughtUp: async () => false,
      onProgress: (position, taken) => {
        report(position, taken)
        keep().catch(() => undefined)
      },
    })
    if (replayed !== 'finished' && replayed !== 'stopped' && !signal.aborted)
      throw new ProjectionError('projection-building', `the replay of ${name} ended early (${replayed}): try again`)
    const upTo = (await store.checkpoint(scratch))?.position ?? 0n
    const stopped = replayed === 'stopped' ? { readUpTo: upTo } : {}
    // The live one may be behind the replay: what it has not come to is not compared either.
    const liveUpTo = (await store.checkpoint(collection))?.position ?? 0n
    const parked = await parkedOf(store, collection)
    const differences: Difference[] = []
    let [documents, differing, moved] = [0, 0, 0]
    const differs = (id: string, kind: Difference['kind']): void => {
      if (parked.has(id)) return
      differing += 1
      if (differences.length < REPORTED) differences.push({ id, kind })
    }
    const damaged = new Set<string>()
    const isDamaged = (id: string): void => {
      if (!damaged.has(id)) differs(id, 'damaged')
      damaged.add(id)
    }
    const expected = documentsOf(store, scratch, isDamaged)
    const found = documentsOf(store, collection, isDamaged)
    let [want, have] = [await expected.next(), await found.next()]
    while (!(want.done && have.done) && !signal.aborted) {
      documents += 1
      await keep()
      const wanted = want.done ? undefined : want.value
      const held = have.done ? undefined : have.value
      if (held && (!wanted || held.id < wanted.id)) {
        const removed = (await store.load(scratch, [held.id])).get(held.id)
        if (held.position > upTo || (removed && removed.position > liveUpTo)) moved += 1
        else differs(held.id, 'extra')
        have = await found.next()
      } else if (wanted && (!held || wanted.id < held.id)) {
        // Removed, or still to come, after the replay ended: the tombstone or the document says so.
        const now = damaged.has(wanted.id) ? undefined : (await store.load(collection, [wanted.id])).get(wanted.id)
        if (wanted.position > liveUpTo || (now && now.position > upTo)) moved += 1
        else if (!damaged.has(wanted.id)) differs(wanted.id, 'missing')
        want = await expected.next()
      } else if (wanted && held) {
        if (held.position > upTo || wanted.position > liveUpTo) moved += 1
        else if (!isDeepStrictEqual(wanted.body, held.body)) differs(wanted.id, 'different')
        want = await expected.next()
        have = await found.next()
      }
    }
    return { generation: live, documents, differences, differing, moved, parked: parked.size, ...stopped }
  } finally {
    await store.drop(scratch)
    await forgetConsumer(store, scratch)
  }
}
