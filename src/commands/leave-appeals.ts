/**
 * What becomes of appeals when the account of who filed them is erased: nobody is left who appeals, they close, and the keys of what was
 * said in them are destroyed. Again from the start where a process ended in the middle.
 */
import type { Log } from '../core/log/log.ts'
import type { Envelope, Transactor } from '../core/write/transact.ts'
import { type AppealState, closeAppealOf } from '../domain/moderation/appeal.ts'
import { type AppealEvent, AppealFiled } from '../domain/moderation/appeal-events.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import { sinceAccount } from './since-account.ts'

export type LeavingAppealsDeps = {
  readonly appeals: Pick<Transactor<AppealState, AppealEvent>, 'run'>
  readonly log: Pick<Log, 'readStream' | 'readFrom'>
}

/** `by`: an envelope of its own for each command. */
export const leaveAppeals = async (
  { appeals, log }: LeavingAppealsDeps,
  accountId: string,
  by: () => Envelope,
): Promise<'done' | Refusal> => {
  const filed: { readonly stream: string; readonly decision: string }[] = []
  for await (const { stream, data } of sinceAccount(log, accountId, [AppealFiled.type]))
    if (data['accountId'] === accountId) filed.push({ stream, decision: String(data['decision']) })
  for (const { stream, decision } of filed) {
    const closed = await appeals.run(stream, closeAppealOf(accountId, decision), by())
    if (isRefusal(closed)) return closed
  }
  return 'done'
}
