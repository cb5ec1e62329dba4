/** The event store that the configuration names. The client of an external one is loaded when it is chosen, not before. */
import { randomUUID } from 'node:crypto'
import { type Finding, failed, note, ok, reasonOf, warning } from '../adapters/doctor/finding.ts'
import type { AppendStats } from '../adapters/metrics/sources.ts'
import type { Config } from '../config/load.ts'
import type { Clock } from '../ports/clock.ts'
import { type CopyTarget, type EventStore, EventStoreError } from '../ports/event-store.ts'

/** An event store with what the service tells of it. */
export type CoreEventStore = EventStore &
  CopyTarget & {
    /** The id that the log had, the head it was seen to have, the one that it has: its end was lost. */
    readonly lostEnd?: { readonly logId: string; readonly seen: bigint; readonly head: bigint }
    stats(): AppendStats
    /** Streams above 1,000 events. */
    longStreams(limit: number): Promise<readonly { readonly stream: string; readonly revision: bigint }[]>
    /** What the log is looked up by, compared with its events: of an engine whose tables and indexes are ours. */
    lookAtLookups?(
      signal: AbortSignal,
    ): Promise<Readonly<Record<'differences' | 'setAside', readonly string[]>> & { readonly different: number }>
    /** Makes it again from the events; `kept`: where the file of before is, when all of it was made again. */
    repairLookups?(): Promise<{ readonly kept?: string }>
    /** Of an engine with a journal of its own in LEXICHRON_DATA_DIR. */
    foldJournal?(): Promise<number>
  }

export type OpenEventStoreOptions = {
  readonly clock: Clock
  /** How far consumers have seen each log. */
  readonly seen: ReadonlyMap<string, bigint>
  readonly onBatch?: (appends: number) => void
  /** An external store that holds no log is not to be given one. */
  readonly mustExist?: boolean
}

/** The failure of a start, with the setting's name before it. What is busy now is there later, as what is away is. */
const atStart = (setting: string, error: unknown): unknown =>
  error instanceof EventStoreError
    ? new EventStoreError(error.code === 'busy' ? 'unavailable' : error.code, `${setting}: ${error.message}`, {
        cause: error.cause,
      })
    : error

/** @throws {EventStoreError} which names the setting, and what was tried without the login. */
export const openEventStore = async (
  engine: Config['eventStore'],
  options: OpenEventStoreOptions,
  setting = 'LEXICHRON_EVENT_STORE',
): Promise<CoreEventStore> => {
  if (engine.engine === 'sqlite') {
    const { openSqliteEventStore } = await import('../adapters/eventstore/sqlite/store.ts')
    return openSqliteEventStore({ path: engine.path, newId: randomUUID, ...options })
  }
  const { openEventStoreDb } = await import('../adapters/eventstore/eventstoredb/store.ts')
  try {
    return await openEventStoreDb({ url: engine.url, newId: randomUUID, refuseForeign: true, ...options })
  } catch (error) {
    throw atStart(setting, error)
  }
}

const SKEW_MS = 2_000
const SLOW_MS = 250

/** What `doctor` finds of an external event store, without writing to it. */
export const diagnoseEventStore = async (
  url: string,
  clock: Clock,
): Promise<{
  readonly findings: readonly Finding[]
  readonly facts?: {
    readonly logId: string
    readonly head: bigint
    readonly holds: (position: bigint) => Promise<boolean>
  }
}> => {
  const check = 'event store'
  const { lookAtEventStoreDb, lookForEvent } = await import('../adapters/eventstore/eventstoredb/look.ts')
  try {
    const { shown, version, leader, logId, head, recordedAt, answeredInMs } = await lookAtEventStoreDb(url, clock)
    const findings: Finding[] = [
      ok(check, `EventStoreDB ${version} at ${shown} answers in ${Math.round(answeredInMs)} ms`),
    ]
    if (leader !== undefined)
      findings.push(
        warning(
          check,
          `It is a follower of its cluster; the leader is ${leader}, which is asked in its place.`,
          'Name all nodes of the cluster, or esdb+discover:// and its name, so that a start does not need this one.',
        ),
      )
    if (answeredInMs > SLOW_MS)
      findings.push(
        warning(check, 'It answers slowly.', 'Look at its load and disk, and at the way between it and this machine.'),
      )
    if (logId === undefined)
      findings.push(
        head === 0n
          ? note(check, 'it holds no log yet: the first start makes it')
          : failed(
              check,
              'It holds events of another program.',
              'Give the log a database of its own: LEXICHRON_EVENT_STORE.',
            ),
      )
    else findings.push(ok(check, `log ${logId}, position ${head}`))
    const ahead = recordedAt === undefined ? 0 : Date.parse(recordedAt) - clock.now().getTime()
    if (ahead > SKEW_MS)
      findings.push(
        failed(
          'clock and log',
          `The last event was recorded at ${recordedAt}, which is still to come.`,
          'The clock of this machine or of the database is wrong: set both by a time service.',
        ),
      )
    if (logId === undefined) return { findings }
    return { findings, facts: { logId, head, holds: position => lookForEvent(url, clock, position) } }
  } catch (error) {
    const advice = 'See docs/eventstoredb.md: URL, certificate, user and rights, version.'
    return { findings: [failed(check, `LEXICHRON_EVENT_STORE: ${reasonOf(error)}.`.replace(/\.\.$/, '.'), advice)] }
  }
}
