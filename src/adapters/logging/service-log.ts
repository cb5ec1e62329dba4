/**
 * The service's log: one JSON object a line, written in batches; on a terminal, lines for people. Nothing secret is handed
 * to it: lines are made of named members, never of a request's headers, query or body. redact.ts is the net beneath.
 */
import { join } from 'node:path'
import { isatty } from 'node:tty'
import pino, { type Logger } from 'pino'
import { defined } from '../../domain/defined.ts'
import { type Destination, type LogFaults, openDescriptor, openFiles, openPrinter } from './destinations.ts'
import { errorLine, withoutSecretForms, withoutSecrets } from './redact.ts'

export type ServiceLog = {
  readonly logger: Logger
  /**
   * Writes a line of level `info` of members that are JSON already, each with a comma before it, for what there are many lines of.
   * Nobody takes secrets out of it by the names of its members, which are to be words of ours. Absent where that level is not written.
   */
  readonly infoLine?: (members: string) => void
  /** By destination: `stderr`, `files`. */
  faults(): Readonly<Record<string, LogFaults>>
  /** Writes what is held back. */
  close(): Promise<void>
}

export type ServiceLogOptions = {
  /** As pino has it; `silent` for none. */
  readonly level: string
  readonly format?: 'auto' | 'json' | 'pretty'
  readonly to?: 'stderr' | 'files' | 'both'
  /** Folder of the files, with the size of one and how many are kept. */
  readonly dataDir?: string
  readonly fileMegabytes?: number
  readonly files?: number
  /** File descriptor to write to: 2, unless a test says otherwise. */
  readonly fd?: number
  /** Takes the lines for people in place of the descriptor: who draws on a terminal is alone there. */
  readonly print?: (text: string) => void
}

/** How long a line may be held back, in milliseconds. */
const FLUSH_MS = 500

/** The folder of the log files. */
export const logFolder = (dataDir: string): string => join(dataDir, 'logs')

/** RFC 3339 with milliseconds, as a member of a line: the same up to the second in all lines of that second. */
const openTimestamps = (): (() => string) => {
  let [second, begin] = [Number.NaN, '']
  return () => {
    const now = Date.now()
    const ms = now % 1000
    if (now - ms !== second) {
      second = now - ms
      begin = `,"time":"${new Date(second).toISOString().slice(0, 20)}`
    }
    return `${begin}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z"`
  }
}

const openDestinations = async (options: ServiceLogOptions): Promise<Readonly<Record<string, Destination>>> => {
  const { fd = 2, format = 'auto', to = 'stderr', dataDir, fileMegabytes = 32, files = 14, print } = options
  const readable = format === 'pretty' || (format === 'auto' && isatty(fd))
  const toFiles =
    to === 'stderr' || dataDir === undefined
      ? undefined
      : await openFiles({ folder: logFolder(dataDir), megabytes: fileMegabytes, files })
  return {
    ...defined({
      stderr: to !== 'files' ? (readable && print ? openPrinter(print) : openDescriptor(fd, readable)) : undefined,
    }),
    ...defined({ files: toFiles }),
  }
}

/** Opens the log. A folder that cannot be written is no reason to fail: `faults` tells of it. */
export const openServiceLog = async (options: ServiceLogOptions): Promise<ServiceLog> => {
  const destinations = await openDestinations(options)
  const all = Object.values(destinations)
  const timestamp = openTimestamps()
  const write = (line: string): void => {
    const clean = withoutSecretForms(line)
    for (const each of all) each.write(clean)
  }
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp,
      formatters: { level: label => ({ level: label }), log: withoutSecrets },
      serializers: { err: errorLine },
    },
    { write },
  )
  const infoLine = (members: string): void => write(`{"level":"info"${timestamp()}${members}}\n`)
  const timer = setInterval(() => {
    for (const each of all) each.flush()
  }, FLUSH_MS)
  timer.unref()
  return {
    logger,
    ...defined({ infoLine: logger.isLevelEnabled('info') ? infoLine : undefined }),
    faults: () => Object.fromEntries(Object.entries(destinations).map(([name, each]) => [name, each.faults()])),
    close: async () => {
      clearInterval(timer)
      await Promise.all(all.map(each => each.close()))
    },
  }
}
