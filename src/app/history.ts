/** The history of the service: the read model over the log, what may be shown of it, and the record of who looked. */
import type { HistoryEdge } from '../adapters/http/routes/history.ts'
import { openReadings } from '../commands/history.ts'
import { codecsOf } from '../core/log/codec.ts'
import { openRemovals } from '../core/log/removals.ts'
import { openTranscript } from '../core/log/transcript.ts'
import { readingAggregate } from '../domain/history/history.ts'
import { historyProjection } from '../projections/history.ts'
import { openHistory } from '../queries/history.ts'
import type { Core, Views } from './core.ts'
import { categoriesOf, removalsOf } from './declared.ts'

export type OpenHistory = HistoryEdge & { close(): Promise<void> }

/** `onError` hears of readings whose end could not be recorded. */
export const openHistoryEdge = (core: Core, views: Views, onError: (error: unknown) => void): OpenHistory => {
  const { store, keys, log, clock, newId, transactor } = core
  const categories = categoriesOf(core.areas)
  const types = new Map(categories.map(({ category, events }) => [category, events.map(({ type }) => type)]))
  const personal = new Set(
    categories.filter(({ events }) => events.some(({ seal }) => seal === 'subject')).map(({ category }) => category),
  )
  const removals = openRemovals(
    store,
    // Of a stream that goes on the keys say what is left of it.
    removalsOf(core.areas).flatMap(({ type, onlyBefore }) => (onlyBefore ? [] : [type.type])),
  )
  const transcript = openTranscript({ keys, codecs: codecsOf([...log.types.values()]), removals })
  const readings = openReadings({
    clock,
    newId,
    onError,
    readings: transactor(readingAggregate),
  })
  const history = openHistory({ records: store, transcript, view: views.of(historyProjection), types })
  return { history, readings, types, personal, close: () => readings.close() }
}
