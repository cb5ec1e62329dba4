/** What queries read a projection through: which collection is live, pages and documents from it, and how fresh it is. */
import type { JsonObject } from '../../domain/event.ts'
import type { Clock } from '../../ports/clock.ts'
import {
  type CollectionName,
  type Document,
  type Page,
  type Query,
  type ReadStore,
  ReadStoreError,
  type Row,
} from '../../ports/read-store.ts'
import { type CollectionRef, collectionName, type Projection } from './define.ts'
import { ProjectionError } from './errors.ts'
import { type Freshness, PATIENCE_MS } from './freshness.ts'
import { plan } from './planner.ts'
import { generationsOf, readPointer, TOUCH_MS, touch } from './pointer.ts'

export type ViewDocument<D> = Omit<Document, 'body'> & { readonly body: D }
export type ViewPage<Item> = {
  readonly documents: readonly Item[]
  readonly next: Page['next']
  readonly examined: number
  /** To be carried by the cursor and named again for the next page. */
  readonly generation: string
  /** What the page reflects at least. */
  readonly position: bigint
}

export type View<D extends JsonObject> = {
  readonly name: string
  /** Documents by id; unknown and removed ones are absent. @throws {ProjectionError} projection-building. */
  get(ids: readonly string[], generation?: string): Promise<ReadonlyMap<string, ViewDocument<D>>>
  /**
   * One page. `generation` is that of the cursor. @throws {ProjectionError} projection-building; cursor-expired when the
   * cursor's generation is gone. @throws {NoIndexError} when no index answers the query's shape.
   */
  find(query: Query, generation?: string): Promise<ViewPage<ViewDocument<D>>>
  /** As `find`, but only these indexed members of each document, which no body is read for. */
  select(query: Query, members: readonly string[], generation?: string): Promise<ViewPage<Row>>
  /** Index entries under the conditions that the index answers, counted up to `limit`. */
  count(query: Pick<Query, 'where' | 'order'>, limit: number): Promise<number>
  /** The collection that is read, as `version.generation`; '' before one is known. */
  generation(): string
  /** The position that reads reflect at least, as far as this process knows. */
  position(): bigint
  /** Waits until reads reflect the position. @throws {ProjectionError} projection-behind, projection-building. */
  waitFor(position: bigint, timeoutMs?: number): Promise<void>
  /** Is there anything to read? */
  ready(): Promise<boolean>
}

type Placed = Pick<View<never>, 'name' | 'generation' | 'position' | 'ready'>

/** The collections that the views read now, with what reads of them reflect; undefined while one has none. */
export const scopesOf = async (views: readonly Placed[]) => {
  const scopes: { readonly name: string; readonly position: bigint }[] = []
  for (const view of views) {
    if (!(await view.ready())) return undefined
    scopes.push({ name: `${view.name}@${view.generation().replace('.', '#')}`, position: view.position() })
  }
  return scopes
}

export type ViewOptions<D extends JsonObject> = {
  readonly projection: Projection<D>
  readonly store: ReadStore
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly freshness: Freshness
}

/** The pointer may be this old, in milliseconds. */
const FRESH_MS = 500
/** Who waits for a position looks this often, in milliseconds, whether another collection has taken the place of this one. */
const CHASE_MS = 100
/** A use that could not be recorded is tried again after this time, in milliseconds. */
const USE_AGAIN_MS = 10_000

type Current = CollectionRef & {
  readonly collection: CollectionName
  readonly map: ((old: JsonObject) => JsonObject) | undefined
}

