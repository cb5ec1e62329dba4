/** What a test file has started and not ended, as Linux tells it in /proc. Elsewhere nothing is found. */
import { readdirSync, readFileSync } from 'node:fs'

export type Leftover = { readonly pid: number; readonly command: string }

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // It has ended meanwhile, or is none of ours.
    return ''
  }
}

/** The session that a process belongs to; undefined for one that has ended and waits for its parent. */
const sessionOf = (pid: number): number | undefined => {
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  return fields[0] === undefined || fields[0] === '' || fields[0] === 'Z' ? undefined : Number(fields[3])
}

/**
 * The processes that run in the session of a test file, or that its temporary folder is named to: a browser and whatever
 * else makes a session of its own is found by the folder.
 */
export const leftoversOf = (session: number, folder: string): readonly Leftover[] => {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && name !== String(process.pid))
    .map(Number)
    .flatMap(pid => {
      const own = sessionOf(pid)
      if (own === undefined) return []
      const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
      const named = command.includes(folder) || read(`/proc/${pid}/environ`).includes(folder)
      return own === session || named ? [{ pid, command }] : []
    })
}

/** Ends a process that may have ended already. */
export const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It was quicker.
  }
}
