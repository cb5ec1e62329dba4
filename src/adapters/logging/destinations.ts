/** Where log lines go. None of them takes the service down: what cannot be written is counted and let go. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import roll from 'pino-roll'
import { codeOf } from '../../core/files/error-code.ts'
import { FILE_MODE, makeFolders, narrow } from '../../core/files/folders.ts'
import { defined } from '../../domain/defined.ts'
import { readableLine } from './readable.ts'

/** What became of the lines that could not be written. */
export type LogFaults = {
  /** Lines let go, since more had gathered than may wait. */
  readonly dropped: number
  /** Writes that failed; their lines are tried again with the next. */
  readonly failures: number
  /** Why the last write failed: a code of the system, such as ENOSPC. Absent once writing works again. */
  readonly reason?: string
}

export type Destination = {
  /** One line, with its end. */
  write(line: string): void
  flush(): void
  faults(): LogFaults
  /** Writes what is held back, as far as it can be written, two seconds at most. */
  close(): Promise<void>
}

/** How many characters may wait for a disk or a pipe that does not take them. */
const MAX_WAITING = 4 * 1024 * 1024
/**
 * Lines are gathered up to here, or for half a second: a write a line would cost as much as the rest of a small request. As much as
 * sonic-boom writes at once.
 */
const GATHERED = 16_000
const CLOSE_MS = 1_000

type Stream = ReturnType<typeof pino.destination>

type Tally = { dropped: number; failures: number; reason: string | undefined }

const faultsOf = ({ dropped, failures, reason }: Tally): LogFaults => ({
  dropped,
  failures,
  ...defined({ reason }),
})

const watch = (stream: Stream, tally: Tally): Stream => {
  stream.on('error', error => {
    tally.failures += 1
    tally.reason = codeOf(error) ?? 'unknown'
  })
  stream.on('drop', () => {
    tally.dropped += 1
  })
  stream.on('write', () => {
    tally.reason = undefined
  })
  return stream
}

/** False for what throws where it should have told its listeners: a descriptor that is gone, for one. */
const guarded = (tally: Tally, work: () => void): boolean => {
  try {
    work()
    return true
  } catch (error) {
    tally.failures += 1
    tally.reason = codeOf(error) ?? 'unknown'
    return false
  }
}

/** Resolves once the stream says so, or fails, or a second has passed: whether it said so. */
const told = (stream: Stream, ask: (done: () => void) => void): Promise<boolean> =>
  new Promise(resolve => {
    const fail = (): void => end(false)
    const timer = setTimeout(fail, CLOSE_MS)
    const end = (answer: boolean): void => {
      clearTimeout(timer)
      stream.off('error', fail)
      resolve(answer)
    }
    stream.once('error', fail)
    try {
      ask(() => end(true))
    } catch {
      fail()
    }
  })

const flushed = (stream: Stream): Promise<boolean> => told(stream, done => stream.flush(done))

/** One at a time: of each that waits for a slow disk, sonic-boom keeps two listeners. */
const openFlush = (stream: Stream, tally: Tally): (() => void) => {
  let under = false
  const end = (): void => {
    under = false
  }
  return () => {
    if (under) return
    under = true
    if (!guarded(tally, () => stream.flush(end))) end()
  }
}

/** A file descriptor, 2 for standard error; `readable` makes lines for people. */
export const openDescriptor = (fd: number, readable: boolean): Destination => {
  const tally: Tally = { dropped: 0, failures: 0, reason: undefined }
  // Of a stream that gathers nothing at all, sonic-boom's flush does not wait for the write on its way.
  const gathered = readable ? 1 : GATHERED
  const stream = watch(pino.destination({ fd, sync: false, minLength: gathered, maxLength: MAX_WAITING }), tally)
  // As the process exits, pino writes what is left and tries again for ever: what cannot be written is let go instead.
  const flushSync = stream.flushSync.bind(stream)
  stream.flushSync = () => {
    if (tally.reason === undefined) flushSync()
  }
  return {
    write: line => {
      guarded(tally, () => stream.write(readable ? readableLine(line) : line))
    },
    flush: openFlush(stream, tally),
    faults: () => faultsOf(tally),
    close: async () => {
      await flushed(stream)
    },
  }
}

/** Lines for people, handed to who draws the terminal that they look at. */
export const openPrinter = (print: (text: string) => void): Destination => ({
  write: line => print(readableLine(line)),
  flush: () => undefined,
  faults: () => ({ dropped: 0, failures: 0 }),
  close: async () => undefined,
})

/** Of earlier versions, which left them to the umask. */
const narrowLogs = (folder: string): void => {
  makeFolders(folder)
  narrow(folder)
  for (const name of readdirSync(folder)) if (name.endsWith('.log')) narrow(join(folder, name))
}

/** Milliseconds after which a folder that could not be written is tried again. */
const RETRY_MS = 5_000

/**
 * Files `lexichron.<day>.<number>.log` in the folder, which is made when it is missing: a new one each day (local time) and
 * after `megabytes`, `files` kept. Several processes may write into one folder: each write is appended whole. A folder that
 * cannot be written is tried again every five seconds; the lines until then are counted as dropped.
 */
export const openFiles = async (options: {
  readonly folder: string
  readonly megabytes: number
  readonly files: number
  /** Milliseconds after which a folder that could not be written is tried again; 5000 by default. */
  readonly retryMs?: number
}): Promise<Destination> => {
  const tally: Tally = { dropped: 0, failures: 0, reason: undefined }
  let stream: Stream | undefined
  let flush = (): void => undefined
  let trying: Promise<void> | undefined
  let closed = false

  const attempt = async (): Promise<void> => {
    try {
      narrowLogs(options.folder)
      const opening = await roll({
        file: `${options.folder}/lexichron`,
        extension: '.log',
        dateFormat: 'yyyy-MM-dd',
        frequency: 'daily',

        size: `${options.megabytes}m`,
        limit: { count: Math.max(1, options.files - 1), removeOtherLogFiles: true },
        mkdir: true,
        sync: false,
        minLength: GATHERED,
        maxLength: MAX_WAITING,
        mode: FILE_MODE,
      })
      const opened = new Promise<boolean>(resolve => {
        opening.once('ready', () => resolve(true))
        opening.once('error', () => resolve(false))
      })
      watch(opening, tally)
      if (await opened) {
        tally.reason = undefined
        stream = opening
        flush = openFlush(opening, tally)
      } else opening.destroy()
    } catch (error) {
      tally.failures += 1
      tally.reason = codeOf(error) ?? 'unknown'
    }
  }
  const retry = (): void => {
    if (closed || stream || trying) return
    trying = attempt().finally(() => {
      trying = undefined
    })
  }
  await attempt()
  const timer = setInterval(retry, options.retryMs ?? RETRY_MS)
  timer.unref()

  return {
    write: line => {
      if (stream) guarded(tally, () => stream?.write(line))
      else tally.dropped += 1
    },
    flush: () => flush(),
    faults: () => faultsOf(tally),
    close: async () => {
      closed = true
      clearInterval(timer)
      await trying
      const last = stream
      if (!last) return
      // First this, as a stream that ends while it waits to change files forgets to end. But it is answered too early where a
      // file is changed between two flushes, with lines still held back: the end alone is certain.
      await flushed(last)
      const ended = await told(last, done => {
        last.once('close', done)
        last.end()
      })
      if (!ended && tally.reason === undefined) guarded(tally, () => last.flushSync())
    },
  }
}
