/** The history of the service: the read model over the log, what may be shown of it, and the record of who looked. */
import type { HistoryEdge } from './adapters/http/routes-history.ts'
import type { Core, Views } from './app-core.ts'
import { openReadings } from './commands/history.ts'
import { openTransactor } from './commands/transact.ts'
import { dayAggregate } from './domain/day.ts'
import { entryAggregate } from './domain/entry.ts'
import { EntryRedacted } from './domain/entry-events.ts'
import type { EventType } from './domain/event.ts'
import { readingAggregate } from './domain/history.ts'
import { importAggregate } from './domain/import.ts'
import { searchesAggregate } from './domain/searches.ts'
import { tokenAggregate } from './domain/token.ts'
import { codecsOf } from './log/codec.ts'
import { openRemovals } from './log/removals.ts'
import { openTranscript } from './log/transcript.ts'
import { openHistory } from './queries/history.ts'

/** Readings are written once or twice each and never again: there is nothing to gain by keeping them. */
const CACHED_READINGS = 64

type Declared = { readonly category: string; readonly events: readonly EventType[] }

/** Every category with its event types: what the filters of the history know. */
const declared: readonly Declared[] = [
  ...[entryAggregate, dayAggregate, tokenAggregate, importAggregate],
  ...[searchesAggregate, readingAggregate],
]

const undeclared = (types: ReadonlyMap<string, EventType>): readonly string[] => {
  const known = new Set(declared.flatMap(each => each.events.map(({ type }) => type)))
  return [...types.keys()].filter(type => !known.has(type))
}

/**
 * `onError` hears of readings whose end could not be recorded.
 * @throws when the log knows an event type that no category here has: the history could not be asked for it.
 */
export const openHistoryEdge = (
  core: Core,
  views: Pick<Views, 'history'>,
  onError: (error: unknown) => void,
): HistoryEdge & { readonly close: () => Promise<void> } => {
  const { store, keys, log, clock, newId, random } = core
  const missing = undeclared(log.types)
  if (missing.length > 0) throw new Error(`No category of the history has the event types ${missing.join(', ')}.`)
  const types = new Map(declared.map(({ category, events }) => [category, events.map(({ type }) => type)]))
  const personal = new Set(
    declared.filter(({ events }) => events.some(({ seal }) => seal === 'subject')).map(({ category }) => category),
  )
  const removals = openRemovals(store, [EntryRedacted.type])
  const transcript = openTranscript({ keys, codecs: codecsOf([...log.types.values()]), removals })
  const readings = openReadings({
    ...{ clock, newId, onError },
    readings: openTransactor({ aggregate: readingAggregate, log, clock, random, cachedStreams: CACHED_READINGS }),
  })
  const history = openHistory({ records: store, transcript, view: views.history.view, types })
  return { history, readings, types, personal, close: () => readings.close() }
}
