/** What was written since an account began, for what goes with it: from the log itself, since read models may not have all of it yet. */
import type { Log } from '../core/log/log.ts'
import { accountStream } from '../domain/account/account.ts'
import type { Recorded } from '../domain/event.ts'

/** Events of these types after the first of the account's own stream, in order; none where there is no such account. @throws {EventStoreError} */
export async function* sinceAccount(
  log: Pick<Log, 'readStream' | 'readFrom'>,
  accountId: string,
  types: readonly string[],
): AsyncGenerator<Recorded> {
  for await (const [first] of log.readStream(accountStream(accountId), { limit: 1 })) {
    if (first) for await (const { events } of log.readFrom(first.position, { types })) yield* events
    return
  }
}
