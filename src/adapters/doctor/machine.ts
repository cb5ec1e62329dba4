/** Checks of the machine: runtime, clock, disk, ports, permissions of the keys. Nothing is written. */
import { access, constants, readdir, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { codeOf } from '../../core/files/error-code.ts'
import type { Clock } from '../../ports/clock.ts'
import { type Finding, failed, note, ok, reasonOf, warning } from './finding.ts'

const LEAST_NODE = 24

/** `versions` as process.versions has them. */
export const checkRuntime = (versions: Readonly<Record<string, string | undefined>>): Finding => {
  const { node = '0', deno } = versions
  if (deno !== undefined) return ok('runtime', `Deno ${deno}`)
  return Number(node.split('.')[0]) >= LEAST_NODE
    ? ok('runtime', `Node ${node}`)
    : failed('runtime', `Node ${node} runs this.`, `Install Node ${LEAST_NODE} or later.`)
}

const DRIFT_MS = 50
const SAMPLE_MS = 250

/** Wall time and monotonic time have to pass alike: else somebody is setting the clock just now. */
export const checkClock = async (clock: Clock): Promise<Finding> => {
  const [wall, monotonic] = [clock.now().getTime(), clock.monotonic()]
  await clock.sleep(SAMPLE_MS)
  const drift = Math.round(clock.now().getTime() - wall - (clock.monotonic() - monotonic))
  return Math.abs(drift) <= DRIFT_MS
    ? ok('clock', `wall and monotonic time agree; it is ${clock.now().toISOString()}`)
    : warning(
        'clock',
        `In ${SAMPLE_MS} ms the wall clock went ${drift} ms astray of the monotonic clock.`,
        'Let a time service slew the clock (chrony, systemd-timesyncd) rather than set it in steps.',
      )
}

/** The folder, or the nearest one above it that is there. */
const existing = async (folder: string): Promise<string> => {
  for (let at = folder; ; at = dirname(at)) {
    if (await stat(at).catch(() => undefined)) return at
    if (dirname(at) === at) return at
  }
}

const SCARCE_BYTES = 512 * 1024 * 1024
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`

/** Is there room, and may this user write there? `what` names the folder for people. */
export const checkFolder = async (what: string, folder: string): Promise<readonly Finding[]> => {
  const check = `disk of ${what}`
  const at = await existing(folder)
  const info = await stat(folder).catch(() => undefined)
  if (info && !info.isDirectory())
    return [failed(check, `${folder} is not a folder.`, 'Move the file away, or name another folder.')]
  const findings: Finding[] = []
  try {
    await access(at, constants.W_OK | constants.X_OK)
    findings.push(
      info ? ok(check, `${folder} can be written`) : note(check, `${folder} is not there yet and can be made`),
    )
  } catch (error) {
    findings.push(
      failed(
        check,
        `${at} cannot be written (${codeOf(error) ?? 'unknown'}).`,
        'Give it to the user that runs the service (chown), mount it for writing, or name another folder.',
      ),
    )
  }
  try {
    const { bavail, bsize, blocks, ffree, files } = await statfs(at)
    const free = bavail * bsize
    const room = `${gigabytes(free)} of ${gigabytes(blocks * bsize)} are free`
    const make =
      'Make room or move LEXICHRON_DATA_DIR to a larger disk: when it is full every write is refused with 503.'
    if (free < SCARCE_BYTES / 8) findings.push(failed(check, `${room}.`, make))
    else if (free < SCARCE_BYTES || bavail < blocks * 0.05) findings.push(warning(check, `${room}.`, make))
    else findings.push(ok(check, room))
    if (files > 0 && ffree < 1_000)
      findings.push(warning(check, `${ffree} files more can be made.`, 'Remove what is not needed: inodes run out.'))
  } catch (error) {
    findings.push(warning(check, `Its space cannot be read: ${reasonOf(error)}.`, 'Look at it with df.'))
  }
  return findings
}

const reachable = async (host: string, port: number): Promise<boolean> => {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host
  try {
    const answer = await fetch(`http://${name}:${port}/health/live`, { signal: AbortSignal.timeout(2_000) })
    return (await answer.text()).includes('"status":"live"')
  } catch {
    return false
  }
}

/** Can the service listen there, or does it already? */
export const checkPort = async (setting: string, host: string, port: number): Promise<Finding> => {
  const check = `port of ${setting}`
  if (port === 0) return ok(check, 'any free port is taken')
  const error = await new Promise<unknown>(resolve => {
    const probe = createServer()
    probe.once('error', resolve)
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(undefined)))
  })
  if (error === undefined) return ok(check, `${host}, port ${port} is free`)
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return (await reachable(host, port))
        ? ok(check, `a service of this program listens on ${host}, port ${port}`)
        : warning(
            check,
            `Something else listens on ${host}, port ${port}.`,
            `Stop it, or choose another port with ${setting}; a running service on LEXICHRON_METRICS_PORT is this too.`,
          )
    case 'EACCES':
      return failed(check, `Port ${port} may not be opened by this user.`, `Choose one from 1024 up with ${setting}.`)
    default:
      return failed(
        check,
        `${host}, port ${port}: ${reasonOf(error)}.`,
        'Let LEXICHRON_HOST be an address of this machine.',
      )
  }
}

const LOOKED_AT = 20_000

async function* below(folder: string): AsyncGenerator<string> {
  yield folder
  for (const each of await readdir(folder, { withFileTypes: true })) {
    if (each.isDirectory()) yield* below(join(folder, each.name))
    else yield join(folder, each.name)
  }
}

/** Keys are for their owner alone: files 0600, folders 0700. `written`: a log is there that may need them. */
export const checkKeys = async (folder: string, written: boolean): Promise<Finding> => {
  const check = 'keys'
  if (process.platform === 'win32') return note(check, 'this system has no file modes to check')
  if (!(await stat(folder).catch(() => undefined)))
    return written
      ? failed(
          check,
          `${folder} is gone, and there is a log: what people wrote is sealed under keys that were in it.`,
          'Put the folder back from a copy: until then no start goes on with a log that has sealed events.',
        )
      : note(check, `${folder} is not there yet`)
  // Every command that writes has made some.
  const secrets = written ? await readdir(join(folder, 'secret')).catch(() => []) : ['']
  if (secrets.length === 0)
    return failed(
      check,
      `${folder} has no secrets, and there is a log: tokens, cursors and the claims of addresses were made with them.`,
      'Put the folder back from a copy: until then no start goes on with a log that has sealed events, since nobody could sign in.',
    )
  const open: string[] = []
  let seen = 0
  try {
    for await (const path of below(folder)) {
      seen += 1
      if (seen > LOOKED_AT) break
      if (((await stat(path)).mode & 0o077) !== 0) open.push(path)
    }
  } catch (error) {
    return failed(
      check,
      `The keys cannot be looked at: ${reasonOf(error)}.`,
      'Run this as the user that runs the service, or give that user the folder.',
    )
  }
  return open.length === 0
    ? ok(
        check,
        `${seen > LOOKED_AT ? `the first ${LOOKED_AT}` : `all ${seen}`} files and folders are their owner's alone`,
      )
    : failed(
        check,
        `Others may read ${open.length} of the files and folders of the keys, such as ${open[0]}.`,
        `chmod -R go= ${folder}; if anybody else may have read them: lexichron keys rotate.`,
      )
}
