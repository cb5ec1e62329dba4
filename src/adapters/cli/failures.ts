/** What to say, and which exit code to give, when a command does not come to its end. */
import { ConfigError } from '../../config/load.ts'
import { describeFailure, framesOf } from '../../domain/own-error.ts'
import { type CommonRefusal, isRefusal, type Refusal } from '../../domain/refusal.ts'
import { EventStoreError } from '../../ports/event-store.ts'
import { KeysError } from '../../ports/keys.ts'
import { ReadStoreError } from '../../ports/read-store.ts'
import { type ExitCode, exitCodes, UsageError } from './command.ts'
import { OutputClosedError, type Terminal } from './terminal.ts'

/** Of what nobody has caught: what may be told of it, and the calls that led there. */
export const unforeseen = (error: unknown): string =>
  [describeFailure(error), ...(error instanceof Error ? [framesOf(error)] : [])].filter(part => part !== '').join('\n')

type Failure = { readonly code: ExitCode; readonly lines: readonly string[] }

/** What passes by itself: the same command may succeed in a while. */
const passing: ReadonlySet<string> = new Set(['unavailable', 'busy', 'projection-building', 'projection-behind'])
const passingRefusals: ReadonlySet<string> = new Set<CommonRefusal>([
  'outcome-unknown',
  'conflict',
  'idempotency-running',
])
const passingSystem: ReadonlySet<string> = new Set(['EAGAIN', 'EBUSY', 'ECONNREFUSED', 'ETIMEDOUT', 'EMFILE', 'ENFILE'])

/** What does not pass by itself, by the kind of the fault behind a store's error or the system's code. */
const lasting: ReadonlySet<string> = new Set([
  'start',
  'refused',
  'cantopen',
  'readonly',
  'newer',
  'foreign',
  'EACCES',
  'EEXIST',
  'ENOTDIR',
  'ENOENT',
  'EPERM',
  'EROFS',
  'EISDIR',
])
const faultOf = (cause: unknown): string =>
  cause instanceof Error ? (member(cause, 'kind') ?? member(cause, 'code') ?? '') : ''

const member = (error: Error, name: string): string | undefined => {
  const value: unknown = Object.entries(error).find(([each]) => each === name)?.[1]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

const systemSentence = (code: string, error: Error): string => {
  // Without the system's own members it was put into a sentence already, by who knew more.
  if (member(error, 'errno') === undefined && member(error, 'syscall') === undefined) return error.message
  const where = `${member(error, 'address') ?? 'this host'}, port ${member(error, 'port') ?? 'unknown'}`
  switch (code) {
    case 'EADDRINUSE':
      return `The port is in use (${where}): stop what listens there, or choose another with LEXICHRON_PORT.`
    case 'EACCES':
      return member(error, 'syscall') === 'listen'
        ? `Listening is not permitted (${where}): choose a port from 1024 up with LEXICHRON_PORT.`
        : `Permission denied: ${error.message}.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `LEXICHRON_HOST is not an address of this machine (${where}).`
    case 'ENOENT':
      return `There is no such file: ${member(error, 'path') ?? error.message}.`
    default:
      return `${error.message}.`.replace(/\.\.$/, '.')
  }
}

/** Errors that state their own case in one sentence, by name: adapters throw them, and this one knows no other adapter. */
const plain: ReadonlySet<string> = new Set([
  'SqliteError',
  'JobsError',
  'SourceError',
  'ProjectionError',
  'UndecodableEventError',
  'CopyError',
  'OutputFailedError',
])

export const failureOf = (error: unknown): Failure => {
  if (!(error instanceof Error)) return { code: exitCodes.failed, lines: [String(error)] }
  if (error instanceof UsageError) return { code: exitCodes.usage, lines: [error.message] }
  if (error instanceof ConfigError)
    return { code: exitCodes.usage, lines: ['The settings are wrong:', ...error.faults.map(each => `  ${each}`)] }
  // The reader has what it wanted: neither a failure nor worth a line.
  if (error instanceof OutputClosedError) return { code: exitCodes.done, lines: [] }
  if (error instanceof EventStoreError || error instanceof ReadStoreError || error instanceof KeysError) {
    const passes = passing.has(error.code) && !lasting.has(faultOf(error.cause))
    return { code: passes ? exitCodes.tryAgain : exitCodes.failed, lines: [error.message] }
  }
  if (plain.has(error.name)) {
    const why = member(error, 'kind') ?? member(error, 'code') ?? ''
    const code = passing.has(why) ? exitCodes.tryAgain : why === 'usage' ? exitCodes.usage : exitCodes.failed
    return { code, lines: [error.message] }
  }
  const code = member(error, 'code')
  if (code !== undefined && /^E[A-Z]+$/.test(code))
    return {
      code: passingSystem.has(code) ? exitCodes.tryAgain : exitCodes.failed,
      lines: [systemSentence(code, error)],
    }
  return { code: exitCodes.failed, lines: ['This should not have happened:', error.stack ?? error.message] }
}

/** The engine is there and refuses us: waiting for it is of no use. */
export const isRefusedByEngine = (error: Error): boolean => faultOf(error.cause) === 'refused'

const refusalExit = (refusal: Refusal): ExitCode =>
  passingRefusals.has(refusal.refused) ? exitCodes.tryAgain : exitCodes.failed

/** Says a failure: lines for people, one JSON text with `--json`. */
export const report = (terminal: Terminal, { code, lines }: Failure): ExitCode => {
  if (terminal.json && lines.length > 0) terminal.note(JSON.stringify({ failed: lines.join('\n'), exitCode: code }))
  else for (const [at, line] of lines.entries()) terminal.note(at === 0 ? `lexichron: ${line}` : line)
  return code
}

/** Says a refusal and gives its exit code; undefined for what is none. */
export const refused = (terminal: Terminal, value: object): ExitCode | undefined => {
  if (!isRefusal(value)) return undefined
  const errors = (value.errors ?? []).map(each => `  ${each.pointer}: ${each.detail}`)
  return report(terminal, { code: refusalExit(value), lines: [`${value.detail} (${value.refused})`, ...errors] })
}
