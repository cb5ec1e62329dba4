/** A small read side for tests: a store on a temporary file, a log in memory, a projection that counts words. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteReadStore } from '../../src/adapters/readstore/sqlite/store.ts'
import type { JsonObject } from '../../src/domain/event.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { ReadStore } from '../../src/ports/read-store.ts'
import { type Projection, projection } from '../../src/projections/define.ts'
import { type Freshness, openFreshness } from '../../src/projections/freshness.ts'
import { pointerRecord } from '../../src/projections/pointer.ts'
import { type ProjectionHandle, type RunnerOptions, runProjection } from '../../src/projections/runner.ts'
import { openView, type View } from '../../src/projections/view.ts'
import { fastClock } from './clocks.ts'
import { type MemoryLog, memoryLog } from './memory-log.ts'

export type WordDocument = JsonObject & { readonly word: string; readonly seen: readonly string[] }

/** Events on streams word-<id> set or remove the document <id>; `seen` lists the positions folded, in order. */
export const words = (more: Partial<Projection<WordDocument>> = {}): Projection<WordDocument> =>
  projection<WordDocument>({
    name: 'words',
    version: 1,
    categories: ['word'],
    indexes: [{ name: 'word', on: ['word'] }],
    key: event => event.stream.slice(5),
    evolve: (document, event) => {
      if (event.data['fail'] === true) throw new Error('poison')
      if (event.type === 'WordRemoved') return undefined
      const word = event.data['word']
      const seen = [...(document?.seen ?? []), String(event.position)]
      return { word: typeof word === 'string' ? word : (document?.word ?? ''), seen }
    },
    ...more,
  })

export type ReadSide = {
  readonly log: MemoryLog
  readonly store: ReadStore
  readonly clock: Clock
  readonly freshness: Freshness
  /** Runs the projection as a node of its own; ended with the read side or by `stop`. */
  run(
    of: Projection<WordDocument>,
    more?: Partial<RunnerOptions<WordDocument>>,
  ): ProjectionHandle & { readonly stop: () => Promise<void>; readonly errors: readonly string[] }
  view(of: Projection<WordDocument>): View<WordDocument>
  close(): Promise<void>
}

export const openReadSide = async (
  options: { readonly log?: MemoryLog; readonly clock?: Clock } = {},
): Promise<ReadSide> => {
  const folder = mkdtempSync(join(tmpdir(), 'lexichron-projections-'))
  const clock = options.clock ?? fastClock(40)
  const log = options.log ?? memoryLog()
  const store = await openSqliteReadStore({ path: join(folder, 'read.db'), clock })
  // As it is left by an earlier run: a new pointer would number its generations from the time on.
  await store.swap(pointerRecord('words'), undefined, '{"next":1,"versions":{}}')
  const freshness = openFreshness({ store, clock })
  const stops: (() => Promise<void>)[] = []
  let nodes = 0
  return {
    ...{ log, store, clock, freshness },
    run: (of, more = {}) => {
      nodes += 1
      const stopping = new AbortController()
      const errors: string[] = []
      const handle = runProjection({
        ...{ projection: of, log, store, clock, freshness, nodeId: `node-${nodes}`, signal: stopping.signal },
        onError: message => errors.push(message),
        ...more,
      })
      const stop = async (): Promise<void> => {
        stopping.abort()
        await handle.done
      }
      stops.push(stop)
      return { ...handle, stop, errors }
    },
    view: of => openView({ projection: of, store, clock, freshness }),
    close: async () => {
      for (const stop of stops) await stop()
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
