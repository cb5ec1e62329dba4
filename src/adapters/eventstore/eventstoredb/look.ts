/** A look at a server without writing anything: for `doctor`. */
import type { Clock } from '../../../ports/clock.ts'
import { EventStoreError } from '../../../ports/event-store.ts'
import { parseAddress } from './address.ts'
import { openConnection } from './connection.ts'
import { failureOf } from './errors.ts'
import { readIdentity } from './identity.ts'
import { openReader } from './reader.ts'
import { requireVersion } from './version.ts'

export type Look = {
  readonly shown: string
  readonly version: string
  /** Absent: there is no log of this project in it. */
  readonly logId?: string
  readonly head: bigint
  /** When the last event was recorded. */
  readonly recordedAt?: string
  readonly answeredInMs: number
}

const PATIENCE_MS = 5_000

/** @throws {EventStoreError} why it is no use as it is. */
export const lookAtEventStoreDb = async (url: string, clock: Clock): Promise<Look> => {
  const address = parseAddress(url)
  if ('fault' in address) throw new EventStoreError('unavailable', `the URL ${address.fault}`)
  const { shown } = address
  const connection = openConnection(address)
  const done = new AbortController()
  const look = async (): Promise<Look> => {
    const client = connection.client()
    const version = await client.serverVersion().catch((error: unknown) => {
      throw failureOf(error, shown)
    })
    requireVersion(version, shown)
    const reader = openReader(connection, clock)
    const identity = await readIdentity(reader)
    const began = clock.monotonic()
    const head = await reader.head()
    const answeredInMs = clock.monotonic() - began
    const last = head > 0n ? await reader.at(head) : undefined
    return {
      ...{ shown, version, head, answeredInMs },
      ...(identity && { logId: identity.logId }),
      ...(last && { recordedAt: last.recordedAt }),
    }
  }
  try {
    return await Promise.race([
      look(),
      clock.sleep(PATIENCE_MS, done.signal).then(() => {
        throw new EventStoreError('unavailable', `EventStoreDB at ${shown} gave no answer in ${PATIENCE_MS} ms`)
      }),
    ])
  } finally {
    done.abort()
    await connection.close()
  }
}
