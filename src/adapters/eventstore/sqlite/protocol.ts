/**
 * What passes between the store and its writer thread. Appends travel as four flat arrays, which the structured clone
 * copies several times faster than objects; answers come back in the order of the appends.
 */
import { OwnError, wordsOf } from '../../../domain/own-error.ts'
import type { EventStoreErrorCode } from '../../../ports/event-store.ts'
import { SqliteError } from '../../sqlite/errors.ts'
import type { EventFileOptions } from './schema.ts'

/** `identity` is that of the file which the store has opened. */
export type WriterSettings = {
  readonly path: string
  readonly identity: string | undefined
  /** Its first number is 1 once the store is closing: what another process keeps from being written is waited for less then. */
  readonly leaving: Int32Array
} & EventFileOptions

/** Appends of one flush. `at` is the store's clock in milliseconds since 1970. */
export type AppendMessage = {
  readonly kind: 'append'
  readonly at: number
  readonly streams: readonly string[]
  /** The expected revision, -1 for none. */
  readonly expected: readonly number[]
  /** How many events each append has. */
  readonly counts: readonly number[]
  /** id, type, data, meta of each event in turn. */
  readonly texts: readonly string[]
  /** When each event was recorded, in milliseconds since 1970, of events copied from another log; else all at `at`. */
  readonly times: readonly number[]
}
export type WriterRequest =
  | AppendMessage
  /** Fold the journal into the file, if nobody stands in the way. */
  | { readonly kind: 'checkpoint' }
  /** Make again from the events what the log is looked up by. */
  | { readonly kind: 'repair' }
  | { readonly kind: 'close' }

export const WRITTEN = 0
export const REPEATED = 1
export const CONFLICT = 2
/** The stream cannot be found as it should, and nothing is appended to it. */
export const DAMAGED = 3

/** Numbers an append takes in `Answers`: outcome, revision, position. A conflict has only its revision. */
export const ANSWER_WIDTH = 3

export type Failure = {
  readonly code: EventStoreErrorCode
  readonly message: string
  /** True when the commit itself failed: a crash may still bring the appends to light. */
  readonly unknown: boolean
}
export type WriterReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answers'; readonly answers: readonly number[] }
  | { readonly kind: 'failed'; readonly count: number; readonly failure: Failure }
  /** `pages` are left in the journal; -1 when somebody stood in the way. */
  | { readonly kind: 'checkpointed'; readonly pages: number }
  | { readonly kind: 'repaired'; readonly failure?: Failure }
  | { readonly kind: 'fatal'; readonly failure: Failure }
  | { readonly kind: 'closed' }

/** The port's code for a fault of the file. */
export const codeOf = (error: unknown): EventStoreErrorCode => {
  if (!(error instanceof SqliteError)) return 'unavailable'
  switch (error.kind) {
    case 'corrupt':
    case 'notadb':
    case 'foreign':
      return 'corrupt'
    case 'closed':
      return 'closed'
    default:
      return 'unavailable'
  }
}

/** The log's file is not the one at its path any more: what is written to it now would be lost with this process. */
export class FileReplacedError extends OwnError {
  override readonly name = 'FileReplacedError'
  constructor(path: string) {
    super(
      `${path}: the event store was deleted or replaced under the running service: put the file back, or stop every ` +
        'process that has it open and start again on what is there',
    )
  }
}

export const failureOf = (error: unknown, unknown: boolean): Failure => ({
  code: codeOf(error),
  message: wordsOf(error),
  unknown,
})
