/** The declaration of a projection: a pure fold over one document. Runner, rebuild and queries do the rest. */
import type { JsonObject, Recorded } from '../../domain/event.ts'
import type { CollectionName, Indexes } from '../../ports/read-store.ts'

export type Projection<D extends JsonObject = JsonObject> = {
  readonly name: string
  /** Raised with every change of what documents or indexes look like: the new one is built beside the old one. */
  readonly version: number
  /** Older versions that may be read until this one is built: how one of their documents becomes one of ours. */
  readonly reads?: { readonly [version: number]: (old: JsonObject) => D }
  /** Categories of streams it wants, all when absent; `types` narrows them. */
  readonly categories?: readonly string[]
  readonly types?: readonly string[]
  /** The types of event that remove a document together with its text: a build never writes what one of them has removed. */
  readonly removals?: readonly string[]
  readonly indexes: Indexes
  /** The documents that an event touches, after upcasting. Pure. */
  readonly key: (event: Recorded) => string | readonly string[]
  /**
   * Pure: `undefined` removes the document and leaves a tombstone. What it throws parks the document. It is given its own
   * documents alone, so it is a method: projections of different documents stand in one list.
   */
  evolve(document: D | undefined, event: Recorded, id: string): D | undefined
  /**
   * What a document that was written, or removed, has changed for those who cache answers made of it: the tags of
   * `caching` in src/queries. Absent: nobody does.
   */
  cacheTags?(id: string, document: D | undefined): readonly string[]
}

/** Binds the types of one declaration together, and checks what types cannot say. */
export const projection = <D extends JsonObject>(declaration: Projection<D>): Projection<D> => {
  const { name, version, indexes } = declaration
  if (!/^[a-z][a-z0-9-]*$/.test(name))
    throw new TypeError(`projection ${name}: a name is lower-case letters, digits, -`)
  if (!Number.isSafeInteger(version) || version < 1) throw new TypeError(`projection ${name}: versions count from 1`)
  for (const index of indexes) {
    if (!/^[a-z][A-Za-z0-9]*$/.test(index.name)) throw new TypeError(`projection ${name}: index name ${index.name}`)
    if (index.terms !== undefined && !index.on.includes(index.terms))
      throw new TypeError(`projection ${name}: index ${index.name} does not stand on its terms ${index.terms}`)
    if (new Set(index.on.map(each => each.replace('-', ''))).size !== index.on.length)
      throw new TypeError(`projection ${name}: index ${index.name} names a member twice`)
  }
  if (new Set(indexes.map(each => each.name)).size !== indexes.length)
    throw new TypeError(`projection ${name}: two indexes of one name`)
  return declaration
}

/** Which collection: a cursor carries it, so that its pages come from one and the same. */
export type CollectionRef = { readonly version: number; readonly generation: number }

export const collectionName = (name: string, at: CollectionRef): CollectionName =>
  `${name}@${at.version}#${at.generation}`

/** The parts of a collection's name, or undefined when it is none of ours. */
export const parseCollectionName = (
  collection: CollectionName,
): (CollectionRef & { readonly name: string }) | undefined => {
  const parts = /^([a-z][a-z0-9-]*)@(\d+)#(\d+)$/.exec(collection)
  return parts?.[1] === undefined
    ? undefined
    : { name: parts[1], version: Number(parts[2]), generation: Number(parts[3]) }
}

/** How far a position is towards the head of the log, 0 to 1. */
export const progressOf = (position: bigint, head: bigint): number =>
  head === 0n ? 1 : Math.min(1, Number((position * 10_000n) / head) / 10_000)
