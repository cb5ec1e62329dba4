/** Entries: their life, words of the day, imports, search. */
import { dayAggregate } from '../../domain/entry/day.ts'
import { importAggregate } from '../../domain/entry/import.ts'
import { entryAggregate } from '../../domain/entry/state.ts'
import { entriesProjection } from '../../projections/entries.ts'
import { searchProjection } from '../../projections/search.ts'
import type { Declared } from '../declared.ts'

export const dictionary: Declared = {
  name: 'dictionary',
  aggregates: [entryAggregate, dayAggregate, importAggregate],
  projections: [entriesProjection, searchProjection],
}
