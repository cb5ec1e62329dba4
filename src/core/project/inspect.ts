/** What the read store says of a projection, whoever runs it: for operators beside the service. */

import { defined } from '../../domain/defined.ts'
import type { ReadStore } from '../../ports/read-store.ts'
import { type Parked, parkedOf, requestRetry } from '../consume/parking.ts'
import type { Log } from '../log/log.ts'
import { collectionName, type Projection, progressOf } from './define.ts'
import { generationsOf, readPointer } from './pointer.ts'

export type Inspection = {
  readonly name: string
  readonly version: number
  readonly state: 'live' | 'building'
  readonly position: bigint
  readonly lag: bigint
  readonly parked: readonly Parked[]
  /** Of the generation that is being built, whichever process builds it: how far it is, 0 to 1. */
  readonly progress?: number
}

type Deps = { readonly store: ReadStore; readonly log: Pick<Log, 'head'> }
type Named = Pick<Projection, 'name' | 'version'>

const collectionOf = async (store: ReadStore, { name, version }: Named) => {
  const { live, building } = generationsOf(await readPointer(store, name), version)
  const generation = live ?? building
  return {
    state: live === undefined ? ('building' as const) : ('live' as const),
    collection: generation === undefined ? undefined : collectionName(name, { version, generation }),
    built: building === undefined ? undefined : collectionName(name, { version, generation: building }),
  }
}

export const inspectProjection = async ({ store, log }: Deps, projection: Named): Promise<Inspection> => {
  const { state, collection, built } = await collectionOf(store, projection)
  const checkpoint = collection === undefined ? undefined : await store.checkpoint(collection)
  const parked = collection === undefined ? [] : [...(await parkedOf(store, collection)).values()]
  const position = checkpoint?.position ?? 0n
  const head = await log.head()
  const { name, version } = projection
  const reached = built === undefined ? undefined : ((await store.checkpoint(built))?.position ?? 0n)
  const progress = reached === undefined ? undefined : progressOf(reached, head)
  return {
    name,
    version,
    state,
    position,
    lag: head > position ? head - position : 0n,
    parked,
    ...defined({ progress }),
  }
}

/** Asks the node that runs the projection to try its parked documents again; how many there are. */
export const retryProjection = async (store: ReadStore, projection: Named, now: Date): Promise<number> => {
  const { collection } = await collectionOf(store, projection)
  const parked = collection === undefined ? 0 : (await parkedOf(store, collection)).size
  if (collection !== undefined && parked > 0) await requestRetry(store, collection, now)
  return parked
}
