/** Whether somebody keeps the files of the embedded engines from being written: looked at each second, told by /health. */
import { basename } from 'node:path'
import { describeProcess } from '../adapters/host/process.ts'
import type { HealthPart } from '../adapters/http/operation.ts'
import { openLockWatch } from '../adapters/sqlite/locks.ts'
import type { Config } from '../config/load.ts'
import type { Clock } from '../ports/clock.ts'
import type { Closing } from './core.ts'
import { jobsPath } from './jobs.ts'

const LOOK_MS = 1_000
/** Held for so long, in milliseconds, it is no longer the work of a moment: catching up takes 400 ms a transaction. */
const LONG_MS = 2_000

const filesOf = ({ eventStore, readStore }: Config): readonly string[] => [
  ...(eventStore.engine === 'sqlite' ? [eventStore.path] : []),
  ...(readStore.engine === 'sqlite' ? [readStore.path, jobsPath(readStore.path)] : []),
]

/** The part of /health; undefined where no engine is a file. */
export const watchLocks = (
  config: Config,
  clock: Pick<Clock, 'monotonic' | 'sleep'>,
  opened: Closing[],
): (() => HealthPart | undefined) => {
  const files = filesOf(config)
  if (files.length === 0) return () => undefined
  const watch = openLockWatch(files, clock.monotonic)
  const ending = new AbortController()
  const looking = (async () => {
    while (!ending.signal.aborted) {
      watch.look()
      await clock.sleep(LOOK_MS, ending.signal)
    }
  })()
  opened.push({
    close: async () => {
      ending.abort()
      await looking
      watch.close()
    },
  })
  return () => {
    const long = watch.look().filter(({ heldMs }) => heldMs >= LONG_MS)
    if (long.length === 0) return { state: 'ok' }
    const detail = Object.fromEntries(
      long.map(({ path, heldMs, pid }) => [
        basename(path),
        { heldMs, holder: pid === undefined ? 'another process' : describeProcess(pid) },
      ]),
    )
    return { state: 'degraded', detail }
  }
}
