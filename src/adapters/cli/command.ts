/** How a command of the command line is declared, and what it is given. */

import type { ParseArgsConfig } from 'node:util'
import type { Config } from '../../config/load.ts'
import { OwnError } from '../../domain/own-error.ts'
import type { App, AppPurpose, CopyReport, Finding, Mails, Watch } from './app-port.ts'
import type { ProgressView } from './progress.ts'
import type { Terminal } from './terminal.ts'

/** Documented in API.md: 75 is EX_TEMPFAIL of sysexits.h, "the user is invited to retry". */
export const exitCodes = { done: 0, failed: 1, usage: 2, tryAgain: 75 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** The command was given wrongly: one sentence that says what is expected. */
export class UsageError extends OwnError {
  override readonly name = 'UsageError'
}

export type CliContext = {
  readonly terminal: Terminal
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP: the work ends at the next safe point. */
  readonly signal: AbortSignal
  /** The settings. @throws {ConfigError} */
  readonly config: () => Config
  /** Opens the program; it is closed when the command ends. */
  readonly open: (purpose: AppPurpose) => Promise<App>
  /** Every check of `doctor`; nothing is opened or written. */
  readonly diagnose: () => Promise<readonly Finding[]>
  readonly mails: () => Promise<Mails>
  /** Copies the log into another event store. */
  readonly copy: (urls: { readonly from?: string; readonly to: string }, watch: Watch) => Promise<CopyReport>
  /** Shows progress while the work runs. */
  readonly watched: <T>(work: (view: Pick<ProgressView, 'show' | 'say'>) => Promise<T>) => Promise<T>
}

/** The arguments: options by name, and what stands by itself. */
export type CliInput = {
  readonly option: (name: string) => string | undefined
  readonly flag: (name: string) => boolean
  readonly positionals: readonly string[]
}

export type CliCommand = {
  /** One or two words. */
  readonly name: string
  /** What follows the name, such as `<format> <path>`. */
  readonly usage: string
  readonly summary: string
  /** Lines of `--help` beyond the options. */
  readonly details?: readonly string[]
  readonly options: NonNullable<ParseArgsConfig['options']>
  /** What each option is for, as `--help` says it. */
  readonly about: Readonly<Record<string, string>>
  /** How many positional arguments there may be. */
  readonly positionals: readonly [least: number, most: number]
  readonly run: (input: CliInput, context: CliContext) => Promise<ExitCode>
}

/** An option that has to be given. @throws {UsageError} */
export const needed = (input: CliInput, name: string, expects: string): string => {
  const value = input.option(name)
  if (value === undefined || value === '') throw new UsageError(`--${name} is missing: ${expects}.`)
  return value
}

/** One of a closed list. @throws {UsageError} */
export const oneOf = <T extends string>(value: string | undefined, all: readonly T[], what: string): T => {
  const found = all.find(each => each === value)
  if (found === undefined)
    throw new UsageError(
      `${value === undefined ? `No ${what}` : `${what} ${value} is unknown`}: use ${all.join(', ')}.`,
    )
  return found
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `90s`, `30m`, `1h`, `7d` in milliseconds. @throws {UsageError} */
export const durationMs = (text: string, option: string): number => {
  const [, digits, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (digits === undefined || (unit !== 's' && unit !== 'm' && unit !== 'h' && unit !== 'd') || Number(digits) === 0)
    throw new UsageError(`--${option} is ${text}: write a time such as 90s, 30m, 1h or 7d.`)
  return Number(digits) * unitMs[unit]
}
