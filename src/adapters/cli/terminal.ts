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
  /** The same for a person: where standard output is a terminal that is narrower, it is broken between words. */
  text(lines: string): Promise<void>
  /** One line for the person who watches. */
  note(line: string): void
  /** Standard error where a person looks at it, with what stands below all lines. */
  readonly screen: Pick<Screen, 'print' | 'status'>
}

export type Streams = {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
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

/** What follows the last gap of a line begins here: a cell of a table, or what is indented. */
const GAP = /^.*\s{2,}(?=\S)/
/** Where fewer columns are left beside what comes before, what is broken goes on below it. */
const LEAST_BESIDE = 24
const INDENT = 4

/** A line in as many as the terminal needs, broken between words; what has no space stays whole. */
export const wrapped = (line: string, columns: number): string => {
  if (line.length <= columns) return line
  const before = GAP.exec(line)?.[0] ?? ''
  const isBeside = before.trim() === '' || columns - before.length >= LEAST_BESIDE
  const indent = ' '.repeat(isBeside ? before.length : INDENT)
  const lines = isBeside ? [] : [before.trimEnd()]
  let last = isBeside ? before : indent
  let isBegun = false
  for (const word of line.slice(before.length).split(' ')) {
    if (isBegun && last.length + 1 + word.length > columns) {
      lines.push(last)
      last = indent
      isBegun = false
    }
    last = isBegun ? `${last} ${word}` : last + word
    isBegun = true
  }
  return [...lines, last].join('\n')
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
  const result = (line: string): Promise<void> =>
    new Promise((done, failed) => {
      if (failure) return failed(outcome(failure))
      const write = (): void => {
        stdout.write(`${line}\n`, error => (error ? failed(outcome(error)) : done()))
      }
      if (stdout.isTTY === true) screen.around(write)
      else write()
    })
  return {
    json,
    interactive: stderr.isTTY === true && !dumb,
    screen,
    note: line => screen.print(`${line}\n`),
    result,
    text: lines => {
      const columns = stdout.isTTY === true ? stdout.columns : undefined
      return result(
        columns
          ? lines
              .split('\n')
              .map(line => wrapped(line, columns))
              .join('\n')
          : lines,
      )
    },
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
