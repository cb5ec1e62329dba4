/** The program: the command line with the process around it (arguments, signals, exit code). */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { unforeseen } from './adapters/cli/failures.ts'
import { runCommandLine } from './adapters/cli/run.ts'
import { loadConfig } from './config/load.ts'
import { threadPoolSize } from './config/threads.ts'

/** From the first signal on. */
const GRACE_MS = 10_000
/**
 * Ctrl-C reaches every process of the terminal's group, and npm passes on what it gets: one key press arrives two or
 * three times. Only a signal later than this is a second one.
 */
const SAME_PRESS_MS = 1000

// Before anything uses the pool, which is made then.
process.env['UV_THREADPOOL_SIZE'] = String(threadPoolSize(availableParallelism()))

const stopping = new AbortController()

const fail = (line: string): never => {
  process.stderr.write(`lexichron: ${line}\n`)
  process.exit(1)
}

// What is written here is its owner's alone: read models hold in the clear what keys seal in the log.
process.umask(0o077)

let stoppedAt: number | undefined
const stop = (): void => {
  const now = performance.now()
  if (stoppedAt !== undefined && now - stoppedAt > SAME_PRESS_MS) fail('stopped at once, on a second signal.')
  if (stoppedAt !== undefined) return
  stoppedAt = now
  stopping.abort()
  setTimeout(() => fail(`not closed within ${GRACE_MS / 1000} seconds; stopped.`), GRACE_MS).unref()
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
// The launcher that started this process is gone, however it ended: nobody is left who could stop the service.
process.once('disconnect', stop)
process.channel?.unref()

let broken = false
const breakDown = (error: unknown): void => {
  const text = unforeseen(error)
  if (broken) fail(`a second failure while closing: ${text}`)
  broken = true
  process.stderr.write(`lexichron: this should not have happened: ${text}\n`)
  stop()
}
process.on('uncaughtException', breakDown)
process.on('unhandledRejection', breakDown)

const versionOf = (text: string): string => {
  const parsed: unknown = JSON.parse(text)
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : 'unknown'
}

const code = await runCommandLine(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  dumb: process.env['TERM'] === 'dumb',
  version: versionOf(readFileSync(new URL('../package.json', import.meta.url), 'utf8')),
  config: () => loadConfig(process.env, process.cwd()),
  openApp: async () => (await import('./app/program.ts')).openApp,
  openDoctor: async () => (await import('./app/doctor.ts')).diagnose,
  openMails: async () => (await import('./app/mail.ts')).mails,
  openCopy: async () => (await import('./app/copy.ts')).copyBetween,
  signal: stopping.signal,
  now: () => performance.now(),
})
process.exitCode = broken ? 1 : code
// Fires only if something is left open that keeps the process alive: all work is done and closed by now.
setTimeout(() => process.exit(), 1000).unref()
