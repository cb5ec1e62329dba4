/** Where the command line writes: results on standard output, progress and notes on standard error. */
import { OwnError } from '../../domain/own-error.ts'
import { openScreen, type Screen, type TerminalStream } from './screen.ts'

export type Terminal = {
  /** `--json`: results are JSON texts, one a line. */
  readonly json: boolean
  /** Standard error is a terminal that a person looks at. */
  readonly interactive: boolean
  /** One line of a result. Resolves when the line was taken, so that a slow reader slows the writer. */
  result(line: string): Promise<void>
  /** One line for the person who watches. */
  note(line: string): void
  /** Standard error where a person looks at it, with what stands below all lines. */
  readonly screen: Pick<Screen, 'print' | 'status'>
}

export type Streams = {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly stderr: TerminalStream
  /** It is a terminal that cannot move its cursor (TERM=dumb). */
  readonly dumb?: boolean
}

/** The reader of standard output went away (`... | head`): nothing more is to be written, and nobody is to be told. */
export class OutputClosedError extends OwnError {
  override readonly name = 'OutputClosedError'
}

/** What stands behind standard output takes no more: a full disk. */
export class OutputFailedError extends OwnError {
  override readonly name = 'OutputFailedError'
}

export const openTerminal = ({ stdout, stderr, dumb = false }: Streams, json: boolean): Terminal => {
  let failure: Error | undefined
  stdout.on('error', error => {
    failure ??= error
  })
  /** A reader who went away is one thing; a disk that takes no more is a failure that has to be told. */
  const outcome = (error: Error): Error =>
    'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')
      ? new OutputClosedError(error.message)
      : new OutputFailedError(`standard output cannot be written: ${error.message}`, { cause: error })
  // A log collector that goes away is no reason to stop the service.
  stderr.on('error', () => {})
  const screen = openScreen(stderr)
  return {
    json,
    interactive: stderr.isTTY === true && !dumb,
    screen,
    note: line => screen.print(`${line}\n`),
    result: line =>
      new Promise((done, failed) => {
        if (failure) return failed(outcome(failure))
        const write = (): void => {
          stdout.write(`${line}\n`, error => (error ? failed(outcome(error)) : done()))
        }
        if (stdout.isTTY === true) screen.around(write)
        else write()
      }),
  }
}

/** Columns padded to their widest cell, the last one left as it is. */
export const table = (rows: readonly (readonly string[])[]): readonly string[] => {
  const columns = Math.max(0, ...rows.map(row => row.length))
  const widths = Array.from({ length: columns }, (_, at) => Math.max(...rows.map(row => row[at]?.length ?? 0)))
  return rows.map(row =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}

const grouped = new Intl.NumberFormat('en-US')
/** 117659 as 117,659. */
export const count = (n: number): string => grouped.format(n)
