/** The history of the service: the read model over the log, what may be shown of it, and the record of who looked. */
import type { HistoryEdge } from '../adapters/http/routes/history.ts'
import { openReadings } from '../commands/history.ts'
import { codecsOf } from '../core/log/codec.ts'
import { openRemovals } from '../core/log/removals.ts'
import { openTranscript } from '../core/log/transcript.ts'
import { openTransactor } from '../core/write/transact.ts'
import { blockAggregate } from '../domain/access/block.ts'
import { tokenAggregate } from '../domain/access/token.ts'
import { accountAggregate } from '../domain/account/account.ts'
import { administratorsAggregate } from '../domain/account/administrators.ts'
import { lookupAggregate } from '../domain/account/lookup.ts'
import { addressAggregate } from '../domain/address/address.ts'
import { addressKeysAggregate } from '../domain/address/keys.ts'
import { mailAggregate } from '../domain/address/mail-refusal.ts'
import { dayAggregate } from '../domain/entry/day.ts'
import { EntryRedacted } from '../domain/entry/events.ts'
import { importAggregate } from '../domain/entry/import.ts'
import { entryAggregate } from '../domain/entry/state.ts'
import type { EventType } from '../domain/event.ts'
import { readingAggregate } from '../domain/history/history.ts'
import { openIdClaimAggregate } from '../domain/openid/claim.ts'
import { linkedIdentitiesAggregate } from '../domain/openid/linked-identities.ts'
import { nameAggregate } from '../domain/profile/name-claim.ts'
import { preferencesAggregate } from '../domain/profile/preferences.ts'
import { profileAggregate } from '../domain/profile/profile.ts'
import { searchesAggregate } from '../domain/search/searches.ts'
import { devicesAggregate } from '../domain/session/devices.ts'
import { passkeysAggregate } from '../domain/session/passkeys.ts'
import { factorsAggregate } from '../domain/session/second-factor.ts'
import { sessionAggregate } from '../domain/session/session.ts'
import { openHistory } from '../queries/history.ts'
import type { DeclaredCategory } from '../subscribers/live-schemas.ts'
import type { Core, Views } from './core.ts'

/** Readings are written once or twice each and never again: there is nothing to gain by keeping them. */
const CACHED_READINGS = 64

/** Every category with its event types: what the filters of the history know, and the live feed describes. */
export const declaredCategories: readonly DeclaredCategory[] = [
  entryAggregate,
  dayAggregate,
  tokenAggregate,
  importAggregate,
  searchesAggregate,
  readingAggregate,
  addressAggregate,
  addressKeysAggregate,
  accountAggregate,
  sessionAggregate,
  profileAggregate,
  preferencesAggregate,
  nameAggregate,
  administratorsAggregate,
  blockAggregate,
  lookupAggregate,
  mailAggregate,
  linkedIdentitiesAggregate,
  openIdClaimAggregate,
  factorsAggregate,
  devicesAggregate,
  passkeysAggregate,
]

const undeclared = (types: ReadonlyMap<string, EventType>): readonly string[] => {
  const known = new Set(declaredCategories.flatMap(each => each.events.map(({ type }) => type)))
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
  const types = new Map(declaredCategories.map(({ category, events }) => [category, events.map(({ type }) => type)]))
  const personal = new Set(
    declaredCategories
      .filter(({ events }) => events.some(({ seal }) => seal === 'subject'))
      .map(({ category }) => category),
  )
  const removals = openRemovals(store, [EntryRedacted.type])
  const transcript = openTranscript({ keys, codecs: codecsOf([...log.types.values()]), removals })
  const readings = openReadings({
    clock,
    newId,
    onError,
    readings: openTransactor({
      aggregate: readingAggregate,
      log,
      clock,
      random,
      cachedStreams: CACHED_READINGS,
      memory: core.memory.region('streams'),
    }),
  })
  const history = openHistory({ records: store, transcript, view: views.history.view, types })
  return { history, readings, types, personal, close: () => readings.close() }
}
