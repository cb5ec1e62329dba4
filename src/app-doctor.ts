/** `lexichron doctor`: every check there is, on the settings in force, without opening the program and without a trace. */
import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { checkEventFile, checkReadFile, type LogFacts } from './adapters/doctor/engines.ts'
import { checkEngine, lookIntoReadStore } from './adapters/doctor/external.ts'
import { type Finding, failed, note, ok, reasonOf, warning } from './adapters/doctor/finding.ts'
import { checkClock, checkFolder, checkKeys, checkPort, checkRuntime } from './adapters/doctor/machine.ts'
import { logFolder } from './adapters/logging/service-log.ts'
import { systemClock } from './app-core.ts'
import { inspectKeysEngine, openReadEngine } from './app-engines.ts'
import { type Config, ConfigError } from './config.ts'
import type { Clock } from './ports/clock.ts'

const LARGE_JOURNAL = 256 * 1024 * 1024

const settingsOf = (load: () => Config): { readonly config?: Config; readonly findings: readonly Finding[] } => {
  try {
    const config = load()
    return {
      config,
      findings: [ok('settings', `${config.settings.length} settings are valid (${config.environment})`)],
    }
  } catch (error) {
    const faults = error instanceof ConfigError ? error.faults : [reasonOf(error)]
    const advice = 'Correct it; lexichron config prints what is in force, README.md says what each one is for.'
    return { findings: faults.map(each => failed('settings', each, advice)) }
  }
}

const journals = async (config: Config): Promise<readonly Finding[]> => {
  const found: Finding[] = []
  const paths = [config.eventStore, config.readStore].flatMap(each => ('path' in each ? [each.path] : []))
  for (const path of paths) {
    const bytes = (await stat(`${path}-wal`).catch(() => undefined))?.size ?? 0
    if (bytes > LARGE_JOURNAL)
      found.push(
        warning(
          'journals',
          `${path}-wal has ${Math.round(bytes / 1e6)} MB: somebody keeps it from being folded in.`,
          'Look for a process that reads for very long (an export, a backup) and let it end; it is folded in when idle.',
        ),
      )
  }
  return found.length > 0 ? found : [ok('journals', 'none is large')]
}

const checkKeysEngine = async (config: Config, clock: Clock): Promise<Finding> => {
  try {
    const found = await inspectKeysEngine(config, clock)
    return ok(
      'keys',
      found === 'empty' ? 'the database is empty: the first start makes the keys' : 'MASTER_KEY opens them',
    )
  } catch (error) {
    return failed('keys', `${reasonOf(error)}.`, 'Give the MASTER_KEY they were made with, or an address that answers.')
  }
}

/** Redis may be away: the service is slower then, and limits are each node's own. */
const checkCacheEngine = async (config: Config): Promise<Finding> => {
  if (config.cache.engine === 'memory') return ok('cache', 'in the memory of each process')
  const { askRedis } = await import('./adapters/cache/redis.ts')
  const found = await askRedis(config.cache.url)
  return 'version' in found
    ? ok('cache', `Redis ${found.version} answers and takes writes`)
    : warning(
        'cache',
        `${found.fault}.`,
        'The service goes on without it, slower, and each node counts limits for itself.',
      )
}

const checkReadEngine = (config: Config, clock: Clock, log: LogFacts | undefined): Promise<readonly Finding[]> =>
  checkEngine(
    'read store',
    async () => (await openReadEngine(config, { clock, newId: randomUUID, warn: () => undefined })).store,
    store => lookIntoReadStore(store, log),
  )

/** Checks everything; the findings in the order in which they were made. Takes five seconds beside a running service. */
export const diagnose = async (load: () => Config, clock: Clock = systemClock): Promise<readonly Finding[]> => {
  const { config, findings } = settingsOf(load)
  const machine = [...findings, checkRuntime(process.versions), await checkClock(clock)]
  if (!config) return [...machine, note('all else', 'is not checked until the settings are right')]
  const folders = new Map([[config.dataDir, 'DATA_DIR']])
  if (config.log.to !== 'stderr') folders.set(logFolder(config.dataDir), 'the log files')
  for (const [path, name] of [
    [dirname(config.eventStore.path), 'EVENT_STORE'],
    ...(config.readStore.engine === 'sqlite' ? [[dirname(config.readStore.path), 'READ_STORE'] as const] : []),
    ...(config.keys.engine === 'files' ? [[config.keys.path, 'KEYS'] as const] : []),
  ] as const)
    if (!folders.has(path)) folders.set(path, name)
  const disks = await Promise.all([...folders].map(([folder, name]) => checkFolder(name, folder)))
  const log = checkEventFile(config.eventStore.path, clock)
  return [
    ...machine,
    ...disks.flat(),
    config.keys.engine === 'files' ? await checkKeys(config.keys.path) : await checkKeysEngine(config, clock),
    ...log.findings,
    ...(await journals(config)),
    ...(config.readStore.engine === 'sqlite'
      ? await checkReadFile(config.readStore.path, log.facts, clock)
      : await checkReadEngine(config, clock, log.facts)),
    await checkCacheEngine(config),
    await checkPort('PORT', config.host, config.port),
    ...(config.metricsPort === undefined ? [] : [await checkPort('METRICS_PORT', config.host, config.metricsPort)]),
  ]
}
