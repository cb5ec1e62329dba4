/** An import in a test: a log in memory (or on a given store), its transactors, and files to import from. */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { importFrom } from '../../src/adapters/import/command.ts'
import { type ImportDeps, type ImportReport, type ImportRun, runImport } from '../../src/commands/import.ts'
import { openLog } from '../../src/core/log/open.ts'
import { openTransactor } from '../../src/core/write/transact.ts'
import { entryStream } from '../../src/domain/entry/entry.ts'
import { entryEvents } from '../../src/domain/entry/events.ts'
import { type ImportFormat, importAggregate, importEvents, type SourceItem } from '../../src/domain/entry/import.ts'
import { entryAggregate } from '../../src/domain/entry/state.ts'
import type { JsonObject } from '../../src/domain/event.ts'
import { actorId, entryId } from '../../src/domain/ids.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { EventStore } from '../../src/ports/event-store.ts'
import { patientClock } from './clocks.ts'
import { openMemoryEventStore } from './memory-event-store.ts'
import { openMemoryKeys } from './memory-keys.ts'

export const importer = {
  actor: { kind: 'import' as const, id: actorId('import', 'test') },
  permissions: new Set(['entries:import' as const]),
}

export type ImportHouse = ReturnType<typeof openImportHouse>

/** Everything an import needs, over one store: open two on the same store for two processes. */
export const openImportHouse = (store: EventStore = openMemoryEventStore(), clock: Clock = patientClock(1_000)) => {
  const log = openLog({ store, keys: openMemoryKeys(), types: [...entryEvents, ...importEvents] })
  const shared = { log, clock, random: () => 0, cachedStreams: 1000 }
  const deps: ImportDeps = {
    log,
    clock,
    random: () => 0,
    newId: () => randomUUID(),
    entries: openTransactor({ ...shared, aggregate: entryAggregate }),
    imports: openTransactor({ ...shared, aggregate: importAggregate }),
  }
  const reports: ImportReport[] = []
  /** Lemmas that a source had no more. */
  const left: string[] = []
  return {
    store,
    log,
    deps,
    reports,
    left,
    /** Runs an import to its end. @throws when it was refused. */
    run: async (items: AsyncIterable<SourceItem>, more: Partial<ImportRun> = {}) => {
      const summary = await runImport(deps, {
        source: 'test',
        format: 'ndjson',
        items,
        caller: importer,
        onReport: report => reports.push(report),
        ...more,
      })
      if (isRefusal(summary)) throw new Error(summary.detail)
      return summary
    },
    importFile: async (
      format: ImportFormat,
      path: string,
      more: { readonly strict?: boolean; readonly source?: string } = {},
    ) => {
      const imported = await importFrom(format, path, deps, {
        strict: false,
        signal: new AbortController().signal,
        onProgress: () => {},
        onFault: fault => reports.push({ kind: 'fault', ...fault }),
        onKept: kept => reports.push({ kind: 'kept', ...kept }),
        onLeft: ({ lemma }) => left.push(lemma),
        ...more,
      })
      if (isRefusal(imported)) throw new Error(imported.detail)
      return imported
    },
    entry: async (lemma: string, partOfSpeech = 'noun', language = 'en') =>
      (await deps.entries.load(entryStream(entryId({ language, lemma, partOfSpeech, homograph: 1 })))).state.entry,
    /** Every entry event of the log, in order. */
    entryEvents: async () => {
      const found = []
      for await (const { events } of log.readAll(0n, { categories: ['entry'] })) found.push(...events)
      return found
    },
  }
}

/** Counts as one line. */
export const countsOf = (counts: { written: number; unchanged: number; kept: number; faults: number }): string =>
  `${counts.written} written, ${counts.unchanged} unchanged, ${counts.kept} kept, ${counts.faults} faults`

/** A line of NDJSON for a noun. */
export const nounLine = (lemma: string, gloss = `what ${lemma} means`, more: JsonObject = {}): string =>
  JSON.stringify({ language: 'en', lemma, partOfSpeech: 'noun', senses: [{ gloss }], ...more })

export const writeLines = (folder: string, name: string, lines: readonly (string | Uint8Array)[]): string => {
  const path = join(folder, name)
  writeFileSync(path, Buffer.concat(lines.flatMap(line => [Buffer.from(line), Buffer.from('\n')])))
  return path
}
