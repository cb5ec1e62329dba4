/**
 * The name of this process, from which another process of the same machine can tell whether it still runs. On Linux it is
 * `<uuid>@<boot id>/<pid namespace>/<pid>/<start time>`: a process id alone is given out again, and means another process
 * in another container. Where one of these is not to be had the name is the UUID alone, which proves nothing.
 *
 * Boot id: random(4); pid namespace: pid_namespaces(7); start time in clock ticks since boot: proc_pid_stat(5), field 22.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import process from 'node:process'
import { codeOf } from '../../core/files/error-code.ts'

export type Node = {
  readonly id: string
  /** True only when it is certain: a process that cannot be seen from here may run. */
  hasEnded(id: string): boolean
}

type Place = { readonly machine: string; readonly pid: number; readonly started: string }

const attempt = <T>(work: () => T): T | undefined => {
  try {
    return work()
  } catch {
    return undefined
  }
}

/** State and start time, for a process that /proc shows to us. */
const statOf = (pid: number): { readonly state: string; readonly started: string } | undefined =>
  attempt(() => {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name of the command, in parentheses, may hold anything, parentheses and blanks too.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [state, started] = [fields[0], fields[19]]
    return state === undefined || started === undefined ? undefined : { state, started }
  })

const machineOf = (): string | undefined =>
  attempt(() => {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    const namespace = /^pid:\[(\d+)\]$/.exec(readlinkSync('/proc/self/ns/pid'))?.[1]
    return /^[0-9a-f-]{36}$/.test(boot) && namespace !== undefined ? `${boot}/${namespace}` : undefined
  })

const parse = (id: string): Place | undefined => {
  const [, machine, pid, started] = /@([0-9a-f-]{36}\/\d+)\/(\d{1,10})\/(\d+)$/.exec(id) ?? []
  return machine === undefined || started === undefined ? undefined : { machine, pid: Number(pid), started }
}

/** Signal 0 only asks (kill(2)); it also finds processes that /proc hides from other users. */
const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return codeOf(error) === 'ESRCH'
  }
}

/** `unique` tells this run of the program from all others: a UUID. */
export const identifyNode = (unique: string): Node => {
  const machine = machineOf()
  const own = statOf(process.pid)
  return {
    id: machine === undefined || !own ? unique : `${unique}@${machine}/${process.pid}/${own.started}`,
    hasEnded: id => {
      const place = parse(id)
      if (!place || place.machine !== machine || place.pid < 1) return false
      if (isGone(place.pid)) return true
      const found = statOf(place.pid)
      // Another process by now, or one that has ended and is not yet collected by its parent.
      return found !== undefined && (found.started !== place.started || found.state === 'Z' || found.state === 'X')
    },
  }
}

/** The process in words, as an operator looks for it. */
export const describeProcess = (pid: number): string => {
  if (pid === process.pid) return `this process (${pid})`
  const state = statOf(pid)?.state
  return state === 'T' || state === 't'
    ? `process ${pid}, which is stopped: wake it (SIGCONT) or end it`
    : `process ${pid}`
}
