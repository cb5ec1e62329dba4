/** `lexichron import` and `lexichron export`. */

import type { LeftEntry } from '../../commands/import-left.ts'
import { defined } from '../../domain/defined.ts'
import type { ImportFormat } from '../../domain/entry/import.ts'
import type { StoryVisibility } from '../../domain/story/terms.ts'
import type { ImportFault, ImportReport, StoryImportReport } from './app-port.ts'
import {
  type CliCommand,
  type CliContext,
  type CliInput,
  type ExitCode,
  exitCodes,
  needed,
  oneOf,
  UsageError,
} from './command.ts'
import { refused } from './failures.ts'
import { count } from './terminal.ts'

/** The formats, said here again: --help is not to load the domain. */
const formats = ['wordnet', 'dictd', 'ndjson'] as const satisfies readonly ImportFormat[]
const everyFormat = [...formats, 'stories'] as const
const visibilities = ['private', 'unlisted', 'members', 'public'] as const satisfies readonly StoryVisibility[]

const faultLine = ({ file, line, reason }: ImportFault): string =>
  `${file === undefined ? '' : `${file}, `}line ${line}: ${reason}`

const summary = ({ source, written, unchanged, kept, faults, left, reasons }: ImportReport): readonly string[] => [
  `${source}: ${count(written)} written, ${count(unchanged)} unchanged, ${count(kept)} kept as people edited them, ${count(faults)} wrong${
    left > 0 ? `, ${count(left)} no longer in it` : ''
  }`,
  ...reasons.map(each => `  ${count(each.count)} ${each.kind === 'fault' ? 'wrong' : 'kept'}: ${each.reason}`),
  ...(written + unchanged + kept === 0 && faults > 0
    ? ['  No line is an entry: is this the right file and format?']
    : []),
]

/** These members and no others, whatever else the program keeps in its report. */
const asJson = ({ source, complete, written, unchanged, kept, faults, left, reasons }: ImportReport): string =>
  JSON.stringify({ source, complete, written, unchanged, kept, faults, left, reasons })

const leftLine = ({ lemma, language, partOfSpeech, id }: LeftEntry): string =>
  `no longer in the source: ${lemma} (${language}, ${partOfSpeech}), still published as ${id}`

/** Options that say something of entries alone, or of stories alone. */
const ofEntries = ['source', 'target', 'licence'] as const
const ofStories = ['author', 'visibility'] as const

const storyCounts = ({ source, written, unchanged, kept, faults, reasons }: StoryImportReport): readonly string[] => [
  `${source}: ${count(written)} written, ${count(unchanged)} unchanged, ${count(kept)} kept as they are here, ${count(faults)} wrong`,
  ...reasons.map(each => `  ${count(each.count)} ${each.kind === 'fault' ? 'wrong' : 'kept'}: ${each.reason}`),
]

/** Stories, each as a whole: what of it is there stays. */
const importStories = async (input: CliInput, context: CliContext, path: string): Promise<ExitCode> => {
  const { terminal, signal } = context
  for (const name of ofEntries) if (input.option(name) !== undefined) throw new UsageError(`Stories have no --${name}.`)
  const author = needed(input, 'author', 'the id of the account whose stories they are, as GET /v1/me shows it')
  const tag = input.option('language')
  const language = tag === undefined ? undefined : await languageOf(tag)
  const seen = input.option('visibility')
  const visibility = seen === undefined ? undefined : oneOf(seen, visibilities, 'visibility')
  const app = await context.open('work')
  const done = await context.watched(view =>
    app.importStories(path, {
      author,
      isPublished: input.flag('publish'),
      strict: input.flag('strict'),
      signal,
      onProgress: view.show,
      ...defined({ language, visibility }),
      onKept: kept => view.say(terminal.json ? JSON.stringify({ kept }) : `kept: ${faultLine(kept)}`),
      onFault: fault => view.say(terminal.json ? JSON.stringify({ fault }) : faultLine(fault)),
    }),
  )
  const refusal = refused(terminal, done)
  if (refusal !== undefined || 'refused' in done) return refusal ?? exitCodes.failed
  const { source, complete, written, unchanged, kept, faults, reasons } = done
  const json = { source, complete, written, unchanged, kept, faults, reasons }
  for (const line of terminal.json ? [JSON.stringify(json)] : storyCounts(done)) await terminal.result(line)
  return outcome(done, signal.aborted)
}

