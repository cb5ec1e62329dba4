/** `lexichron doctor`: every check there is, on the settings in force, without opening the program and without a trace. */
import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { checkModes, checkSealed, checkSound } from '../adapters/doctor/data-files.ts'
import { again, checkEventFile, checkReadFile, type LogFacts } from '../adapters/doctor/engines.ts'
import { checkEngine, lookIntoReadStore } from '../adapters/doctor/external.ts'
import { type Finding, failed, note, ok, reasonOf, warning } from '../adapters/doctor/finding.ts'
import { checkJobsFile, lookIntoJobs } from '../adapters/doctor/jobs.ts'
import { checkClock, checkFolder, checkKeys, checkPort, checkRuntime } from '../adapters/doctor/machine.ts'
import { logFolder } from '../adapters/logging/service-log.ts'
import { type Config, ConfigError } from '../config/load.ts'
import { masked } from '../config/settings.ts'
import type { Clock } from '../ports/clock.ts'
import { systemClock } from './core.ts'
import { inspectKeysEngine, openReadEngine } from './engines.ts'
import { diagnoseEventStore } from './eventstore.ts'
import { jobsPath } from './jobs.ts'

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

/** `written`: a log is there that may need them. */
const checkKeysEngine = async (config: Config, clock: Clock, written: boolean): Promise<Finding> => {
  try {
    const found = await inspectKeysEngine(config, clock)
    if (found === 'empty' && written)
      return failed(
        'keys',
        'The database of LEXICHRON_KEYS is empty, and there is a log: what people wrote is sealed under keys that were in it.',
        'Put the database back from a backup: until then no start goes on with a log that has sealed events.',
      )
    return ok(
      'keys',
      found === 'empty' ? 'the database is empty: the first start makes the keys' : 'LEXICHRON_MASTER_KEY opens them',
    )
  } catch (error) {
    return failed(
      'keys',
      `${reasonOf(error)}.`,
      'Give the LEXICHRON_MASTER_KEY they were made with, or an address that answers.',
    )
  }
}

/** Redis may be away: the service is slower then, and limits are each node's own. */
const checkCacheEngine = async (config: Config): Promise<Finding> => {
  if (config.cache.engine === 'memory') return ok('cache', 'in the memory of each process')
  const { askRedis } = await import('../adapters/cache/redis.ts')
  const found = await askRedis(config.cache.url)
  return 'version' in found
    ? ok(
        'cache',
        `Redis ${found.version} answers and takes writes (LEXICHRON_CACHE is ${masked('LEXICHRON_CACHE', config.cache.url)})`,
      )
    : warning(
        'cache',
        `LEXICHRON_CACHE is ${masked('LEXICHRON_CACHE', config.cache.url)}: ${found.fault}.`,
        'The service goes on without it, slower, and each node counts limits for itself.',
      )
}

/** A server may be away: mail waits for it. */
const checkMail = async (config: Config): Promise<Finding> => {
  if (config.mail.engine === 'files') return ok('mail', `as files in ${config.mail.path}`)
  const { openMailer } = await import('./mail.ts')
  const mailer = await openMailer(config)
  try {
    await mailer.check()
    return ok('mail', 'the mail server answers and takes the login')
  } catch (error) {
    return warning(
      'mail',
      `${reasonOf(error)}.`,
      'The service runs without it: mail waits and is parked after eight tries.',
    )
  } finally {
    await mailer.close()
  }
}

const checkReadEngine = (config: Config, clock: Clock, log: LogFacts | undefined): Promise<readonly Finding[]> =>
  checkEngine(
    'read store',
    async () => (await openReadEngine(config, { clock, newId: randomUUID, warn: () => undefined })).store,
    store => lookIntoReadStore(store, log),
  )

/** Beside the read store: files, or a database. */
const checkJobs = async (
  { readStore }: Config,
  clock: Clock,
  log: LogFacts | undefined,
): Promise<readonly Finding[]> => {
  if (readStore.engine === 'sqlite') return checkJobsFile(jobsPath(readStore.path), log, clock)
  const { openMongoJobs } = await import('../adapters/jobs/mongodb/backend.ts')
  return checkEngine(
    'jobs',
    async () => {
      const queue = await openMongoJobs(readStore.url, 'LEXICHRON_READ_STORE')
      return { ...queue, close: queue.disconnect }
    },
    queue => lookIntoJobs(queue, log, clock),
  )
}

