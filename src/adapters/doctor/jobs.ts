/** Checks of the queue, on whichever engine: what is parked or late, how far its subscribers are, whether the clocks of nodes agree. */
import type { Clock } from '../../ports/clock.ts'
import { CLOCKS_APART_MS, type JobCounts } from '../../ports/jobs.ts'
import type { ConsumerStore } from '../../ports/read-store.ts'
import {
  checkConsumers,
  checkParked,
  consumersIn,
  fault,
  heldLeases,
  identify,
  jobsFile,
  type LogFacts,
  leases,
  parkedIn,
} from './engines.ts'
import { type Look, look, numberOf, textOf } from './files.ts'
import { type Finding, failed, note, ok, warning } from './finding.ts'

/** Keys of subscribers, which `projections retry` tries again. */
const PARKED = 'parked with jobs'
const LATE_MS = 15 * 60_000

const checkCounts = (parked: number, late: boolean): readonly Finding[] => [
  parked === 0
    ? ok(jobsFile.name, 'none is parked')
    : warning(
        jobsFile.name,
        `${parked >= 1000 ? '1,000 or more' : parked} are parked: their tries are used up, or an operator has to decide.`,
        'lexichron jobs list --state parked says why; then lexichron jobs retry, or drop.',
      ),
  ...(late
    ? [
        warning(
          jobsFile.name,
          'Some should have been done more than 15 minutes ago.',
          'Is a service running on these files? Its health says what keeps mail from leaving.',
        ),
      ]
    : []),
]

/** What nodes write of their clocks (src/adapters/jobs/clocks.ts): milliseconds since 1970, and a number that raises. */
const BEATS = 'node:'
const beatOf = (text: string): number | undefined => {
  const [, at] = /^(\d{1,15}) \d{1,15}$/.exec(text) ?? []
  return at === undefined ? undefined : Number(at)
}
/** Each writes every five seconds: who has not within this time is gone. */
const BEATS_MS = 6_500
const LOOK_MS = 250

type Beats = () => Promise<ReadonlyMap<string, string>> | ReadonlyMap<string, string>

/**
 * Compares the clocks of running nodes with this one's, and with each other. A time is worth something at the moment at which it is
 * seen to change: so they are looked at until all have, or for as long as a node that is alive would need.
 */
const checkClocks = async (beats: Beats, clock: Clock): Promise<readonly Finding[]> => {
  const check = 'clocks of nodes'
  const before = await beats()
  if (before.size === 0) return [note(check, 'no service runs on this queue')]
  const ahead = new Map<string, number>()
  const began = clock.monotonic()
  while (ahead.size < before.size && clock.monotonic() - began < BEATS_MS) {
    await clock.sleep(LOOK_MS)
    const now = clock.now().getTime()
    for (const [name, text] of await beats()) {
      const at = beatOf(text)
      if (at !== undefined && !ahead.has(name) && before.get(name) !== text) ahead.set(name, at - now)
    }
  }
  if (ahead.size === 0) return [note(check, 'no node gave a sign: none is alive')]
  const all = [0, ...ahead.values()]
  const apart = Math.max(...all) - Math.min(...all)
  const seconds = (apart / 1000).toFixed(1)
  return apart > CLOCKS_APART_MS
    ? [
        failed(
          check,
          `The clocks of ${ahead.size} nodes and of this machine are ${seconds} s apart, and ${CLOCKS_APART_MS / 1000} s are the most.`,
          'Set them by a time service (chrony, systemd-timesyncd): a node that is far ahead takes jobs over that others still do.',
        ),
      ]
    : [ok(check, `those of ${ahead.size} and of this machine are at most ${seconds} s apart`)]
}

const beatsIn = (path: string): ReadonlyMap<string, string> => {
  const db = look(path)
  try {
    const rows = db?.all("SELECT name, value FROM record WHERE name >= 'node:' AND name < 'node;' LIMIT 1000") ?? []
    return new Map(rows.map(row => [textOf(row, 'name'), textOf(row, 'value')]))
  } finally {
    db?.close()
  }
}

/** The file of jobs, beside that of the read store. Waits for a few seconds where a service runs. */
export const checkJobsFile = async (
  path: string,
  log: LogFacts | undefined,
  clock: Clock,
): Promise<readonly Finding[]> => {
  let db: Look | undefined
  try {
    db = look(path)
    if (!db) return [note(jobsFile.name, `${path} is not there yet: the first start makes it`)]
    const identity = identify(jobsFile, path, db)
    if (identity.some(({ state }) => state !== 'ok')) return identity
    const count = (where: string, ...values: readonly number[]): number =>
      numberOf(
        db?.all(`SELECT count(*) AS found FROM (SELECT 1 FROM job WHERE ${where} LIMIT 1000)`, ...values)[0],
        'found',
      )
    const parked = count('failures > 0 AND next_run IS NULL AND locked IS NULL')
    const late = count('next_run < ? AND locked IS NULL', clock.now().getTime() - LATE_MS) > 0
    const found = [
      ...identity,
      ...checkCounts(parked, late),
      ...(await checkConsumers(consumersIn(db), log)),
      checkParked(parkedIn(db), PARKED),
    ]
    const held = heldLeases(db)
    db.close()
    db = undefined
    const [alive, clocks] = await Promise.all([
      leases(path, held, clock, 'leases of jobs'),
      checkClocks(() => beatsIn(path), clock),
    ])
    return [...found, ...alive, ...clocks]
  } catch (error) {
    return [fault(jobsFile, path, error)]
  } finally {
    db?.close()
  }
}

/** A queue that is no file. */
export const lookIntoJobs = async (
  queue: { counts(): Promise<JobCounts>; readonly consumers: Pick<ConsumerStore, 'checkpoints' | 'records'> },
  log: LogFacts | undefined,
  clock: Clock,
): Promise<readonly Finding[]> => {
  const { consumers } = queue
  const [counts, checkpoints, parked, clocks] = await Promise.all([
    queue.counts(),
    consumers.checkpoints(),
    consumers.records('parked:'),
    checkClocks(() => consumers.records(BEATS), clock),
  ])
  const facts = [...checkpoints].map(([consumer, { logId, position }]) => ({
    consumer,
    logId,
    position: Number(position),
  }))
  const late = counts.oldest !== undefined && counts.oldest.getTime() < clock.now().getTime() - LATE_MS
  return [
    ...checkCounts(counts.parked, late),
    ...(await checkConsumers(facts, log)),
    checkParked([...parked.keys()], PARKED),
    ...clocks,
  ]
}
