/** Reads what is in the log into a projection, for a process that is there for one look at it. */
import type { JsonObject } from '../../domain/event.ts'
import { progressOf } from './define.ts'
import { ProjectionError } from './errors.ts'
import type { RebuildProgress } from './rebuild.ts'
import { type RunnerOptions, runProjection } from './runner.ts'
import type { View } from './view.ts'

export type CatchUpOptions<D extends JsonObject> = RunnerOptions<D> & {
  readonly view: Pick<View<D>, 'ready' | 'position'>
  readonly onProgress?: (progress: RebuildProgress) => void
}

const LOOK_MS = 100

/**
 * Until reads reflect all that is in the log now: where another process works for the projection that does it, else this one.
 * An abort ends it early. @throws {ProjectionError} projection-unfinished when it has stopped.
 */
export const catchUp = async <D extends JsonObject>(options: CatchUpOptions<D>): Promise<void> => {
  const { view, log, clock, signal, onProgress } = options
  const head = await log.head()
  const isThere = async (): Promise<boolean> => (await view.ready()) && view.position() >= head
  if (await isThere()) return
  const ending = new AbortController()
  const running = runProjection({ ...options, signal: AbortSignal.any([signal, ending.signal]) })
  try {
    let from: bigint | undefined
    while (!signal.aborted && !(await isThere())) {
      const { position, state, error = 'it has stopped' } = await running.status()
      if (state === 'stopped')
        throw new ProjectionError('projection-unfinished', `${options.projection.name}: ${error}`)
      from ??= position
      onProgress?.({ position, head, progress: progressOf(position, head), events: Number(position - from) })
      await clock.sleep(LOOK_MS, signal)
    }
  } finally {
    ending.abort()
    await running.done
  }
}