const checkEventStore = async (engine: Config['eventStore'], clock: typeof systemClock) => {
  if (engine.engine === 'sqlite') return checkEventFile(engine.path, clock)
  const { findings, facts } = await diagnoseEventStore(engine.url, clock)
  if (!facts) return { findings }
  const { logId, head, holds } = facts
  return { findings, facts: { logId, head: Number(head), holds: (position: number) => holds(BigInt(position)) } }
}

/** What only embedded engines can be asked: their files. */
const checkFiles = async (
  { eventStore, readStore, keys, mail, dataDir }: Config,
  broken: (check: string) => boolean,
): Promise<readonly Finding[]> => {
  const files = [
    ...(eventStore.engine === 'sqlite' ? [['event store', eventStore.path, again.events] as const] : []),
    ...(readStore.engine === 'sqlite'
      ? ([
          ['read store', readStore.path, again.reads],
          ['jobs', jobsPath(readStore.path), again.jobs],
        ] as const)
      : []),
  ]
  const whole = files.filter(([name]) => !broken(name))
  const sound = await Promise.all(whole.map(([name, path, advice]) => checkSound(name, path, advice)))
  const written =
    eventStore.engine === 'sqlite' && !broken('event store') && (await stat(eventStore.path).catch(() => undefined))
  return [
    await checkModes(
      files.map(([, path]) => path),
      [dataDir, logFolder(dataDir), ...(mail.engine === 'files' ? [mail.path] : [])],
    ),
    ...sound.flat(),
    ...(written && keys.engine === 'files' ? [await checkSealed(eventStore.path, keys.path)] : []),
  ]
}

/** Checks everything; the findings in the order in which they were made. Takes five seconds beside a running service. */
export const diagnose = async (load: () => Config, clock: Clock = systemClock): Promise<readonly Finding[]> => {
  const { config, findings } = settingsOf(load)
  const machine = [...findings, checkRuntime(process.versions), await checkClock(clock)]
  if (!config) return [...machine, note('all else', 'is not checked until the settings are right')]
  const folders = new Map([[config.dataDir, 'LEXICHRON_DATA_DIR']])
  if (config.log.to !== 'stderr') folders.set(logFolder(config.dataDir), 'the log files')
  for (const [path, name] of [
    ...(config.eventStore.engine === 'sqlite'
      ? [[dirname(config.eventStore.path), 'LEXICHRON_EVENT_STORE'] as const]
      : []),
    ...(config.readStore.engine === 'sqlite'
      ? [[dirname(config.readStore.path), 'LEXICHRON_READ_STORE'] as const]
      : []),
    ...(config.keys.engine === 'files' ? [[config.keys.path, 'LEXICHRON_KEYS'] as const] : []),
    ...(config.mail.engine === 'files' ? [[config.mail.path, 'LEXICHRON_MAIL'] as const] : []),
  ] as const)
    if (!folders.has(path)) folders.set(path, name)
  const disks = await Promise.all([...folders].map(([folder, name]) => checkFolder(name, folder)))
  const log = await checkEventStore(config.eventStore, clock)
  const written = (log.facts?.head ?? 0) > 0
  const { readStore } = config
  const both = Promise.all([
    readStore.engine === 'sqlite'
      ? checkReadFile(readStore.path, log.facts, clock)
      : checkReadEngine(config, clock, log.facts),
    checkJobs(config, clock, log.facts),
  ])
  const found = [
    ...machine,
    ...disks.flat(),
    config.keys.engine === 'files'
      ? await checkKeys(config.keys.path, written)
      : await checkKeysEngine(config, clock, written),
    ...log.findings,
    ...(await journals(config)),
    ...(await both).flat(),
  ]
  const broken = (check: string) => found.some(each => each.check === check && each.state === 'failed')
  return [
    ...found,
    ...(await checkFiles(config, broken)),
    await checkCacheEngine(config),
    await checkMail(config),
    await checkPort('LEXICHRON_PORT', config.host, config.port),
    ...(config.metricsPort === undefined
      ? []
      : [await checkPort('LEXICHRON_METRICS_PORT', config.host, config.metricsPort)]),
  ]
}
