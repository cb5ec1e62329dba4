/** The dictionary: entries and their life, words of the day, imports, search. */

import { dictionaryProblems } from '../../adapters/http/problems/dictionary.ts'
import { type EntryQueries, entryRoutes } from '../../adapters/http/routes/entries.ts'
import { operator } from '../../commands/tokens.ts'
import { choose, dayAggregate, dayStream } from '../../domain/entry/day.ts'
import { EntryRedacted } from '../../domain/entry/events.ts'
import { importAggregate } from '../../domain/entry/import.ts'
import { entryPermissions } from '../../domain/entry/permissions.ts'
import { entryAggregate } from '../../domain/entry/state.ts'
import { pointOf } from '../../domain/ids.ts'
import { isRefusal } from '../../domain/refusal.ts'
import { openTurns } from '../../domain/turns.ts'
import { entriesProjection } from '../../projections/entries.ts'
import { searchProjection } from '../../projections/search.ts'
import { wordOfTheDay } from '../../queries/days.ts'
import { entryHistory, FOLDS_AT_ONCE, FOLDS_OF_ONE, getEntry } from '../../queries/entries.ts'
import { randomEntry } from '../../queries/entry-draw.ts'
import { exportEntries } from '../../queries/entry-export.ts'
import { listEntries } from '../../queries/entry-lists.ts'
import { searchEntries, suggestEntries } from '../../queries/search-entries.ts'
import { entryChannel, entryStandings } from '../../subscribers/entry-channel.ts'
import type { Area, Service } from '../area.ts'

const openQueries = ({ core, views, running, figures }: Service): EntryQueries => {
  const { clock, log, newId, transactor } = core
  const days = transactor(dayAggregate)
  const entries = views.of(entriesProjection)
  const reads = {
    entries,
    log,
    streams: transactor(entryAggregate),
    folds: openTurns(FOLDS_AT_ONCE, FOLDS_OF_ONE),
    people: running.people,
  }
  const search = { search: views.of(searchProjection), entries }
  const system = (commandId: string) => ({
    commandId,
    actor: operator,
    correlationId: commandId,
    at: clock.now(),
  })
  return {
    getEntry: getEntry(reads),
    listEntries: listEntries(reads),
    entryHistory: entryHistory(reads),
    exportEntries: exportEntries(reads),
    randomEntry: randomEntry(reads, seed => pointOf(seed ?? newId())),
    wordOfTheDay: wordOfTheDay({
      reads,
      clock,
      pointOf,
      chosen: async (language, date) => (await days.load(dayStream(language, date))).state,
      choose: async (language, date, entryId, gone) => {
        const decide = choose({ language, date, entryId }, gone)
        const result = await days.run(dayStream(language, date), decide, system(newId()))
        return isRefusal(result) ? undefined : result.state
      },
    }),
    searchEntries: searchEntries(search, figures.counter.count),
    suggestEntries: suggestEntries(search),
  }
}

export const dictionary: Area = {
  name: 'dictionary',
  aggregates: [entryAggregate, dayAggregate, importAggregate],
  projections: [entriesProjection, searchProjection],
  permissions: entryPermissions,
  problems: dictionaryProblems,
  removals: [{ type: EntryRedacted }],
  channels: [entryChannel],
  standings: entryStandings,
  routes: service =>
    entryRoutes({ transactor: service.core.transactor(entryAggregate), queries: openQueries(service) }),
}
