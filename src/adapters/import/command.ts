/** Imports a file or folder in one of the formats, for the command line and for the sample of a new log. */
import { type ImportDeps, type ImportReport, runImport } from '../../commands/import.ts'
import type { LeftEntry } from '../../commands/import-left.ts'
import type { ReasonCount } from '../../commands/import-reasons.ts'
import { defined } from '../../domain/defined.ts'
import type { ImportCounts, ImportFormat } from '../../domain/entry/import.ts'
import { actorId } from '../../domain/ids.ts'
import { isRefusal, type Refusal } from '../../domain/refusal.ts'
import { openDictd } from './dictd.ts'
import { openNdjson } from './ndjson.ts'
import { type Source, SourceError } from './source.ts'
import { openWordnet } from './wordnet.ts'

export type ImportOptions = {
  /** Names the source in streams and entries; WordNet names itself. */
  readonly source?: string
  /** BCP 47 of the lemmas, for dictd, where neither the name nor the title says it. */
  readonly language?: string
  readonly licence?: string
  /** BCP 47 of the glosses of a dictd dictionary, where they are of another language: they become translations. */
  readonly target?: string
  /** The first wrong line ends the import. */
  readonly strict: boolean
  /** Ends it at the next batch; run again, it goes on. */
  readonly signal: AbortSignal
  /** After every batch: `total` is estimated from how far the source has been read, 0 while that is unknown. */
  readonly onProgress: (progress: {
    readonly step: string
    readonly done: number
    readonly total: number
    readonly unit: 'entries'
  }) => void
  readonly onFault: (fault: Omit<ImportReport, 'kind'>) => void
  /** Waited for before each batch: others have to keep up with what is written. */
  readonly pace?: () => Promise<void>
  /** An entry that an earlier import of the source has written, and that the source has no more. */
  readonly onLeft?: (entry: LeftEntry) => void
  /** An entry that stays as people have made it. */
  readonly onKept?: (kept: Omit<ImportReport, 'kind'>) => void
}

/** `complete` is false when the signal or a wrong line under `strict` ended it, or nothing but wrong lines came. Queries that wait for `position` see it all. */
export type Imported = ImportCounts & {
  readonly source: string
  readonly complete: boolean
  readonly reasons: readonly ReasonCount[]
  /** How many entries the source has no more. */
  readonly left: number
  readonly position: bigint
}

const open = (format: ImportFormat, path: string, options: ImportOptions): Promise<Source> => {
  const { source, language, licence, target, signal } = options
  const named = { ...defined({ source, licence }), signal }
  switch (format) {
    case 'wordnet':
      if (source !== undefined || licence !== undefined || language !== undefined || target !== undefined)
        throw new SourceError(
          'WordNet says itself what it is: leave out source, language, target and licence.',
          'usage',
        )
      return openWordnet(path, { signal })
    case 'dictd':
      return openDictd(path, {
        ...named,
        ...defined({ language, target }),
      })
    case 'ndjson':
      if (language !== undefined || target !== undefined)
        throw new SourceError('Each line of NDJSON has its own language: leave out language and target.', 'usage')
      return openNdjson(path, named)
  }
}

/**
 * Prints nothing. @throws {SourceError} when the source cannot be read at all, {EventStoreError} when the store stays
 * away: what was written stays, and the same import run again goes on.
 */
export const importFrom = async (
  format: ImportFormat,
  path: string,
  deps: ImportDeps,
  options: ImportOptions,
): Promise<Imported | Refusal> => {
  const source = await open(format, path, options)
  try {
    const summary = await runImport(deps, {
      source: source.name,
      format,
      items: source.items,
      strict: options.strict,
      signal: options.signal,
      ...defined({ pace: options.pace, onLeft: options.onLeft }),
      caller: {
        actor: { kind: 'import', id: actorId('import', source.name) },
        permissions: new Set(['entries:import']),
      },
      onReport: ({ kind, ...report }) => (kind === 'fault' ? options.onFault(report) : options.onKept?.(report)),
      onProgress: ({ written, unchanged, kept, faults }) => {
        const done = written + unchanged + kept + faults
        const reading = source.reading()
        const total = reading.done > 0 ? Math.round((done * reading.total) / reading.done) : 0
        options.onProgress({ step: `import ${source.name}`, done, total: Math.max(total, done), unit: 'entries' })
      },
    })
    if (isRefusal(summary)) return summary
    const { counts, reasons, left, ended, position } = summary
    return { ...counts, source: source.name, complete: ended === 'completed', reasons, left, position }
  } finally {
    await source.close()
  }
}
