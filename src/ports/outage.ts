/** Failures that are an engine's and pass with its return, told from those of the work itself. */
import { OwnError } from '../domain/own-error.ts'
import type { Refusal } from '../domain/refusal.ts'
import { EventStoreError } from './event-store.ts'
import { JobsError } from './jobs.ts'
import { KeysError } from './keys.ts'
import { ReadStoreError } from './read-store.ts'

const PASSING: ReadonlySet<string> = new Set(['unavailable', 'busy', 'fenced', 'closed'])
/** Of errors that wrap each other in a circle no more are looked at. */
const MAX_CAUSES = 10

const isEngines = (error: unknown): error is EventStoreError | ReadStoreError | KeysError | JobsError =>
  error instanceof EventStoreError ||
  error instanceof ReadStoreError ||
  error instanceof KeysError ||
  error instanceof JobsError

/** Is this error, or what caused it, that an engine could not be worked with for now? The same work may do later. */
export const isOutage = (error: unknown): boolean => {
  for (let each = error, n = 0; each instanceof Error && n < MAX_CAUSES; each = each.cause, n += 1)
    if (isEngines(each) && PASSING.has(each.code)) return true
  return false
}

/** A refusal where nobody is there to be answered: an outage where it says that the log has not answered. */
export const failureOf = ({ refused, detail }: Refusal): Error =>
  refused === 'outcome-unknown'
    ? new EventStoreError('unavailable', detail)
    : new OwnError(`it was refused: ${refused}`)
