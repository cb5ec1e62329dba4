/** Imports stories from a file: lines of JSON, a book (EPUB) or CommonMark, which each says itself which it is. */
import { open, readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { openReasons, type ReasonCount } from '../../commands/import-reasons.ts'
import {
  authorFault,
  importStory,
  noAuthor,
  type StoryImportDeps,
  type StoryRecord,
} from '../../commands/import-stories.ts'
import { defined } from '../../domain/defined.ts'
import type { ImportCounts } from '../../domain/entry/import.ts'
import { UUID } from '../../domain/forms.ts'
import type { Fault, Refusal } from '../../domain/refusal.ts'
import { readEpub } from './epub.ts'
import { SourceError } from './source.ts'
import { storyLines } from './story-lines.ts'
import { readMarkdown } from './story-markdown.ts'
import type { StoryDefaults, StoryItem } from './story-source.ts'

export type StoryImportOptions = StoryDefaults & {
  /** The id of the account whose stories they are. */
  readonly author: string
  /** The first fault ends the import. */
  readonly strict: boolean
  /** Ends it behind the story that is written. */
  readonly signal: AbortSignal
  readonly onProgress: (progress: {
    readonly step: string
    readonly done: number
    readonly total: number
    readonly unit: 'bytes'
  }) => void
  readonly onFault: (fault: Omit<Extract<StoryItem, { kind: 'fault' }>, 'kind'>) => void
  readonly onKept: (kept: { readonly line: number; readonly reason: string }) => void
}

/** `complete`: all of the file was read, and a story was in it. */
export type ImportedStories = ImportCounts & {
  readonly source: string
  readonly complete: boolean
  readonly reasons: readonly ReasonCount[]
}

/** Bytes of a file of CommonMark, which is read whole. */
const MOST_MARKDOWN = 64_000_000

const isZip = async (path: string): Promise<boolean> => {
  const file = await open(path)
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.readUInt32BE(0) === 0x504b0304
  } finally {
    await file.close()
  }
}

const one = async function* (record: StoryRecord): AsyncGenerator<StoryItem> {
  yield { kind: 'record', line: 1, record }
}

const itemsOf = async (
  path: string,
  size: number,
  { signal, ...defaults }: StoryDefaults & { readonly signal: AbortSignal },
  onRead: (bytes: number) => void,
): Promise<AsyncGenerator<StoryItem>> => {
  if (await isZip(path)) return one(await readEpub(path, defaults))
  if (!/\.(md|markdown)$/i.test(path)) return storyLines(path, defaults, { signal, onRead })
  if (size > MOST_MARKDOWN) throw new SourceError(`${path} has more than ${MOST_MARKDOWN} bytes.`)
  return one(readMarkdown(await readFile(path, 'utf8'), basename(path), defaults))
}

/**
 * Prints nothing. A repeat writes what is missing, and nothing twice. @throws {SourceError} when the file cannot be read at all;
 * {EventStoreError} when the store stays away: what was written stays, and the same again goes on.
 */
export const importStories = async (
  path: string,
  deps: StoryImportDeps & { readonly newId: () => string },
  options: StoryImportOptions,
): Promise<ImportedStories | Refusal> => {
  const { strict, signal, onFault, onKept, onProgress } = options
  const author = options.author.toLowerCase()
  if (!new RegExp(UUID).test(author)) return noAuthor()
  const file = await stat(path).catch(() => undefined)
  if (!file?.isFile()) throw new SourceError(`${path} is not a file that can be read.`)
  if (file.size === 0) throw new SourceError(`${path} is empty.`)
  const refused = await authorFault(deps, author)
  if (refused) return refused
  const source = basename(path)
  const runId = deps.newId()
  const counts = { written: 0, unchanged: 0, kept: 0, faults: 0 }
  const reasons = openReasons()
  const lines = new Map<string, number>()
  const wrong = (line: number, reason: string, errors?: readonly Fault[]): void => {
    counts.faults += 1
    reasons.add('fault', reason)
    onFault({ line, reason, ...defined({ errors }) })
  }
  let read = 0
  const onRead = (bytes: number): void => {
    read = bytes
  }
  const { language, visibility, isPublished } = options
  const defaults = { isPublished, signal, ...defined({ language, visibility }) }
  for await (const item of await itemsOf(path, file.size, defaults, onRead)) {
    if (signal.aborted || (strict && counts.faults > 0)) break
    if (item.kind === 'fault') {
      wrong(item.line, item.reason, item.errors)
      continue
    }
    const earlier = lines.get(item.record.key)
    if (earlier !== undefined) {
      wrong(item.line, `The story was there before, in line ${earlier}.`)
      continue
    }
    lines.set(item.record.key, item.line)
    const done = await importStory(deps, item.record, { author, runId })
    if (done.outcome === 'fault') wrong(item.line, done.reason, done.errors)
    else {
      counts[done.outcome] += 1
      if (done.outcome === 'kept') {
        reasons.add('kept', done.reason)
        onKept({ line: item.line, reason: done.reason })
      }
    }
    onProgress({ step: `import ${source}`, done: read, total: file.size, unit: 'bytes' })
  }
  const taken = counts.written + counts.unchanged + counts.kept
  const complete = !signal.aborted && taken > 0 && !(strict && counts.faults > 0)
  return { ...counts, source, complete, reasons: reasons.all() }
}
