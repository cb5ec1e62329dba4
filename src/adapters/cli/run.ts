/** The command line: finds the command, reads its arguments, runs it, and turns every end into an exit code. */

import { parseArgs } from 'node:util'
import type { Config } from '../../config/load.ts'
import { defined } from '../../domain/defined.ts'
import { distanceOf, nearestOf } from '../../domain/distance.ts'
import { tokenCreate, tokenList, tokenRevoke } from './access.ts'
import { accountCreate } from './account.ts'
import type { App, Copy, Diagnose, Mails, OpenApp } from './app-port.ts'
import { blocksAdd, blocksList, blocksRemove } from './blocks.ts'
import { type CliCommand, type CliContext, type CliInput, type ExitCode, exitCodes, UsageError } from './command.ts'
import { completion } from './completion.ts'
import { copy } from './copy.ts'
import { doctor } from './doctor.ts'
import { failureOf, report } from './failures.ts'
import { helpOf, overview, usageOf } from './help.ts'
import { jobsDrop, jobsList, jobsRetry, jobsShow } from './jobs.ts'
import { keysRotate, keysRotateAddresses } from './keys.ts'
import { mailPreview, mailTest } from './mail.ts'
import { openProgress } from './progress.ts'
import { projections, rebuild, repair, retry, verify } from './projections.ts'
import { receiptVerify } from './receipt.ts'
import { serve } from './serve.ts'
import { config } from './settings.ts'
import { openTerminal, type Streams, type Terminal } from './terminal.ts'
import { exportCommand, importCommand } from './transfer.ts'

/** The one page that lists every command. */
export const commands: readonly CliCommand[] = [
  serve,
  importCommand,
  exportCommand,
  copy,
  rebuild,
  projections,
  retry,
  verify,
  repair,

  tokenCreate,
  tokenList,
  tokenRevoke,
  accountCreate,
  keysRotate,
  keysRotateAddresses,
  receiptVerify,
  config,
  doctor,
  jobsList,
  jobsShow,
  jobsRetry,
  jobsDrop,
  mailPreview,
  mailTest,
  blocksAdd,
  blocksList,
  blocksRemove,
  completion(() => commands),
]

export type Surroundings = Streams & {
  readonly version: string
  readonly config: () => Config
  /** Loads the program when a command needs it: help and mistakes are answered without it. */
  readonly openApp: () => Promise<OpenApp>
  readonly openDoctor: () => Promise<Diagnose>
  readonly openCopy: () => Promise<Copy>
  readonly openMails: () => Promise<Mails>
  readonly signal: AbortSignal
  /** A monotonic clock in milliseconds. */
  readonly now: () => number
}

/** So many edits are a slip of the finger; what takes more was meant otherwise. */
const SLIPS = 2

const meant = (given: string): string => {
  const names = commands.map(({ name }) => name)
  const near = nearestOf(given.slice(0, 100), names)
  return distanceOf(given, near, SLIPS) <= SLIPS ? `did you mean ${near}? lexichron --help` : 'lexichron --help'
}

/** The command that the first words name, the longest name first, and what follows it. */
const find = (argv: readonly string[]): { readonly command: CliCommand; readonly rest: readonly string[] } => {
  const words = argv.slice(0, 2)
  for (let length = words.length; length > 0; length -= 1) {
    const name = words.slice(0, length).join(' ')
    const command = commands.find(each => each.name === name)
    if (command) return { command, rest: argv.slice(length) }
  }
  const group = commands.filter(each => each.name.startsWith(`${words[0]} `))
  throw new UsageError(
    group.length > 0
      ? `Which one? ${group.map(each => `lexichron ${each.name}`).join(', ')}.`
      : `There is no command ${words[0]}: ${meant(words[0] ?? '')} lists them all.`,
  )
}

const everywhere = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const

/** @throws {UsageError} */
const read = (command: CliCommand, argv: readonly string[]): CliInput => {
  const options = { ...command.options, ...everywhere }
  const parse = () => {
    try {
      return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true, tokens: true })
    } catch (error) {
      // Node's sentences go on to explain "--"; the first one says it.
      throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? '').concat('.') : String(error))
    }
  }
  const { values, positionals, tokens } = parse()
  const given = tokens.flatMap(token => (token.kind === 'option' ? [token.name] : []))
  const again = given.find((name, at) => given.indexOf(name) !== at)
  // Which of two was meant nobody knows, and one of them may be the role of a token.
  if (again !== undefined) throw new UsageError(`--${again} is given more than once.`)
  const named = (name: string): unknown => Object.entries(values).find(([each]) => each === name)?.[1]
  const input: CliInput = {
    option: name => {
      const value = named(name)
      return typeof value === 'string' ? value : undefined
    },
    flag: name => named(name) === true,
    positionals,
  }
  const [least, most] = command.positionals
  if (!input.flag('help') && (positionals.length < least || positionals.length > most))
    throw new UsageError(
      `It takes ${least === most ? least : `${least} to ${most}`} ${most === 1 ? 'argument' : 'arguments'} and was given ${positionals.length}.`,
    )
  return input
}

/** Everything a command opens is closed again, in reverse, whatever happens. */
const execute = async (command: CliCommand, input: CliInput, terminal: Terminal, around: Surroundings) => {
  const opened: App[] = []
  const context: CliContext = {
    terminal,
    signal: around.signal,
    config: around.config,
    diagnose: async () => (await around.openDoctor())(around.config),
    mails: around.openMails,
    copy: async (urls, watch) => (await around.openCopy())(around.config(), urls, watch),
    open: async purpose => {
      const settings = around.config()
      const openApp = await around.openApp()
      const app = await openApp(settings, {
        purpose,
        version: around.version,
        ...defined({ print: terminal.interactive ? terminal.screen.print : undefined }),
      })
      opened.push(app)
      return app
    },
    watched: async work => {
      const view = openProgress(terminal, around.now)
      try {
        return await work(view)
      } finally {
        view.end()
      }
    },
  }
  try {
    return await command.run(input, context)
  } finally {
    for (const app of opened.reverse()) await app.close()
  }
}

/** Runs the command that `argv` (without node and script) names; never rejects. */
export const runCommandLine = async (argv: readonly string[], around: Surroundings): Promise<ExitCode> => {
  const terminal = openTerminal(around, argv.includes('--json'))
  const [first] = argv
  try {
    if (first === undefined) throw new UsageError(`A command is missing.\n\n${overview(commands)}`)
    if (first === '--help' || first === '-h' || first === 'help') {
      await terminal.text(overview(commands))
      return exitCodes.done
    }
    if (first === '--version') {
      await terminal.result(around.version)
      return exitCodes.done
    }
    const group = commands.filter(each => each.name.startsWith(`${first} `))
    if (
      group.length > 0 &&
      argv.slice(1).some(each => each === '--help' || each === '-h') &&
      argv[1]?.startsWith('-')
    ) {
      const heads = commands.filter(each => each.name === first)
      await terminal.text([...heads, ...group].map(helpOf).join('\n\n'))
      return exitCodes.done
    }
    const { command, rest } = find(argv)
    try {
      const input = read(command, rest)
      if (input.flag('help')) {
        await terminal.text(helpOf(command))
        return exitCodes.done
      }
      return await execute(command, input, terminal, around)
    } catch (error) {
      throw error instanceof UsageError ? new UsageError(`${error.message}\nUsage: ${usageOf(command)}`) : error
    }
  } catch (error) {
    return report(terminal, failureOf(error))
  }
}
