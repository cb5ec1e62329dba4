/**
 * Runs one projection on one node: follows the live generation, builds the one that is missing or was asked for beside
 * it, swaps when it is there, and drops what no node has used for an hour.
 */

import { defined } from '../../domain/defined.ts'
import type { JsonObject } from '../../domain/event.ts'
import { wordsOf } from '../../domain/own-error.ts'
import type { Cache } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LogFilter } from '../../ports/event-store.ts'
import type { CollectionName, ReadStore } from '../../ports/read-store.ts'
import {
  type ConsumedLog,
  type ConsumeEnd,
  type ConsumerState,
  type ConsumerTrace,
  complaining,
  consume,
} from '../consume/consume.ts'
import { type Parked, parkedOf, requestRetry } from '../consume/parking.ts'
import type { Region } from '../memory/memory.ts'
import { type CollectionRef, collectionName, type Projection, progressOf } from './define.ts'
import { openFolder } from './fold.ts'
import type { Freshness } from './freshness.ts'
import { abandon, beginBuilding, generationsOf, goLive, readPointer, sweep, TOUCH_MS, touch } from './pointer.ts'
import { passOverRemoved } from './removal.ts'
import { retryParked } from './retry.ts'

export type RunnerOptions<D extends JsonObject> = {
  readonly projection: Projection<D>
  readonly log: ConsumedLog
  readonly store: ReadStore
  readonly cache?: Pick<Cache, 'changed'>
  readonly clock: Clock
  /** Unique to this process. */
  readonly nodeId: string
  /** Whether the process of another node's id is known to have ended. */
  readonly hasEnded?: (nodeId: string) => boolean
  readonly freshness?: Freshness
  /** Faults that are waited out, or that stop it: for the log of the service. */
  readonly onError?: (message: string) => void
  readonly trace?: ConsumerTrace
  /** Where documents are kept between batches. */
  readonly memory?: Region
  readonly signal: AbortSignal
}

export type ProjectionStatus = {
  readonly name: string
  readonly version: number
  /** 0 before there is one. */
  readonly generation: number
  readonly position: bigint
  readonly head: bigint
  /** In positions, which are not dense: 0n is up to date. */
  readonly lag: bigint
  readonly state: ConsumerState
  readonly parked: number
  /** Events a second, lately. */
  readonly rate: number
  /** 0 to 1: of the generation being built, if one is. */
  readonly progress: number
  /** What went wrong last, while it has not gone on. */
  readonly error?: string
}

export type ProjectionHandle = {
  status(): Promise<ProjectionStatus>
  parked(): Promise<readonly Parked[]>
  /** Asks whichever node holds the lease to try what is parked again. */
  retry(): Promise<void>
  /** Looks at the pointer now: a rebuild was asked for. */
  refresh(): void
  /** Resolves when the signal has ended it and all is stored. */
  readonly done: Promise<void>
}

export const filterOf = (projection: Pick<Projection<never>, 'categories' | 'types'>): LogFilter =>
  defined({ categories: projection.categories, types: projection.types })

export type FollowOptions<D extends JsonObject> = Omit<RunnerOptions<D>, 'projection'> & {
  readonly projection: Projection<D>
  readonly at: CollectionRef
  readonly onCaughtUp: () => Promise<boolean>
  readonly onState?: (state: ConsumerState, error?: string) => void
  readonly onProgress?: (position: bigint, events: number) => void
  readonly nudge?: { wake: () => void }
}

/** Folds the log into one collection. */
export const followCollection = async <D extends JsonObject>(options: FollowOptions<D>): Promise<ConsumeEnd> => {
  const { projection, log, store, clock, nodeId, signal, cache, freshness, at } = options
  const collection = collectionName(projection.name, at)
  const filter = filterOf(projection)
  let greet: () => Promise<void> = async () => undefined
  let built = generationsOf(await readPointer(store, projection.name), at.version).live === at.generation
  return consume({
    consumer: collection,
    collection,
    filter,
    log,
    store,
    clock,
    nodeId,
    signal,
    trace: options.trace,
    ...defined({ hasEnded: options.hasEnded }),
    onCaughtUp: async () => {
      const first = !built
      built = true
      if (first) await greet()
      return options.onCaughtUp()
    },
    ...defined({ onState: options.onState, onProgress: options.onProgress, nudge: options.nudge }),
    open: async ({ from, failed }) => {
      await store.ensure(collection, projection.indexes)
      if (from === 0n) await passOverRemoved({ store, log }, projection, collection)
      const folder = await openFolder({
        projection,
        collection,
        store,
        clock,
        failed,
        from,
        fromStart: from === 0n,
        trace: options.trace,
        ...defined({ cache, memory: options.memory }),
        building: () => !built,
        onStored: position => freshness?.reached(collection, position),
      })
      greet = folder.greet
      return {
        ...folder,
        retry: checkpoint => retryParked({ projection, collection, folder, log, filter, store, clock, checkpoint }),
      }
    },
  })
}

type Task = {
  readonly at: CollectionRef
  readonly collection: CollectionName
  readonly stop: AbortController
  readonly nudge: { wake: () => void }
  state: ConsumerState
  error: string | undefined
  position: bigint
  /** Events a second: of the last full second, and what was counted since. */
  rate: number
  counted: number
  since: number
  ended: boolean
  done: Promise<void>
}

/** The pointer is looked at this often, in milliseconds. */
const LOOK_MS = 500