export const importCommand: CliCommand = {
  name: 'import',
  usage: '<wordnet|dictd|ndjson|stories> <path>',
  summary: 'read a dictionary, or stories, into the log; run again, it writes only what has changed in the source',
  details: [
    'wordnet takes the folder of the WNDB files, dictd the .index file (its .dict or .dict.dz stands beside it), ndjson a',
    'file with one entry a line. Entries that people have edited since are kept and named. A line that is wrong is',
    'reported and skipped; the exit code is 0 all the same, and 1 where no line is an entry. Entries that the source has no more',
    'are named, and stay. Stopped half-way, the same command goes on (exit code 75).',
    'stories takes a file with one story a line, an EPUB book, or CommonMark (.md), for the account that --author names. What is',
    'there of a story stays as it is; what is missing of it is written. They are private drafts where nothing else is said.',
  ],
  options: {
    source: { type: 'string' },
    language: { type: 'string' },
    target: { type: 'string' },
    licence: { type: 'string' },
    author: { type: 'string' },
    visibility: { type: 'string' },
    publish: { type: 'boolean' },
    strict: { type: 'boolean' },
  },
  about: {
    source: 'NAME    names the source in every entry; by default made from the name of the file',
    language: 'TAG   language of the lemmas (BCP 47), where the format does not say it',
    target: 'TAG     language of the glosses of a dictd dictionary, where they are translations',
    licence: 'TEXT   licence of every entry, where the format does not say it',
    author: 'ID      account whose stories they are',
    visibility: 'NAME    of stories that do not say theirs: private, unlisted, members or public',
    publish: '      publish stories that do not say whether they are, with their chapters',
    strict: '       end at the first line that is wrong',
  },
  positionals: [2, 2],
  run: async (input, context) => {
    const { terminal, signal } = context
    const [given, path] = input.positionals
    const format: ImportFormat | 'stories' = oneOf(given, everyFormat, 'format')
    if (path === undefined || path === '') throw new UsageError('The path is missing.')
    if (format === 'stories') return importStories(input, context, path)
    for (const name of ofStories)
      if (input.option(name) !== undefined) throw new UsageError(`Only stories have --${name}.`)
    if (input.flag('publish')) throw new UsageError('Only stories have --publish.')
    const source = input.option('source')
    const language = input.option('language')
    const licence = input.option('licence')
    const target = input.option('target')
    const app = await context.open('work')
    const done = await context.watched(view =>
      app.import(format, path, {
        strict: input.flag('strict'),
        signal,
        onProgress: view.show,
        ...defined({ source, language, licence, target }),
        onKept: kept => view.say(terminal.json ? JSON.stringify({ kept }) : `kept: ${faultLine(kept)}`),
        onLeft: left => view.say(terminal.json ? JSON.stringify({ left }) : leftLine(left)),
        onFault: fault => view.say(terminal.json ? JSON.stringify({ fault }) : faultLine(fault)),
      }),
    )
    const refusal = refused(terminal, done)
    if (refusal !== undefined || 'refused' in done) return refusal ?? exitCodes.failed
    for (const line of terminal.json ? [asJson(done)] : summary(done)) await terminal.result(line)
    return outcome(done, signal.aborted)
  },
}

const outcome = ({ complete }: Pick<ImportReport, 'complete'>, stopped: boolean): ExitCode =>
  complete ? exitCodes.done : stopped ? exitCodes.tryAgain : exitCodes.failed

/** Loaded when it is asked for. @throws {UsageError} */
const languageOf = async (tag: string): Promise<string> => {
  const { registeredLanguage } = await import('../../domain/text/registered-languages.ts')
  const language = registeredLanguage(tag)
  if (language === undefined)
    throw new UsageError(
      `--language ${JSON.stringify(tag.slice(0, 60))} is no BCP 47 tag of a registered language, such as en or pt-BR.`,
    )
  return language
}

export const exportCommand: CliCommand = {
  name: 'export',
  usage: '',
  summary: 'write the published dictionary to standard output as NDJSON, one entry a line',
  details: ['Reads what is new in the log first, where no service does.'],
  options: { language: { type: 'string' } },
  about: { language: 'TAG   only entries in this language (BCP 47)' },
  positionals: [0, 0],
  run: async (input, context) => {
    const { terminal, signal } = context
    const tag = input.option('language')
    const language = tag === undefined ? undefined : await languageOf(tag)
    const app = await context.open('work')
    await context.watched(view => app.catchUp({ onProgress: view.show, signal }))
    let written = 0
    for await (const entry of app.exportEntries({ signal, ...defined({ language }) })) {
      await terminal.result(entry)
      written += 1
      if (signal.aborted) break
    }
    terminal.note(terminal.json ? JSON.stringify({ exported: written }) : `${count(written)} entries`)
    return signal.aborted ? exitCodes.tryAgain : exitCodes.done
  },
}
