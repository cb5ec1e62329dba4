/** What is looked up about others is in the log before it is shown: the one place that says what that record is written by. */
import type { RecordDeps } from '../commands/record-lookups.ts'
import { lookupAggregate } from '../domain/account/lookup.ts'
import type { Core } from './core.ts'

export const recordDeps = ({ transactor, clock, newId }: Core): RecordDeps => ({
  lookups: transactor(lookupAggregate),
  clock,
  newId,
})
