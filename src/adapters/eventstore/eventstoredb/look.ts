/** A look at a server without writing anything: for `doctor`. */
import { START } from '@eventstore/db-client'
import { type EventStoreDbAddress, readEventStoreDbAddress } from '../../../config/eventstoredb.ts'
import { defined } from '../../../domain/defined.ts'
import type { Clock } from '../../../ports/clock.ts'
import { EventStoreError } from '../../../ports/event-store.ts'
import { type Connection, openConnection } from './connection.ts'
import { failureOf, leaderOf } from './errors.ts'
import { isThere } from './history.ts'
import { readIdentity } from './identity.ts'
import { pull } from './pull.ts'
import { openReader, PATIENCE_MS } from './reader.ts'
import { SilentError, within } from './silence.ts'
import { requireVersion } from './version.ts'

export type Look = {
  readonly shown: string
  readonly version: string
  /** Host and port of the leader, where the one that was asked follows it. */
  readonly leader?: string
  /** Absent: there is no log of this project in it. */
  readonly logId?: string
  readonly head: bigint
  /** When the last event was recorded. */
  readonly recordedAt?: string
  readonly answeredInMs: number
}

const LOOK_MS = 5_000

/** Where the leader is when it is another one than was asked. From then on the client asks the leader. */
const leaderElsewhere = async (connection: Connection, clock: Clock): Promise<string | undefined> => {
  const opened = connection.client().readAll({ fromPosition: START, maxCount: 1, requiresLeader: true })
  const items = pull(opened, () => opened.cancel(), clock)
  try {
    await items.next(PATIENCE_MS)
    return undefined
  } catch (error) {
    const leader = leaderOf(error)
    if (leader === undefined) throw failureOf(error, connection.shown)
    return leader
  } finally {
    await items.end()
  }
}

const addressOf = (url: string): EventStoreDbAddress => {
  const address = readEventStoreDbAddress(url)
  if ('fault' in address) throw new EventStoreError('unavailable', `the URL ${address.fault}`)
  return address
}

/** Whether an event of the log is at the position. @throws {EventStoreError} */
export const lookForEvent = async (url: string, clock: Clock, position: bigint): Promise<boolean> => {
  const connection = openConnection(addressOf(url), clock)
  try {
    return await isThere(openReader(connection, clock), clock, position)
  } finally {
    connection.close()
  }
}

/** @throws {EventStoreError} why it is no use as it is. */
export const lookAtEventStoreDb = async (url: string, clock: Clock): Promise<Look> => {
  const address = addressOf(url)
  const { shown } = address
  const connection = openConnection(address, clock)
  let leader: string | undefined
  const look = async (): Promise<Look> => {
    const client = connection.client()
    const version = await client.serverVersion().catch(async (error: unknown) => {
      throw failureOf(await connection.why(error), shown)
    })
    requireVersion(version, shown)
    leader = await leaderElsewhere(connection, clock)
    const reader = openReader(connection, clock)
    const identity = await readIdentity(reader)
    const began = clock.monotonic()
    const head = await reader.head()
    const answeredInMs = clock.monotonic() - began
    const last = head > 0n ? await reader.at(head) : undefined
    return {
      shown,
      version,
      ...defined({ leader }),
      head,
      answeredInMs,
      ...defined({ logId: identity?.logId, recordedAt: last?.recordedAt }),
    }
  }
  try {
    return await within(LOOK_MS, clock, look)
  } catch (error) {
    const failure =
      error instanceof SilentError
        ? new EventStoreError('unavailable', `EventStoreDB at ${shown} gave no answer in ${LOOK_MS} ms`)
        : error
    if (leader === undefined || !(failure instanceof EventStoreError)) throw failure
    const message = `${failure.message}; it is a follower, and its leader, ${leader}, is asked in its place`
    throw new EventStoreError(failure.code, message, { cause: failure.cause })
  } finally {
    connection.close()
  }
}
