/** What is looked after by the clock: journals, read models that nobody uses, the age of the signing key. */
import { stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import { keepRoom } from '../adapters/host/room.ts'
import { type Housekeeping, type Job, openHousekeeping } from '../adapters/jobs/housekeeping.ts'
import { forgetEnded } from '../commands/blocks.ts'
import type { Config } from '../config/load.ts'
import { sweepUndeclared } from '../core/project/pointer.ts'
import type { Core } from './core.ts'

/** A journal larger than this is folded in though appends go on, in bytes. */
const LARGE_JOURNAL = 256 * 1024 * 1024
/** A journal smaller than this is not worth a sync of the whole file, in bytes. */
const SMALL_JOURNAL = 64 * 1024
const DAY_MS = 24 * 60 * 60 * 1000
/** For so long a job that was done is known, and is not done again. */
const KEPT_JOBS_MS = 30 * DAY_MS
/** For so long it is known which address was blocked, after it is so no more. */
const KEPT_ADDRESSES_MS = 30 * DAY_MS

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0

/** Folds a journal in when nothing was written since the last look, or when it has grown too large to wait for that. */
const journalJob = (
  name: string,
  path: string,
  foldJournal: () => Promise<number>,
  written: () => Promise<number | bigint>,
): Job => {
  let before: number | bigint | undefined
  return {
    name,
    at: '*/1 * * * *',
    run: async () => {
      const now = await written()
      const idle = before === now
      before = now
      const bytes = await sizeOf(`${path}-wal`)
      if (bytes < SMALL_JOURNAL || !(idle || bytes > LARGE_JOURNAL)) return undefined
      const left = await foldJournal()
      return left < 0 ? undefined : `the journal of ${Math.round(bytes / 1024)} KiB was folded into its file`
    },
  }
}

/** Age of the key that signs now, in milliseconds. */
export const signingKeyAge = async ({ keys, clock }: Pick<Core, 'keys' | 'clock'>): Promise<number> => {
  const now = clock.now()
  const [first] = await keys.signing(now)
  return first ? now.getTime() - Date.parse(first.createdAt) : 0
}

const reminder = (core: Core, config: Config, logger: Logger): Job => ({
  name: 'key-reminder',
  at: '17 6 * * *',
  run: async () => {
    const age = await signingKeyAge(core)
    if (age > config.keyLifeMs)
      logger.warn(
        { ageDays: Math.floor(age / DAY_MS) },
        'the key that signs access tokens is due for rotation: run lexichron keys rotate',
      )
    return undefined
  },
})

const isEmbedded = ({ eventStore, readStore }: Config): boolean =>
  eventStore.engine === 'sqlite' || readStore.engine === 'sqlite'

const roomJob = ({ dataDir }: Config): Job => ({
  name: 'room',
  // A disk that was full may be full again soon.
  at: '*/10 * * * * *',
  run: async () => ((await keepRoom(dataDir)) ? 'some of the disk is kept for a start on a full one' : undefined),
})

export type MoreHousekeeping = {
  /** Carries out what is due of accounts; how many were erased. */
  readonly erase?: () => Promise<number>
  readonly jobs?: readonly Job[]
}

/** The jobs of a service. `projections` are the names that this build declares. */
export const startHousekeeping = (
  core: Core,
  config: Config,
  logger: Logger,
  projections: readonly string[],
  { erase = async () => 0, jobs: more = [] }: MoreHousekeeping = {},
): Housekeeping => {
  const { store, reads, clock } = core
  const { journal } = core.engine
  const checkpoints = async (): Promise<bigint> =>
    [...(await reads.checkpoints()).values()].reduce((sum, { position }) => sum + position, 0n)
  const jobs: readonly Job[] = [
    ...(config.eventStore.engine === 'sqlite'
      ? [
          journalJob(
            'event-journal',
            config.eventStore.path,
            async () => (await store.foldJournal?.()) ?? -1,
            store.head,
          ),
        ]
      : []),
    ...(journal ? [journalJob('read-journal', journal.path, journal.fold, checkpoints)] : []),
    ...more,
    {
      name: 'old-read-models',
      at: '*/10 * * * *',
      run: async () => {
        const dropped = await sweepUndeclared(reads, new Set(projections), clock.now())
        const swept = (await core.engine.sweep?.()) ?? []
        const gone = [...dropped, ...swept]
        return gone.length === 0 ? undefined : `dropped ${gone.join(', ')}: used by no node for an hour`
      },
    },
    {
      name: 'old-jobs',
      at: '23 3 * * *',
      run: async () => {
        const forgotten = await (await core.jobs()).purge(new Date(clock.now().getTime() - KEPT_JOBS_MS))
        return forgotten === 0 ? undefined : `${forgotten} jobs that were done a month ago were forgotten`
      },
    },
    {
      name: 'erasures',
      at: '*/1 * * * *',
      run: async () => {
        const erased = await erase()
        return erased === 0 ? undefined : `${erased} accounts were erased`
      },
    },
    {
      name: 'ended-blocks',
      at: '41 3 * * *',
      run: async () => {
        const forgotten = await forgetEnded(core, new Date(clock.now().getTime() - KEPT_ADDRESSES_MS))
        return forgotten === 0 ? undefined : `${forgotten} addresses whose block ended a month ago were forgotten`
      },
    },
    reminder(core, config, logger),
    ...(isEmbedded(config) ? [roomJob(config)] : []),
  ]
  return openHousekeeping({
    jobs,
    clock,
    onDone: (job, what) => logger.info({ job }, what),
    onError: (job, error) => logger.error({ job, err: error }, 'house-keeping failed; it is tried again'),
  })
}
