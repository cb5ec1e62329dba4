/** The declaration of a query: what it takes, what it answers, who may ask, and which projection it reads. */
import Type, { type TSchema } from 'typebox'
import type { Json } from '../../domain/event.ts'
import type { Refusal } from '../../domain/refusal.ts'
import type { Permission, Rights } from '../../domain/roles.ts'
import type { Projection } from '../project/define.ts'

/** Who asks: no actor is a stranger. */
export type Reader = Rights & {
  readonly actor?: { readonly kind: string; readonly id: string }
  /** Nobody asks: an answer is loaded to be at hand. */
  readonly warming?: true
}

/**
 * Where a page ends, as plain data: the edge seals it into an opaque token with the log id, a hash of the query and
 * `generation`, so that a forged one is refused and one of a dropped generation is `cursor-expired`.
 */
export type Cursor = { readonly generation: string; readonly key: Json }

export type Page<Item> = {
  readonly items: readonly Item[]
  readonly next: Cursor | null
  readonly total?: number
  readonly totalRelation?: 'eq' | 'gte'
}

/**
 * What a read reflects: the position that its answer's Sync-Token carries. `bytes` is the value's JSON where the query has
 * it at hand: the edge then sends it as it is.
 */
export type Reflecting<Output> = {
  readonly value: Output
  readonly position: bigint
  /** Of one thing: the mark of the event that led to its revision (src/domain/mark.ts). */
  readonly mark?: string
  readonly bytes?: string
  /** What `repeated` is to be told when this is answered again from a cache. */
  readonly note?: string
  /** It rests on nothing that is recorded, and may be otherwise the next time: it is kept for nobody. */
  readonly passing?: boolean
}

/**
 * How answers may be kept. `tags` are what they depend on, in every projection that the query reads.
 * - none: asked anew each time.
 * - public: the same for everybody, and for `seconds` it may be behind; for `staleSeconds` more it still answers while it is
 *   loaded anew. A Sync-Token is kept all the same.
 * - private: for the one who asked, for `seconds`.
 * - until-changed: the same for everybody, and never behind what the read model answers.
 */
export type Caching =
  | { readonly strategy: 'none' }
  | {
      readonly strategy: 'public'
      readonly seconds: number
      readonly staleSeconds: number
      readonly tags: readonly string[]
    }
  | { readonly strategy: 'private'; readonly seconds: number; readonly tags: readonly string[] }
  | {
      readonly strategy: 'until-changed'
      readonly tags: readonly string[]
      /** What the answer depends on beside the request: the day. */
      readonly also?: string
      /** Loading costs less than agreeing with other nodes who does. */
      readonly cheap?: true
    }

/** A member of answers that are drawn from all of a dictionary, there while it is being filled: how much of it is there, in percent. */
export const FillingSchema = Type.Integer({
  minimum: 0,
  maximum: 99,
  description: 'The dictionary is being filled, and so many percent of it are there: more may be found later.',
})

export type Query<Input, Output> = {
  readonly name: string
  readonly permission: Permission
  readonly querystring?: TSchema
  readonly output: TSchema
  /** The projections it reads: a request with a Sync-Token waits for them, 2 s at most. None: it reads the log itself. */
  readonly reads: readonly Projection[]
  /** The actors that what is shown names by their ids (of a page: an item of it). Their display names are put in as it is sent. */
  readonly people?: (shown: unknown) => readonly string[]
  /**
   * Its parameters that are of a closed list, numbers, or ids. All others are free text, in which people write what a removal
   * must find: addresses with one of them are written nowhere. None by default.
   */
  readonly closed?: readonly string[]
  /** It answers out of the whole dictionary: while that is being filled, its answers say so and are kept by nobody. */
  readonly ofAll?: true
  /** How its answers may be kept; none by default. What is refused is never kept. */
  readonly caching?: (input: Input) => Caching
  /** Is this the answer that everybody gets? Always by default; only those are kept for others. */
  readonly shared?: (output: Output) => boolean
  /** Told in place of `run` when a kept answer is given, with the note that came with it. */
  readonly repeated?: (note: string) => void
  /** @throws {ProjectionError} building; {ReadStoreError}. */
  readonly run: (input: Input, reader: Reader) => Promise<Reflecting<Output> | Refusal>
}
