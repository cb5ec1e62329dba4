/** The engines behind the ports, chosen by URL. The clients of external ones are loaded where they are configured. */
import { randomBytes } from 'node:crypto'
import { openMemoryCache } from '../adapters/cache/memory.ts'
import { openFileKeys } from '../adapters/keys/file.ts'
import type { MongoKeysOptions } from '../adapters/keys/mongodb.ts'
import { openOutbox } from '../adapters/mail/outbox.ts'
import type { CommandStats, PoolStats } from '../adapters/metrics/sources.ts'
import { openSqliteReadStore, type SqliteReadStore } from '../adapters/readstore/sqlite/store.ts'
import type { Config } from '../config/load.ts'
import { masked, masterKeyOf } from '../config/settings.ts'
import { firstSealed } from '../core/log/sealed.ts'
import type { Memory } from '../core/memory/memory.ts'
import { defined } from '../domain/defined.ts'
import type { EventType } from '../domain/event.ts'
import type { Cache } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventStore } from '../ports/event-store.ts'
import { type Keys, KeysError, type KindOfKey } from '../ports/keys.ts'
import type { ReadStore } from '../ports/read-store.ts'

/** Folds the journal of an embedded engine into its file; pages left in it, -1 when somebody stood in the way. */
export type Journal = { readonly path: string; readonly fold: () => Promise<number> }

/** Takes out of an engine's files what was removed from its documents: `scrub` as the SQLite store has it. */
export type Cleaning = Pick<SqliteReadStore, 'scrub' | 'removeSetAside'>

export type ReadEngine = {
  readonly store: ReadStore
  readonly journal?: Journal
  readonly cleaning?: Cleaning
  /** Drops what a node left behind that ended in the middle of a change; what it was. */
  readonly sweep?: () => Promise<readonly string[]>
  /** Of the connections of an external engine. */
  readonly figures?: () => PoolStats & { readonly commands: CommandStats }
}

export type EngineDeps = {
  readonly clock: Clock
  readonly newId: () => string
  /** Told what an operator should see to. */
  readonly warn: (message: string) => void
}

/** @throws {ReadStoreError} with what is wrong, naming the setting. */
export const openReadEngine = async (config: Config, { clock, newId, warn }: EngineDeps): Promise<ReadEngine> => {
  const { readStore } = config
  if (readStore.engine === 'sqlite') {
    const store = await openSqliteReadStore({ path: readStore.path, clock })
    return { store, journal: { path: readStore.path, fold: () => store.foldJournal() }, cleaning: store }
  }
  const { openMongoReadStore } = await import('../adapters/readstore/mongodb/store.ts')
  const store = await openMongoReadStore({
    url: readStore.url,
    setting: 'LEXICHRON_READ_STORE',
    clock,
    newId,
    onUnknownIndex: (collection, index) =>
      warn(
        `LEXICHRON_READ_STORE: the index ${index} of ${collection} is declared nowhere: it costs writes and answers nothing`,
      ),
  })
  return { store, figures: store.figures, sweep: store.sweep }
}

export type CacheEngine = {
  readonly cache: Cache
  /** Whether it is there; what stands in this process always is. */
  readonly status: () => { readonly state: 'ready' | 'away'; readonly reason?: string; readonly passedOver: number }
}

const CACHED_VALUES = 50_000

export type CacheDeps = Pick<EngineDeps, 'clock' | 'warn'> & {
  readonly random: () => number
  readonly logId: string
  readonly memory: Memory
}

/** Never fails for a cache that is away: it is told, and gone without. */
export const openCacheEngine = async (
  config: Config,
  { clock, random, warn, logId, memory }: CacheDeps,
): Promise<CacheEngine> => {
  const own = openMemoryCache({ clock, max: CACHED_VALUES, memory })
  if (config.cache.engine === 'memory') return { cache: own, status: () => ({ state: 'ready', passedOver: 0 }) }
  const { openRedisCache } = await import('../adapters/cache/redis.ts')
  const shown = masked('LEXICHRON_CACHE', config.cache.url)
  const cache = openRedisCache({
    url: config.cache.url,
    prefix: `lexichron:${logId}:`,
    random,
    fallback: own,
    monotonic: clock.monotonic,
    onChange: ({ state, reason }) =>
      warn(
        state === 'ready'
          ? `LEXICHRON_CACHE: Redis at ${shown} answers`
          : `LEXICHRON_CACHE: Redis at ${shown} is gone without: ${reason}`,
      ),
  })
  return { cache, status: cache.status }
}