export const runProjection = <D extends JsonObject>(options: RunnerOptions<D>): ProjectionHandle => {
  const { projection, log, store, clock, signal, onError } = options
  const { name, version } = projection
  const tasks = new Map<CollectionName, Task>()
  let woken = new AbortController()
  let stopped: string | undefined
  let fault: string | undefined
  let touched = Number.NEGATIVE_INFINITY
  const refresh = (): void => woken.abort()

  const count = (task: Task, position: bigint, events: number): void => {
    task.position = position
    task.counted += events
    const elapsed = clock.monotonic() - task.since
    if (elapsed < 1_000) return
    task.rate = (task.counted * 1_000) / elapsed
    task.counted = 0
    task.since = clock.monotonic()
  }

  const ended = async (task: Task, end: ConsumeEnd): Promise<void> => {
    if (end === 'stopped') stopped = task.error
    if (end !== 'foreign' && end !== 'gone') return
    if (end === 'foreign')
      onError?.(`${task.collection} was folded from another log or another history of it: it is built again`)
    // One that is gone is rarely pointed at: the store was damaged, or replaced a moment ago.
    await abandon(store, name, task.at)
  }

  const start = (at: CollectionRef): Task => {
    const collection = collectionName(name, at)
    const stop = new AbortController()
    const task: Task = {
      at,
      collection,
      stop,
      nudge: { wake: () => undefined },
      state: 'starting',
      error: undefined,
      position: 0n,
      rate: 0,
      counted: 0,
      since: clock.monotonic(),
      ended: false,
      done: Promise.resolve(),
    }
    const complain = complaining(error => onError?.(`${collection}: ${error}`))
    task.done = followCollection({
      ...options,
      at,
      signal: AbortSignal.any([signal, stop.signal]),
      nudge: task.nudge,
      onCaughtUp: async () => {
        if (generationsOf(await readPointer(store, name), version).live === at.generation) return true
        const swapped = await goLive(store, name, at)
        refresh()
        return swapped
      },
      onState: (state, error) => {
        task.state = state
        task.error = error
        complain(state, error)
      },
      onProgress: (position, events) => count(task, position, events),
    })
      .then(end => ended(task, end))
      .catch((error: unknown) => onError?.(`${collection}: ${String(error)}`))
      .finally(() => {
        task.ended = true
        refresh()
      })
    return task
  }

  const stopTask = async (task: Task): Promise<void> => {
    task.stop.abort()
    await task.done
    tasks.delete(task.collection)
  }

  const reconcile = async (): Promise<void> => {
    let generations = generationsOf(await readPointer(store, name), version)
    if (generations.live === undefined && generations.building === undefined)
      generations = { building: (await beginBuilding(store, name, version, clock.now())).generation }
    const wanted = [generations.live, generations.building].flatMap(each =>
      each === undefined ? [] : [collectionName(name, { version, generation: each })],
    )
    for (const task of [...tasks.values()]) if (task.ended || !wanted.includes(task.collection)) await stopTask(task)
    for (const generation of [generations.live, generations.building]) {
      if (generation === undefined) continue
      const collection = collectionName(name, { version, generation })
      if (!tasks.has(collection)) tasks.set(collection, start({ version, generation }))
    }
    if (clock.monotonic() - touched < TOUCH_MS) return
    touched = clock.monotonic()
    for (const collection of wanted) await touch(store, collection, clock.now())
    await sweep(store, name, new Set(wanted), clock.now())
  }

  const supervise = async (): Promise<void> => {
    while (!signal.aborted && stopped === undefined) {
      woken = new AbortController()
      try {
        await reconcile()
        fault = undefined
      } catch (error) {
        const message = wordsOf(error)
        // Said once: it may be tried in vain for hours, twice a second.
        if (message !== fault) onError?.(`${name}: ${message}`)
        fault = message
      }
      await clock.sleep(LOOK_MS, AbortSignal.any([signal, woken.signal]))
    }
    for (const task of tasks.values()) task.stop.abort()
    await Promise.all([...tasks.values()].map(each => each.done))
  }

  const current = (): Task | undefined => {
    const all = [...tasks.values()].filter(each => !each.stop.signal.aborted)
    return all.reduce<Task | undefined>(
      (low, each) => (!low || each.at.generation < low.at.generation ? each : low),
      undefined,
    )
  }
  /** Whoever holds the lease has stored how far it is. */
  const reachedBy = async ({ state, collection, position }: Task): Promise<bigint> =>
    (state === 'waiting-for-lease' ? (await store.checkpoint(collection))?.position : undefined) ?? position
  const newest = (): Task | undefined => [...tasks.values()].at(-1)

  return {
    status: async () => {
      const task = current() ?? newest()
      const head = await log.head()
      const building = newest() ?? task
      const position = task ? await reachedBy(task) : 0n
      const built = building === task || !building ? position : await reachedBy(building)
      const error = stopped ?? task?.error ?? fault
      return {
        name,
        version,
        generation: task?.at.generation ?? 0,
        position,
        head,
        lag: head > position ? head - position : 0n,
        state: stopped === undefined ? (task?.state ?? 'starting') : 'stopped',
        parked: task ? (await parkedOf(store, task.collection)).size : 0,
        rate: task?.rate ?? 0,
        progress: progressOf(built, head),
        ...defined({ error }),
      }
    },
    parked: async () => {
      const task = current()
      return task ? [...(await parkedOf(store, task.collection)).values()] : []
    },
    retry: async () => {
      const task = current()
      if (!task) return
      await requestRetry(store, task.collection, clock.now())
      task.nudge.wake()
    },
    refresh,
    done: supervise(),
  }
}
