/**
 * The read store: collections of JSON documents with declared indexes, checkpoints and leases. Its query language is
 * small and means the same on every engine; src/core/project/planner.ts turns a query into one declared index or throws.
 *
 * A document is a JSON object. Scalars that are indexed are ASCII strings made by our folding, integers up to 2^53, or
 * absent (absent sorts first). Terms are arrays of such strings.
 */

import type { Json, JsonObject } from '../domain/event.ts'
import { OwnError } from '../domain/own-error.ts'

/**
 * An index over members in this order. At most one member is an array ("terms"): each of its values is an index entry.
 * The id ends every index, so that every order is total. `-member` stores it descending.
 */
export type Index = {
  readonly name: string
  readonly on: readonly string[]
  readonly terms?: string
  /** Its equalities leave few documents whatever their values: taken before an index that answers more conditions. */
  readonly narrow?: true
}
export type Indexes = readonly Index[]

/** The name, version and generation of a collection: `name@version#generation`. */
export type CollectionName = string

export type Condition =
  | { readonly member: string; readonly op: 'eq'; readonly value: Json }
  | { readonly member: string; readonly op: 'in'; readonly value: readonly Json[] }
  | {
      readonly member: string
      readonly op: 'range'
      readonly gte?: Json
      readonly gt?: Json
      readonly lte?: Json
      readonly lt?: Json
    }
  | { readonly member: string; readonly op: 'prefix'; readonly value: string }
  /** Array members: contains every value, contains at least one. */
  | { readonly member: string; readonly op: 'all' | 'any'; readonly value: readonly string[] }

/** Order by these members (`-` for descending); the id, ascending, is always added as the last. */
export type Query = {
  readonly where: readonly Condition[]
  readonly order: readonly string[]
  /** The whole order turned round, the id too: the index is read from its end. */
  readonly backwards?: boolean
  /** The order's values, then the id, of the last document seen. */
  readonly after?: readonly Json[]
  readonly limit: number
  /** An index that answers the condition on this member is taken: who asks has counted that it leaves the fewest. */
  readonly by?: string
  /** Index entries examined at most before the page returns short: 2,000 where nothing is said. */
  readonly examine?: number
}

/** A query that the planner has bound to an index: adapters do as it says and choose nothing themselves. */
export type Plan = {
  readonly index: Index
  /** Conditions that the index answers: equalities on its first members, then at most one range. */
  readonly bounds: readonly Condition[]
  /** Conditions checked on each document examined. */
  readonly residual: readonly Condition[]
  readonly order: readonly string[]
  readonly backwards?: boolean
  readonly after?: readonly Json[]
  readonly limit: number
  /** Index entries examined at most before the page returns short. */
  readonly examine: number
}

/** `position` is that of the last event folded into it, `body` its content. */
export type Document = { readonly id: string; readonly position: bigint; readonly body: JsonObject }

/** Some indexed scalars of a document: what an engine reads without its body. Absent members are null. */
export type Row = { readonly id: string; readonly members: readonly Json[] }

/**
 * `next` is the keyset to go on from: null at the end, also set when the page is short because it examined all the
 * entries that it may. Each document comes once although several of its terms may match.
 */
export type Page<Item = Document> = {
  readonly documents: readonly Item[]
  readonly next: readonly Json[] | null
  readonly examined: number
}

/** A removed document leaves its id and position behind: a replay must not resurrect it. */
export type DocumentWrite =
  | { readonly id: string; readonly position: bigint; readonly body: JsonObject }
  | { readonly id: string; readonly position: bigint; readonly removed: true }

export type Checkpoint = {
  readonly logId: string
  readonly position: bigint
  /** What stands at the position and which event was applied last (src/core/consume/mark.ts), verified at start. */
  readonly eventId: string
  /** The lease's token: a checkpoint under an older one is refused. */
  readonly token: number
}

/** Who works for a consumer. `beat` is raised by its holder; a challenger watches it on its own monotonic clock. */
export type Lease = { readonly owner: string; readonly token: number; readonly beat: number }

export type ReadStoreErrorCode = 'unavailable' | 'corrupt' | 'gone' | 'fenced' | 'closed' | 'damaged'

/**
 * `gone`: the collection no longer exists (it was swapped and dropped). `fenced`: the lease was lost. `damaged`: a document does not
 * fit the checksum that it was stored with, or an index leads to one that it should not: nothing is told of it.
 */
export class ReadStoreError extends OwnError {
  override readonly name = 'ReadStoreError'
  readonly code: ReadStoreErrorCode
  constructor(code: ReadStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export type ReadStore = {
  /** Creates the collection and its indexes; harmless when they are there. */
  ensure(collection: CollectionName, indexes: Indexes): Promise<void>
  drop(collection: CollectionName): Promise<void>
  collections(): Promise<readonly CollectionName[]>

  /** Documents by id; removed and unknown ones are absent. One round trip. */
  get(collection: CollectionName, ids: readonly string[]): Promise<ReadonlyMap<string, Document>>
  /** As `get`, with the tombstones: what the runner loads before it folds. */
  load(collection: CollectionName, ids: readonly string[]): Promise<ReadonlyMap<string, DocumentWrite>>
  find(collection: CollectionName, plan: Plan): Promise<Page>
  /**
   * As `find`, but of each document only these members, in this order: scalars of indexes without terms, which no body
   * is read for. @throws {TypeError} on a member that no such index has.
   */
  select(collection: CollectionName, plan: Plan, members: readonly string[]): Promise<Page<Row>>
  /** How many index entries the plan's bounds cover, counted up to `limit`; residual conditions are not looked at. */
  count(collection: CollectionName, plan: Plan, limit: number): Promise<number>
  /**
   * Documents by id order after an id: export, verification. With `onDamaged` what is damaged is told to it and left out, and what
   * the engine keeps of a document beside it is looked at too; none is left where there is a sound one after the id.
   */
  scan(
    collection: CollectionName,
    after: string,
    limit: number,
    onDamaged?: (id: string) => void,
  ): Promise<readonly Document[]>

  /**
   * Applies a batch: writes whose position is not greater than the stored one change nothing; then the checkpoint. On an
   * engine with transactions both are one. @throws {ReadStoreError} fenced when the checkpoint's token is older than stored.
   */
  apply(
    collection: CollectionName,
    writes: readonly DocumentWrite[],
    checkpoint: { readonly consumer: string; readonly value: Checkpoint },
  ): Promise<void>
  checkpoint(consumer: string): Promise<Checkpoint | undefined>
  checkpoints(): Promise<ReadonlyMap<string, Checkpoint>>

  /** Named records changed by compare-and-swap: pointers, leases, parked keys, jobs, all of them small, and snapshots, of 8 MB at most. `expected` is the stored text or undefined. */
  record(name: string): Promise<string | undefined>
  records(prefix: string): Promise<ReadonlyMap<string, string>>
  swap(name: string, expected: string | undefined, value: string | undefined): Promise<boolean>

  /** Resolves to throw or not: is the engine there? */
  ping(): Promise<void>
  close(): Promise<void>
}

/** What a consumer of the log needs to know how far it is, beside what it writes: a store of its own may serve it. */
export type ConsumerStore = Pick<ReadStore, 'apply' | 'checkpoint' | 'checkpoints' | 'record' | 'records' | 'swap'>
