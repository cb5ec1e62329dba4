/** The declaration of a query: what it takes, what it answers, who may ask, and which projection it reads. */
import type { TSchema } from 'typebox'
import type { Json } from '../domain/event.ts'
import type { Refusal } from '../domain/refusal.ts'
import type { Permission } from '../domain/roles.ts'

/** Who asks: no actor is a stranger. */
export type Reader = {
  readonly actor?: { readonly kind: string; readonly id: string }
  readonly permissions: ReadonlySet<Permission>
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
export type Reflecting<Output> = { readonly value: Output; readonly position: bigint; readonly bytes?: string }

export type Query<Input, Output> = {
  readonly name: string
  readonly permission: Permission
  readonly querystring?: TSchema
  readonly output: TSchema
  /** The projections it reads: a request with a Sync-Token waits for them, 2 s at most. None: it reads the log itself. */
  readonly reads: readonly ('entries' | 'search' | 'analytics' | 'history')[]
  /** @throws {ProjectionError} building; {ReadStoreError}. */
  readonly run: (input: Input, reader: Reader) => Promise<Reflecting<Output> | Refusal>
}
