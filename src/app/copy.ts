/** Opens two event stores and copies the log of one into the other: `lexichron copy`. */
import { stat } from 'node:fs/promises'
import type { Copy } from '../adapters/cli/app-port.ts'
import { parseEngine } from '../config/engines.ts'
import { readEventStoreDbAddress } from '../config/eventstoredb.ts'
import type { Config } from '../config/load.ts'
import { masked } from '../config/settings.ts'
import { CopyError, copyLog } from '../core/log/copy.ts'
import { systemClock } from './core.ts'
import { openEventStore } from './eventstore.ts'

const engineOf = (option: string, url: string, dataDir: string): Config['eventStore'] => {
  const refuse = (fault: string): CopyError =>
    new CopyError(`--${option} ${masked('LEXICHRON_EVENT_STORE', url)} ${fault}.`, { kind: 'usage' })
  const parsed = parseEngine('LEXICHRON_EVENT_STORE', url, { dataDir, cwd: process.cwd() })
  if ('fault' in parsed) throw refuse(parsed.fault)
  if (parsed.engine === 'sqlite') return parsed
  if (parsed.engine !== 'eventstoredb') throw refuse('is no event store')
  const address = readEventStoreDbAddress(parsed.url)
  if ('fault' in address) throw refuse(address.fault)
  return { engine: parsed.engine, url: parsed.url }
}

export const copyBetween: Copy = async (config, urls, watch) => {
  const source = urls.from === undefined ? config.eventStore : engineOf('from', urls.from, config.dataDir)
  const target = engineOf('to', urls.to, config.dataDir)
  if (source.engine === 'sqlite') {
    // Opening would make it.
    if (!(await stat(source.path).catch(() => undefined)))
      throw new CopyError(`--from: there is no log at ${source.path}.`)
    if (target.engine === 'sqlite' && target.path === source.path)
      throw new CopyError('--from and --to are the same file.', { kind: 'usage' })
  }
  const options = { clock: systemClock, seen: new Map<string, bigint>() }
  const from = await openEventStore(source, { ...options, mustExist: true }, '--from')
  try {
    const to = await openEventStore(target, options, '--to')
    try {
      return await copyLog({
        from,
        to,
        clock: systemClock,
        signal: watch.signal,
        onProgress: at => watch.onProgress({ ...at, unit: 'events' }),
      })
    } finally {
      await to.close()
    }
  } finally {
    await from.close()
  }
}
