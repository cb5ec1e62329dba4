/** A small read side for tests: a store on a temporary file, a log in memory, a projection that counts words. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteReadStore } from '../../src/adapters/readstore/sqlite/store.ts'
import { type Projection, projection } from '../../src/core/project/define.ts'
import { type Freshness, openFreshness } from '../../src/core/project/freshness.ts'
import { pointerRecord } from '../../src/core/project/pointer.ts'
import { type ProjectionHandle, type RunnerOptions, runProjection } from '../../src/core/project/runner.ts'
import { openView, type View } from '../../src/core/project/view.ts'
import type { JsonObject } from '../../src/domain/event.ts'
import type { ReadStore } from '../../src/ports/read-store.ts'
import { type PatientClock, patientClock } from './clocks.ts'
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
  /** Stands still while the store is at work, so that no lease lapses because the machine is busy. */
  readonly clock: PatientClock
  readonly freshness: Freshness
  /** Runs the projection as a node of its own; ended with the read side or by `stop`. */
  run(
    of: Projection<WordDocument>,
    more?: Partial<RunnerOptions<WordDocument>>,
  ): ProjectionHandle & { readonly stop: () => Promise<void>; readonly errors: readonly string[] }
  view(of: Projection<WordDocument>): View<WordDocument>
  close(): Promise<void>
}

/** The same store, for whose answers the clock stands still. */
export const waitedFor = (store: ReadStore, { during }: Pick<PatientClock, 'during'>): ReadStore => ({
  ensure: (...given) => during(store.ensure(...given)),
  drop: (...given) => during(store.drop(...given)),
  collections: () => during(store.collections()),
  get: (...given) => during(store.get(...given)),
  load: (...given) => during(store.load(...given)),
  find: (...given) => during(store.find(...given)),
  select: (...given) => during(store.select(...given)),
  count: (...given) => during(store.count(...given)),
  scan: (...given) => during(store.scan(...given)),
  apply: (...given) => during(store.apply(...given)),
  checkpoint: (...given) => during(store.checkpoint(...given)),
  checkpoints: () => during(store.checkpoints()),
  record: (...given) => during(store.record(...given)),
  records: (...given) => during(store.records(...given)),
  swap: (...given) => during(store.swap(...given)),
  ping: () => during(store.ping()),
  close: () => during(store.close()),
})

export const openReadSide = async (options: { readonly log?: MemoryLog } = {}): Promise<ReadSide> => {
  const folder = mkdtempSync(join(tmpdir(), 'lexichron-projections-'))
  const clock = patientClock()
  const log = options.log ?? memoryLog()
  const store = waitedFor(await openSqliteReadStore({ path: join(folder, 'read.db'), clock }), clock)
  // As it is left by an earlier run: a new pointer would number its generations from the time on.
  await store.swap(pointerRecord('words'), undefined, '{"next":1,"versions":{}}')
  const freshness = openFreshness({ store, clock })
  const stops: (() => Promise<void>)[] = []
  let nodes = 0
  return {
    log,
    store,
    clock,
    freshness,
    run: (of, more = {}) => {
      nodes += 1
      const stopping = new AbortController()
      const errors: string[] = []
      const handle = runProjection({
        projection: of,
        log,
        store,
        clock,
        freshness,
        nodeId: `node-${nodes}`,
        signal: stopping.signal,
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

const unused = (): never => {
  throw new Error('this is not read from a read model')
}
/** For queries that read the log itself. */
export const unusedView: View<never> = {
  name: 'unused',
  get: unused,
  find: unused,
  select: unused,
  count: unused,
  position: unused,
  waitFor: unused,
  ready: unused,
  generation: unused,
}
