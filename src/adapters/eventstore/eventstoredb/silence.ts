/** A wait with an end of its own: the client's calls have none. */
import { OwnError } from '../../../domain/own-error.ts'
import type { Clock } from '../../../ports/clock.ts'

/** Nothing was heard for as long as it was waited for. */
export class SilentError extends OwnError {
  override readonly name = 'SilentError'
  /** As gRPC says it: the deadline has passed. */
  readonly code = 4
  readonly ms: number
  constructor(ms: number) {
    super(`nothing was heard in ${ms} ms`)
    this.ms = ms
  }
}

/** What the work comes to within so many milliseconds. @throws {SilentError} and what the work throws. */
export const within = async <T>(ms: number, clock: Pick<Clock, 'sleep'>, work: () => Promise<T>): Promise<T> => {
  const done = new AbortController()
  try {
    return await Promise.race([
      work(),
      clock.sleep(ms, done.signal).then(() => {
        throw new SilentError(ms)
      }),
    ])
  } finally {
    done.abort()
  }
}
