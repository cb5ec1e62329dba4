/** What this process has met of damage since it started: for health, the metrics and the log of the service. */

import { defined } from '../../domain/defined.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LoggedEvent } from '../../ports/event-store.ts'

export type DamageReport = {
  /** Damaged events that were met, each counted once, and where the first of them stand. */
  readonly events: number
  readonly positions: readonly string[]
  /** Streams that could not be found as they should, each counted once, and the first of them. */
  readonly streams: number
  readonly streamNames: readonly string[]
  /** Readings that met a document which does not fit its checksum; its read model is built again. */
  readonly documents: number
  /** The read model of the last one, and when that was (RFC 3339). */
  readonly last?: { readonly collection: string; readonly at: string }
}

export type Damage = {
  event(event: Pick<LoggedEvent, 'position'>): void
  stream(name: string): void
  document(collection: string): void
  report(): DamageReport
}

/** As health shows it. */
export const damageDetail = ({ events, positions, streams, streamNames, documents, last }: DamageReport) => ({
  damagedEvents: events,
  positions,
  damagedStreams: streams,
  streams: streamNames,
  damagedDocumentsMet: documents,
  ...defined({ last }),
})

/** Positions that are known apart; of more damage than that nobody needs a list. */
const KEPT = 10_000
const SHOWN = 20

export const openDamage = (clock: Pick<Clock, 'now'>): Damage => {
  const positions = new Set<bigint>()
  const streams = new Set<string>()
  let documents = 0
  let last: DamageReport['last']
  return {
    event: ({ position }) => {
      if (positions.size < KEPT) positions.add(position)
    },
    stream: name => {
      if (streams.size < KEPT) streams.add(name)
    },
    document: collection => {
      documents += 1
      last = { collection, at: clock.now().toISOString() }
    },
    report: () => {
      const first = [...positions].sort((a, b) => (a < b ? -1 : 1)).slice(0, SHOWN)
      const found = { events: positions.size, positions: first.map(String) }
      return {
        ...found,
        streams: streams.size,
        streamNames: [...streams].slice(0, SHOWN),
        documents,
        ...defined({ last }),
      }
    },
  }
}
