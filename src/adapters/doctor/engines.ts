/** Checks of the embedded engines: schema, soundness, whose checkpoints they are, who holds leases, how far consumers are. */
import type { Clock } from '../../ports/clock.ts'
import { type FileMark, fileMarks } from '../sqlite/marks.ts'
import { type Look, look, numberOf, textOf } from './files.ts'
import { type Finding, failed, note, ok, reasonOf, warning } from './finding.ts'

/** What a file has to say of itself to be ours. */
export type Kind = FileMark & {
  readonly name: string
  readonly again: string
}

/** What to do when one of them is broken. */
export const again = {
  events: 'Restore the log from its latest backup or copy: nothing else has what it holds.',
  reads: 'Stop the service and remove the file: everything in it is made again from the log.',
  jobs: 'Restore it, or stop the service and move it away: the mails that wait in it are then not sent.',
} as const

const eventFile: Kind = {
  name: 'event store',
  ...fileMarks.events,
  again: again.events,
}
const readFile: Kind = {
  name: 'read store',
  ...fileMarks.reads,
  again: again.reads,
}

export const jobsFile: Kind = {
  name: 'jobs',
  ...fileMarks.jobs,
  again: again.jobs,
}

export const identify = (kind: Kind, path: string, db: Look): readonly Finding[] => {
  const check = kind.name
  const id = numberOf(db.all('PRAGMA application_id')[0], 'application_id')
  const schema = numberOf(db.all('PRAGMA user_version')[0], 'user_version')
  if (id !== kind.applicationId)
    return [failed(check, `${path} belongs to another program.`, `Name another file for the ${kind.name}.`)]
  if (schema > kind.schema)
    return [failed(check, `${path} has schema ${schema}; this build knows ${kind.schema}.`, 'Use the newer build.')]
  if (schema < kind.schema)
    return [note(check, `${path} has schema ${schema} and is brought to ${kind.schema} at the next start`)]
  return [ok(check, `${path} opens; schema ${schema}`)]
}

export const fault = (kind: Kind, path: string, error: unknown): Finding =>
  failed(kind.name, `${path} cannot be read: ${reasonOf(error)}.`, kind.again)

export type LogFacts = {
  readonly logId: string
  readonly head: number
  /** Whether an event is at the position; absent where the engine numbers events without a gap. */
  readonly holds?: (position: number) => Promise<boolean>
}
export type EngineFindings<F> = { readonly findings: readonly Finding[]; readonly facts?: F }

const SKEW_MS = 1_000

const skew = (recorded: number, now: number): Finding =>
  recorded > now + SKEW_MS
    ? failed(
        'clock and log',
        `The last event was recorded at ${new Date(recorded).toISOString()}, which is still to come.`,
        'The clock was set back, or another node has one that is ahead: set both by a time service before writing more.',
      )
    : ok('clock and log', `the last event was recorded at ${new Date(recorded).toISOString()}`)

const longStreams = (db: Look): Finding => {
  const indexed = db.all("SELECT 1 AS there FROM sqlite_schema WHERE name = 'events_long'").length > 0
  const found = indexed ? db.all('SELECT name FROM events WHERE revision = 1000 LIMIT 20') : []
  return found.length === 0
    ? ok('streams', 'none has more than 1,000 events')
    : warning(
        'streams',
        `${found.length === 20 ? '20 or more streams have' : `${found.length} have`} more than 1,000 events, such as ${textOf(found[0], 'name')}.`,
        'Look who writes them so often (GET /v1/events?stream=...): streams are loaded whole, and these grow slow.',
      )
}

/** The log's file. */
export const checkEventFile = (path: string, clock: Pick<Clock, 'now'>): EngineFindings<LogFacts> => {
  let db: Look | undefined
  try {
    db = look(path)
    if (!db) return { findings: [note(eventFile.name, `${path} is not there yet: the first start makes it`)] }
    const identity = identify(eventFile, path, db)
    if (identity.some(each => each.state === 'failed')) return { findings: identity }
    const logId = textOf(db.all("SELECT value FROM meta WHERE name = 'log_id'")[0], 'value')
    const last = db.all('SELECT position, recorded FROM events ORDER BY position DESC LIMIT 1')[0]
    const findings = [
      ...identity,
      ok(eventFile.name, `log ${logId}, position ${numberOf(last, 'position')}`),
      ...(last ? [skew(numberOf(last, 'recorded'), clock.now().getTime())] : []),
      longStreams(db),
    ]
    const facts = { logId, head: numberOf(last, 'position') }
    return { findings, facts }
  } catch (error) {
    return { findings: [fault(eventFile, path, error)] }
  } finally {
    db?.close()
  }
}

/** How far a consumer is, on whichever engine it says so. */
export type ConsumerFacts = { readonly consumer: string; readonly logId: string; readonly position: number }

export const consumersIn = (db: Look): readonly ConsumerFacts[] =>
  db.all('SELECT consumer, log_id, position FROM checkpoint ORDER BY consumer LIMIT 1000').map(row => ({
    consumer: textOf(row, 'consumer'),
    logId: textOf(row, 'log_id'),
    position: numberOf(row, 'position'),
  }))

