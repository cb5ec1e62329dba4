/** `lexichron copy`: the log into another engine. */

import { defined } from '../../domain/defined.ts'
import { type CliCommand, exitCodes, needed } from './command.ts'
import { count } from './terminal.ts'

export const copy: CliCommand = {
  name: 'copy',
  usage: '--to <url>',
  summary: 'copy the log into another event store, and verify the copy',
  details: [
    'URLs are those of LEXICHRON_EVENT_STORE: sqlite:path, esdb://host:2113. The target has to be empty or an unfinished copy: stopped',
    'or killed, the same command goes on. Events keep bytes, ids, times and order; the log gets a new id, so that read',
    'models are built anew and clients read again. The keys stay where they are: the copy needs the same LEXICHRON_KEYS.',
  ],
  options: { from: { type: 'string' }, to: { type: 'string' } },
  about: {
    from: 'URL   the log to copy; by default that of LEXICHRON_EVENT_STORE',
    to: 'URL     where to; nobody may write to it meanwhile',
  },
  positionals: [0, 0],
  run: async (input, context) => {
    const { terminal, signal } = context
    const to = needed(input, 'to', 'the URL of the event store to copy into')
    const from = input.option('from')
    const report = await context.watched(view =>
      context.copy({ to, ...defined({ from }) }, { signal, onProgress: view.show }),
    )
    const { complete, events, before, digest, toLog } = report
    const line = complete
      ? `${count(events)} events are in log ${toLog}, ${count(before)} of them from before; SHA-256 ${digest}`
      : `${count(events)} events are copied so far; run it again to go on`
    await terminal.result(terminal.json ? JSON.stringify(report) : line)
    return complete ? exitCodes.done : exitCodes.tryAgain
  },
}
