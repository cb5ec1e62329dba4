/**
 * Looks through what is live, a little at a time and for ever: a document that no index leads to is missed by nobody, and what does not
 * fit its checksum is found before somebody asks for it. A read model with either is built again.
 */
import type { JsonObject } from '../../domain/event.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ReadStore } from '../../ports/read-store.ts'
import { collectionName, type Projection } from './define.ts'
import { buildAgain } from './guard.ts'
import { generationsOf, readPointer } from './pointer.ts'

/** Documents that are read at once: a few milliseconds in which nobody else is answered. */
const PAGE = 25
/** Between two pages. */
const PAUSE_MS = 250
/** A run, which is a minute's, takes half of it. */
const PAGES_A_RUN = 120
/** So many documents a run looks at, of all read models together. */
export const DOCUMENTS_A_RUN = PAGE * PAGES_A_RUN

const recordOf = (name: string): string => `looked-through:${name}`

export type LookedThrough<D extends JsonObject = JsonObject> = {
  readonly projection: Pick<Projection<D>, 'name' | 'version'>
  /** Does this node fold it? One node looks. */
  readonly holds: () => Promise<boolean>
}

export type LookThrough = {
  /** Looks on from where it was left, whoever left it there; the collections that were found damaged. */
  run(signal: AbortSignal): Promise<readonly string[]>
}

export const openLookThrough = (deps: {
  readonly store: ReadStore
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  readonly projections: readonly LookedThrough[]
  readonly onDamaged: (collection: string) => void
}): LookThrough => {
  const { store, clock, projections, onDamaged } = deps
  /** Found damaged, and not looked at until something else is live. */
  const condemned = new Set<string>()
  let turn = 0

  const liveOf = async ({ name, version }: LookedThrough['projection']): Promise<string | undefined> => {
    const { live: generation } = generationsOf(await readPointer(store, name), version)
    return generation === undefined ? undefined : collectionName(name, { version, generation })
  }

  /** How many pages of it were looked at, `most` at most: fewer at its end, from where it begins anew. */
  const lookAt = async (
    projection: LookedThrough['projection'],
    most: number,
    signal: AbortSignal,
  ): Promise<number> => {
    const collection = await liveOf(projection)
    if (collection === undefined || condemned.has(collection)) return 0
    const record = recordOf(projection.name)
    const kept = await store.record(record)
    const known = kept?.startsWith(`${collection} `) ? kept.slice(collection.length + 1) : ''
    let after = known
    let pages = 0
    for (let ended = false; pages < most && !ended && !signal.aborted; pages += 1) {
      let damaged = false
      const found = await store.scan(collection, after, PAGE, () => {
        damaged = true
      })
      if (damaged) {
        condemned.add(collection)
        onDamaged(collection)
        await buildAgain({ projection, store, clock }, collection)
        return pages + 1
      }
      after = found.at(-1)?.id ?? ''
      ended = found.length < PAGE
      if (ended) after = ''
      await clock.sleep(PAUSE_MS, signal)
    }
    await store.swap(record, kept, `${collection} ${after}`)
    return pages
  }

  return {
    run: async signal => {
      const before = new Set(condemned)
      let left = PAGES_A_RUN
      for (let n = 0; n < projections.length && left > 0 && !signal.aborted; n += 1) {
        const next = projections[turn % projections.length]
        if (!next || !(await next.holds())) {
          turn += 1
          continue
        }
        left -= await lookAt(next.projection, left, signal)
        // One that was not come to the end of is gone on with.
        if (left > 0) turn += 1
      }
      return [...condemned].filter(collection => !before.has(collection))
    },
  }
}