/** Keys without a database of their own in the address. */
const KEYS_DATABASE = 'lexichron_keys'

const mongoKeysOptions = (keys: Extract<Config['keys'], { engine: 'mongodb' }>, clock: Clock): MongoKeysOptions => {
  const masterKey = masterKeyOf(keys.masterKey)
  const oldMasterKey = keys.oldMasterKey === undefined ? undefined : masterKeyOf(keys.oldMasterKey)
  if (!masterKey) throw new TypeError('LEXICHRON_MASTER_KEY is no key of 32 bytes: the configuration checks it')
  return {
    url: keys.url,
    setting: 'LEXICHRON_KEYS',
    database: KEYS_DATABASE,
    masterKey,
    randomBytes,
    clock,
    ...defined({ oldMasterKey }),
  }
}

/** @throws {KeysError} with what is wrong, naming the setting. */
export const openKeysEngine = async (config: Config, clock: Clock): Promise<Keys> => {
  const { keys } = config
  if (keys.engine === 'files') return openFileKeys({ folder: keys.path, randomBytes, clock })
  const { openMongoKeys } = await import('../adapters/keys/mongodb.ts')
  return openMongoKeys(mongoKeysOptions(keys, clock))
}

/** Each kind with what is said of it; without its secrets a store of keys is another one. */
const KINDS: readonly (readonly [KindOfKey, called: string])[] = [
  ['secret', 'no keys'],
  ['document', 'no keys of documents'],
  ['subject', 'no keys of people'],
]

/**
 * Refuses to go on with new keys beside a log that was sealed under others: they would open nothing of it, and nobody could sign in.
 * That goes for each kind of keys, since all of one can be lost without the rest. Of people who were erased the keys' places are left,
 * so that a kind of which nothing is there was lost.
 * @throws {KeysError} corrupt
 */
export const refuseLostKeys = async (
  { keys: { engine, ...place } }: Pick<Config, 'keys'>,
  keys: Pick<Keys, 'hasAny'>,
  { store, types }: { readonly store: Pick<EventStore, 'readAll'>; readonly types: readonly EventType[] },
): Promise<void> => {
  for (const [kind, called] of KINDS) {
    if (await keys.hasAny(kind)) continue
    const position = await firstSealed(store, types, kind)
    if (position === undefined) continue
    const where = engine === 'files' && 'path' in place ? place.path : 'its database'
    throw new KeysError(
      'corrupt',
      `LEXICHRON_KEYS: there are ${called} in ${where}, and the log has events that are sealed, from position ${position} on: put back the newest copy of the keys, then start again. New ones would open nothing of it.`,
    )
  }
}

/** Mails that are kept as files hold what a key sealed: they go with it, before anybody is told that it is gone. */
export const forgettingMail = ({ mail, mailFrom }: Config, keys: Keys): Keys => {
  if (mail.engine !== 'files') return keys
  const outbox = openOutbox({ folder: mail.path, from: mailFrom })
  return {
    ...keys,
    destroy: async name => {
      await keys.destroy(name)
      await outbox.forget?.(name)
    },
  }
}

/** Looks without writing: 'empty' when no key was made yet; undefined for files. @throws {KeysError} as `openKeysEngine`. */
export const inspectKeysEngine = async (config: Config, clock: Clock): Promise<'ok' | 'empty' | undefined> => {
  const { keys } = config
  if (keys.engine === 'files') return undefined
  const { inspectMongoKeys } = await import('../adapters/keys/mongodb.ts')
  return inspectMongoKeys(mongoKeysOptions(keys, clock))
}