/** Positions of consumers at which the log has no event: each is looked at once, and most stand at the same one. */
const emptyPositions = async (
  found: readonly ConsumerFacts[],
  log: LogFacts | undefined,
): Promise<ReadonlySet<number>> => {
  const empty = new Set<number>()
  if (!log?.holds) return empty
  const ours = found.filter(({ logId, position }) => logId === log.logId && position > 0 && position <= log.head)
  for (const position of new Set(ours.map(({ position }) => position)))
    if (!(await log.holds(position))) empty.add(position)
  return empty
}

/** Whether each consumer is of this log, and how far behind. */
export const checkConsumers = async (
  found: readonly ConsumerFacts[],
  log: LogFacts | undefined,
): Promise<readonly Finding[]> => {
  const empty = await emptyPositions(found, log)
  return found.map(({ consumer, logId, position }) => {
    if (!log) return note(`consumer ${consumer}`, `position ${position}; there is no log to compare it with`)
    if (logId !== log.logId)
      return warning(
        `consumer ${consumer}`,
        'Its checkpoint belongs to another log.',
        'Nothing, if the log was copied or restored: a projection is built again, a subscriber goes on from the head. Else LEXICHRON_EVENT_STORE and LEXICHRON_READ_STORE do not belong together.',
      )
    if (position > log.head)
      return warning(
        `consumer ${consumer}`,
        `It is at position ${position}, beyond the end of the log (${log.head}).`,
        'Events were lost that it has seen, as after a restore: it is built again at the next start.',
      )
    if (empty.has(position))
      return failed(
        `consumer ${consumer}`,
        `It is at position ${position}, at which this log has no event.`,
        'An older copy of the log was put back and written on: start every node anew, and it is built again.',
      )
    const behind = log.head - position
    return behind === 0
      ? ok(`consumer ${consumer}`, 'up to date')
      : note(`consumer ${consumer}`, `${behind} positions behind the head; a running service catches up`)
  })
}

export const parkedIn = (db: Look): readonly string[] =>
  db
    .all("SELECT name, value FROM record WHERE name >= 'parked:' AND name < 'parked;' LIMIT 1000")
    .map(row => textOf(row, 'name'))

/** `names` are those of the records of what waits, 1,000 at most. */
export const checkParked = (names: readonly string[], check = 'parked'): Finding => {
  const [first] = names
  if (first === undefined) return ok(check, 'nothing waits')
  return warning(
    check,
    `${names.length >= 1000 ? '1,000 or more' : names.length} documents or keys wait since an event failed on them, such as ${first.slice('parked:'.length)}.`,
    'lexichron projections names them with the reason; once it is mended: lexichron projections retry.',
  )
}

export type Held = { readonly consumer: string; readonly beat: string }

export const heldLeases = (db: Look): readonly Held[] =>
  db.all("SELECT name, value FROM record WHERE name >= 'lease:' AND name < 'lease;' LIMIT 1000").flatMap(row => {
    const lease: unknown = JSON.parse(textOf(row, 'value'))
    const isHeld = typeof lease === 'object' && lease !== null && 'owner' in lease && lease.owner !== ''
    return isHeld ? [{ consumer: textOf(row, 'name').slice('lease:'.length), beat: textOf(row, 'value') }] : []
  })

/** Holders raise their lease every 2 s: who has not within this time is gone, stopped or cut off. */
const BEATS_MS = 5_000

export const leases = async (
  path: string,
  before: readonly Held[],
  clock: Pick<Clock, 'sleep'>,
  check = 'leases',
): Promise<readonly Finding[]> => {
  if (before.length === 0) return [note(check, 'nobody holds one: no service runs on these files')]
  await clock.sleep(BEATS_MS)
  const db = look(path)
  try {
    const after = new Map((db ? heldLeases(db) : []).map(each => [each.consumer, each.beat]))
    const silent = before.filter(each => after.get(each.consumer) === each.beat).map(each => each.consumer)
    const alive = before.length - silent.length
    return [
      ...(alive > 0 ? [ok(check, `${alive} are held by a service that is alive`)] : []),
      ...(silent.length > 0
        ? [
            warning(
              check,
              `${silent.length} are held by a process that gave no sign for ${BEATS_MS / 1000} s: ${silent.slice(0, 5).join(', ')}${silent.length > 5 ? ` and ${silent.length - 5} more` : ''}.`,
              'Nothing, if it was killed: a service that starts takes them over within 8 s. If it hangs, end it.',
            ),
          ]
        : []),
    ]
  } finally {
    db?.close()
  }
}

/** The read store's file. Waits five seconds where somebody holds a lease, to see whether they are alive. */
export const checkReadFile = async (
  path: string,
  log: LogFacts | undefined,
  clock: Pick<Clock, 'sleep'>,
): Promise<readonly Finding[]> => {
  let db: Look | undefined
  try {
    db = look(path)
    if (!db) return [note(readFile.name, `${path} is not there yet: it is made and filled from the log`)]
    const identity = identify(readFile, path, db)
    if (identity.some(each => each.state === 'failed')) return identity
    const found = [...identity, ...(await checkConsumers(consumersIn(db), log)), checkParked(parkedIn(db))]
    const held = heldLeases(db)
    db.close()
    db = undefined
    return [...found, ...(await leases(path, held, clock))]
  } catch (error) {
    return [fault(readFile, path, error)]
  } finally {
    db?.close()
  }
}