export const openView = <D extends JsonObject>(options: ViewOptions<D>): View<D> => {
  const { projection, store, clock, freshness } = options
  const { name, version } = projection
  let current: Current | undefined
  let readAt = Number.NEGATIVE_INFINITY
  const touchedAt = new Map<CollectionName, number>()

  /** Not waited for: reading goes on where nothing can be written (a full disk, a lock). */
  const use = (collection: CollectionName): void => {
    const now = clock.monotonic()
    if (now - (touchedAt.get(collection) ?? Number.NEGATIVE_INFINITY) < TOUCH_MS) return
    touchedAt.set(collection, now)
    touch(store, collection, clock.now()).catch(() => touchedAt.set(collection, now - TOUCH_MS + USE_AGAIN_MS))
  }

  /** Our own version, else the newest older one that can be mapped. */
  const choose = async (): Promise<Current | undefined> => {
    const pointer = await readPointer(store, name)
    const older = Object.keys(projection.reads ?? {})
      .map(Number)
      .sort((a, b) => b - a)
    for (const each of [version, ...older]) {
      const { live } = generationsOf(pointer, each)
      if (live === undefined) continue
      const at = { version: each, generation: live }
      return {
        ...at,
        collection: collectionName(name, at),
        map: each === version ? undefined : projection.reads?.[each],
      }
    }
    return undefined
  }
  /** What was swapped in may lack events that readers have seen, or waited for, in the one before: they stay there until then. */
  const isBehind = (next: Current, before: Current): boolean =>
    next.collection !== before.collection && freshness.position(next.collection) < freshness.position(before.collection)

  const resolve = async (afresh = false): Promise<Current> => {
    const now = clock.monotonic()
    if (afresh || !current || now - readAt >= FRESH_MS) {
      const before = current
      const next = await choose()
      if (next) await freshness.refresh(next.collection)
      // Whoever asked later knows better: what was adopted is not left again.
      if (current && current !== before) return current
      if (before && next && !afresh && isBehind(next, before)) return before
      current = next
      readAt = now
      if (before && before.collection !== next?.collection) freshness.forget(before.collection)
      if (next) use(next.collection)
    }
    if (current) return current
    throw new ProjectionError('projection-building', `${name}@${version} is being built`)
  }
  const isGone = (error: unknown): boolean => error instanceof ReadStoreError && error.code === 'gone'

  /** Again on the collection that took its place, when the one we knew was dropped. */
  const reading = async <T>(work: (at: Current) => Promise<T>): Promise<T> => {
    try {
      return await work(await resolve())
    } catch (error) {
      if (!isGone(error)) throw error
    }
    try {
      return await work(await resolve(true))
    } catch (error) {
      if (!isGone(error)) throw error
      throw new ProjectionError('projection-building', `${name}@${version} is being built`, { cause: error })
    }
  }
  const mapped = (at: Current, document: Document): ViewDocument<D> => ({
    ...document,
    body: (at.map ? at.map(document.body) : document.body) as D,
  })

  const pageOf = async <Item>(at: Current, read: () => Promise<Page<Item>>): Promise<ViewPage<Item>> => {
    const position = freshness.position(at.collection)
    const { documents, next, examined } = await read()
    return { documents, next, examined, generation: `${at.version}.${at.generation}`, position }
  }
  const found = (query: Query) => (at: Current) =>
    pageOf(at, async () => {
      const page = await store.find(at.collection, plan(query, projection.indexes))
      return { ...page, documents: page.documents.map(each => mapped(at, each)) }
    })
  const selected = (query: Query, members: readonly string[]) => (at: Current) =>
    pageOf(at, async () => {
      const planned = plan(query, projection.indexes)
      if (!at.map) return store.select(at.collection, planned, members)
      // An older version's members are what its mapper makes of them.
      const page = await store.find(at.collection, planned)
      const documents = page.documents.map(each => {
        const body: JsonObject = mapped(at, each).body
        return { id: each.id, members: members.map(member => body[member] ?? null) }
      })
      return { ...page, documents }
    })
  /** The collection of a cursor: the live one, or an older one that is still there. */
  const named = (generation: string): Current | undefined => {
    const parts = /^(\d+)\.(\d+)$/.exec(generation)
    const at = { version: Number(parts?.[1]), generation: Number(parts?.[2]) }
    const map = at.version === version ? undefined : projection.reads?.[at.version]
    if (!parts || (at.version !== version && !map)) return undefined
    return { ...at, collection: collectionName(name, at), map }
  }

  /** In the collection of the cursor's generation; in the live one without. */
  const within = async <T>(generation: string | undefined, work: (at: Current) => Promise<T>): Promise<T> => {
    if (generation === undefined) return reading(work)
    const expired = (cause?: unknown): ProjectionError =>
      new ProjectionError('cursor-expired', `${name} has been rebuilt since: begin again at the first page`, { cause })
    const at = named(generation)
    if (!at) throw expired()
    try {
      const answer = await work(at)
      use(at.collection)
      return answer
    } catch (error) {
      throw isGone(error) ? expired(error) : error
    }
  }

  return {
    name,
    get: (ids, generation) =>
      within(generation, async at => {
        const documents = await store.get(at.collection, ids)
        return new Map([...documents].map(([id, document]) => [id, mapped(at, document)]))
      }),
    find: (query, generation) => within(generation, found(query)),
    select: (query, members, generation) => within(generation, selected(query, members)),
    count: (query, limit) =>
      reading(at => store.count(at.collection, plan({ ...query, limit: 1 }, projection.indexes), limit)),
    generation: () => (current ? `${current.version}.${current.generation}` : ''),
    position: () => (current ? freshness.position(current.collection) : 0n),
    waitFor: async (position, timeoutMs = PATIENCE_MS) => {
      const end = clock.monotonic() + timeoutMs
      for (;;) {
        const left = end - clock.monotonic()
        const at = await resolve()
        try {
          await freshness.waitFor(at.collection, position, Math.min(left, CHASE_MS))
          // Another reader may have moved on to a collection that has not come so far.
          if (current?.collection === at.collection) return
        } catch (error) {
          if (!(error instanceof ProjectionError && error.code === 'projection-behind')) throw error
          if (left <= CHASE_MS)
            throw new ProjectionError(
              'projection-behind',
              `${name} has not reached the position within ${timeoutMs} ms`,
            )
        }
        // Nobody folds a collection on whose place has been taken.
        readAt = Number.NEGATIVE_INFINITY
      }
    },
    ready: async () => {
      try {
        await resolve()
        return true
      } catch (error) {
        if (error instanceof ProjectionError) return false
        throw error
      }
    },
  }
}
