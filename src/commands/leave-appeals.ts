/**
 * What becomes of appeals when the account of who filed them is erased: nobody is left who appeals, they close, and the keys of what was
 * said in them are destroyed. Again from the start where a process ended in the middle.
 */
import type { Envelope, Transactor } from '../core/write/transact.ts'
import { type AppealState, appealedIn, closeAppealOf } from '../domain/moderation/appeal.ts'
import type { AppealEvent } from '../domain/moderation/appeal-events.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import type { Belongings } from './belongings.ts'

export type LeavingAppealsDeps = {
  readonly appeals: Pick<Transactor<AppealState, AppealEvent>, 'run'>
}

/** `by`: an envelope of its own for each command. */
export const leaveAppeals = async (
  deps: LeavingAppealsDeps,
  { accountId, appeals }: Pick<Belongings, 'appeals'> & { readonly accountId: string },
  by: () => Envelope,
): Promise<'done' | Refusal> => {
  for (const stream of appeals) {
    const closed = await deps.appeals.run(stream, closeAppealOf(accountId, appealedIn({ stream })), by())
    if (isRefusal(closed)) return closed
  }
  return 'done'
}
