/**
 * Who the log is: its random id, in a stream of the adapter's own, written once where no stream is. A log that has lost its
 * end (an older backup was put back) gets a new one, since what is written from then on stands at positions that meant
 * other events before.
 */

import { defined } from '../../../domain/defined.ts'
import type { Clock } from '../../../ports/clock.ts'
import { EventStoreError } from '../../../ports/event-store.ts'
import type { Appender } from './appender.ts'
import { isThere } from './history.ts'
import type { Reader } from './reader.ts'

/** Begins with `_`: no stream of the log does, and no consumer sees it. */
export const IDENTITY_STREAM = '_lexichron-log'

/** The id that the log had, the head it was seen to have, the one that it has. */
export type LostEnd = { readonly logId: string; readonly seen: bigint; readonly head: bigint }

type Identity = { readonly logId: string; readonly revision: bigint }

/** Who the log is, if this database holds one. @throws {EventStoreError} */
export const readIdentity = async (reader: Reader): Promise<Identity | undefined> => {
  for await (const [event] of reader.stream(IDENTITY_STREAM, { direction: 'backwards', limit: 1 })) {
    const parsed: unknown = JSON.parse(event?.data ?? 'null')
    if (event && typeof parsed === 'object' && parsed !== null && 'logId' in parsed && typeof parsed.logId === 'string')
      return { logId: parsed.logId, revision: event.revision }
    throw new EventStoreError('corrupt', `the stream ${IDENTITY_STREAM} does not say which log this is`)
  }
  return undefined
}

export type IdentityOptions = {
  readonly reader: Reader
  readonly appender: Appender
  readonly clock: Clock
  readonly newId: () => string
  readonly seen: ReadonlyMap<string, bigint>
  /** A log that has events and no id belongs to another program: say so rather than write to it. */
  readonly refuseForeign: boolean
  /** It is only read: where there is no log, none is begun. */
  readonly mustExist: boolean
}

/** @throws {EventStoreError} */
export const openIdentity = async (
  options: IdentityOptions,
): Promise<{ readonly logId: string; readonly lostEnd?: LostEnd }> => {
  const { reader, appender, clock, newId, seen, refuseForeign, mustExist } = options
  const known = await readIdentity(reader)
  const head = await reader.head()
  if (!known && refuseForeign && head > 0n)
    throw new EventStoreError(
      'corrupt',
      'the database holds events of another program and no log of this one: give each a database of its own',
    )
  if (!known && mustExist) throw new EventStoreError('corrupt', 'the database holds no log of this program')
  const upTo = known ? (seen.get(known.logId) ?? 0n) : 0n
  // What was written since the older backup was put back may reach beyond what had been seen: then another event, or none, is there.
  if (known && upTo <= head && (upTo === 0n || (await isThere(reader, clock, upTo)))) return { logId: known.logId }
  const logId = newId()
  const lost = known && { logId: known.logId, seen: upTo, head }
  const why = lost ? { lost: lost.logId, seen: String(lost.seen), head: String(head) } : {}
  const event = { id: newId(), type: 'LogOpened', data: JSON.stringify({ logId, ...why }), meta: '{}' }
  const result = await appender.append(IDENTITY_STREAM, known ? known.revision : 'none', [event], event.data.length)
  if (result.outcome === 'written') return { logId, ...defined({ lostEnd: lost }) }
  // Another node was first, or nobody knows: what is there now counts.
  const now = await readIdentity(reader)
  if (now && now.revision > (known?.revision ?? -1n)) return { logId: now.logId }
  throw new EventStoreError('unavailable', 'it is not known whether the id of the log was written: try again')
}
