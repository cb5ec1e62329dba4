/**
 * Keys in files, for one machine and any number of processes: mode 0600 in folders 0700.
 *
 *   document/<batch>.keys   256 document keys; a process hands out those of its own batches only
 *   subject/<aa>/<sha256 of the name>.key    one subject's key, or zeros once it was destroyed
 *   secret/<purpose>.key    the service's own secrets
 *   signing/*.json          key pairs of the access tokens
 *
 * Document keys of a batch that a process did not hand out before it ended stay unused.
 */
import { hash } from 'node:crypto'
import { unlink } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../ports/clock.ts'
import { type Keys, KeysError, type SealingKey } from '../../ports/keys.ts'
import {
  createFile,
  decodeSlots,
  destroySlot,
  encodeSlots,
  ensureFolder,
  type FileState,
  fileState,
  filesIn,
  readWhole,
  SECRET_BYTES,
  sweepFolder,
} from './records.ts'
import { openSigningPairs, type SigningRecords } from './signing.ts'

const BATCH = 256
/** A new batch is made when no more than these are left. */
const REFILL_AT = 64
/** Another process's destruction is seen within this time. */
const TRUSTED_MS = 1000
/** Files kept in memory: 16 KB a batch. */
const CACHED_FILES = 1024
const ABANDONED_MS = 60 * 60 * 1000

type Slots = readonly (Uint8Array | 'destroyed')[]
type Cached = { readonly slots: Slots; readonly state: FileState; readonly checkedAt: number }

const DOCUMENT = /^document:([0-9a-f]{16})\.(\d{1,3})$/
const PURPOSE = /^[a-z][a-z0-9-]{0,63}$/

/** Whether a file of keys is in the folder, or in one of those in it. */
const holdsKeys = async (folder: string): Promise<boolean> => {
  const names = await filesIn(folder)
  if (names.some(name => /\.keys?$/.test(name))) return true
  for (const name of names.filter(each => !each.includes('.')))
    if ((await filesIn(join(folder, name))).some(each => each.endsWith('.key'))) return true
  return false
}

/** One file a pair. */
const signingFiles = (folder: string, randomId: () => string): SigningRecords => ({
  names: () => filesIn(folder),
  read: async name => (await readWhole(join(folder, name)))?.toString('utf8'),
  create: async (name, text) => {
    await createFile(join(folder, name), Buffer.from(text), randomId())
  },
  remove: name => unlink(join(folder, name)).catch(() => undefined),
  place: name => join(folder, name),
})

/**
 * `randomBytes` has to be fit for keys.
 * @throws {KeysError} unavailable, or corrupt when the folder is open to others or a secret in it is damaged.
 */
export const openFileKeys = async (options: {
  readonly folder: string
  readonly randomBytes: (size: number) => Uint8Array
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
}): Promise<Keys> => {
  const { folder, randomBytes, clock } = options
  const randomId = (): string => Buffer.from(randomBytes(8)).toString('hex')
  const folders = {
    document: join(folder, 'document'),
    subject: join(folder, 'subject'),
    secret: join(folder, 'secret'),
    signing: join(folder, 'signing'),
  }
  for (const each of [folder, ...Object.values(folders)]) await ensureFolder(each)
  const shards = (await filesIn(folders.subject)).map(shard => join(folders.subject, shard))
  for (const each of [folders.document, folders.secret, folders.signing, ...shards])
    await sweepFolder(each, clock.now().getTime() - ABANDONED_MS)

  // What is asked for late, such as the secret of addresses, is known to be whole before anything begins.
  const secretFiles = async (): Promise<readonly string[]> =>
    (await filesIn(folders.secret)).filter(each => each.endsWith('.key'))
  for (const name of await secretFiles()) {
    const path = join(folders.secret, name)
    const bytes = await readWhole(path)
    if (bytes) decodeSlots(path, bytes)
  }

  const signingPairs = openSigningPairs({
    records: signingFiles(folders.signing, randomId),
    randomId,
    monotonic: clock.monotonic,
  })
  const files = new LRUCache<string, Cached>({ max: CACHED_FILES })
  const reading = new Map<string, Promise<Slots | undefined>>()
  const secrets = new Map<string, Promise<Uint8Array>>()
  let pool: SealingKey[] = []
  let refilling: Promise<void> | undefined
  /** Raised by every destruction here: what was being read meanwhile is not kept. */
  let destructions = 0
  let closed = false

  const usable = (): void => {
    if (closed) throw new KeysError('closed', 'The keys are closed.')
  }

  const batchPath = (batch: string): string => `${folders.document}${sep}${batch}.keys`
  const subjectPath = (name: string): string => {
    const digest = hash('sha256', name, 'hex')
    return join(folders.subject, digest.slice(0, 2), `${digest}.key`)
  }

  const readAgain = async (path: string): Promise<Slots | undefined> => {
    const checkedAt = clock.monotonic()
    const before = destructions
    const known = files.get(path)
    const state = await fileState(path)
    if (state === undefined) {
      files.delete(path)
      return undefined
    }
    if (known?.state === state && before === destructions) {
      files.set(path, { ...known, checkedAt })
      return known.slots
    }
    const bytes = await readWhole(path)
    if (!bytes) return undefined
    const slots = decodeSlots(path, bytes)
    if (before === destructions) files.set(path, { slots, state, checkedAt })
    return slots
  }

  const trusted = (path: string): Slots | undefined => {
    const known = files.get(path)
    return known && clock.monotonic() - known.checkedAt < TRUSTED_MS ? known.slots : undefined
  }

  const slotsOf = async (path: string): Promise<Slots | undefined> => {
    const known = trusted(path)
    if (known) return known
    const running = reading.get(path)
    if (running) return running
    const started = readAgain(path)
    reading.set(path, started)
    const done = (): void => {
      if (reading.get(path) === started) reading.delete(path)
    }
    started.then(done, done)
    return started
  }

  const refill = async (): Promise<void> => {
    const batch = randomId()
    const made = Array.from({ length: BATCH }, () => Buffer.from(randomBytes(SECRET_BYTES)))
    if (!(await createFile(batchPath(batch), encodeSlots(made), randomId())))
      throw new KeysError('unavailable', 'A batch of keys of this name is there already; try again.')
    // Handed out from the end: the first of a batch goes first.
    const fresh = made.map((secret, n) => ({ name: `document:${batch}.${n}`, secret })).reverse()
    pool = [...fresh, ...pool]
  }

  const refillOnce = (): Promise<void> => {
    refilling ??= refill().finally(() => {
      refilling = undefined
    })
    return refilling
  }

  const take = async (): Promise<SealingKey> => {
    for (;;) {
      usable()
      const key = pool.pop()
      // What fails ahead of need is tried again, and reported, when it is needed.
      if (pool.length <= REFILL_AT && key) refillOnce().catch(() => undefined)
      if (key) return key
      await refillOnce()
    }
  }

  const subjectSlots = async (name: string, secret: Uint8Array | 'destroyed'): Promise<Slots> => {
    const path = subjectPath(name)
    const there = await slotsOf(path)
    if (there) return there
    await ensureFolder(join(path, '..'))
    await createFile(path, encodeSlots([secret]), randomId())
    const made = await slotsOf(path)
    if (!made) throw new KeysError('unavailable', `The key file ${path} has disappeared.`)
    return made
  }

  type Place = { readonly name: string; readonly path: string; readonly slot: number; readonly document: boolean }
  const placeOf = (name: string): Place => {
    const [, batch, n] = DOCUMENT.exec(name) ?? []
    return batch === undefined
      ? { name, path: subjectPath(name), slot: 0, document: false }
      : { name, path: batchPath(batch), slot: Number(n), document: true }
  }

  const pick = ({ name, path, slot }: Place, slots: Slots | undefined): SealingKey | undefined => {
    // Keys are destroyed in place: a file that is gone was lost, and its text must not pass for removed.
    if (!slots) throw new KeysError('corrupt', `The key file ${path} is missing: restore it from a backup.`)
    const secret = slots[slot]
    return secret === undefined || secret === 'destroyed' ? undefined : { name, secret }
  }

  const find = async (names: ReadonlySet<string>): Promise<ReadonlyMap<string, SealingKey>> => {
    usable()
    const found = new Map<string, SealingKey>()
    const keep = (key: SealingKey | undefined): void => {
      if (key) found.set(key.name, key)
    }
    const untrusted: Place[] = []
    for (const name of names) {
      const place = placeOf(name)
      const slots = trusted(place.path)
      if (slots) keep(pick(place, slots))
      else untrusted.push(place)
    }
    await Promise.all(untrusted.map(async place => keep(pick(place, await slotsOf(place.path)))))
    return found
  }

  const makeSecret = async (purpose: string): Promise<Uint8Array> => {
    const path = join(folders.secret, `${purpose}.key`)
    let there = await readWhole(path)
    if (!there) {
      await createFile(path, encodeSlots([randomBytes(SECRET_BYTES)]), randomId())
      there = await readWhole(path)
    }
    const [secret] = there ? decodeSlots(path, there) : []
    if (secret === undefined || secret === 'destroyed')
      throw new KeysError('corrupt', `The key file ${path} holds no secret: restore it from a backup.`)
    return secret
  }

  return {
    take,
    subject: async name => {
      usable()
      const [secret] = await subjectSlots(name, Buffer.from(randomBytes(SECRET_BYTES)))
      if (secret === undefined) throw new KeysError('corrupt', `The key file ${subjectPath(name)} holds no key.`)
      return secret === 'destroyed' ? secret : { name, secret }
    },
    find,
    destroy: async name => {
      usable()
      const { path, slot, document } = placeOf(name)
      if (!document) await subjectSlots(name, 'destroyed')
      const done = await destroySlot(path, slot)
      destructions += 1
      reading.delete(path)
      files.delete(path)
      if (!done)
        throw new KeysError('corrupt', `The key file ${path} is missing: restore it, then destroy its key again.`)
    },
    secret: purpose => {
      usable()
      if (!PURPOSE.test(purpose))
        throw new TypeError(`The purpose ${purpose} is not lower-case letters, digits, hyphens.`)
      const known = secrets.get(purpose)
      if (known) return known
      const made = makeSecret(purpose)
      secrets.set(purpose, made)
      made.catch(() => secrets.delete(purpose))
      return made
    },
    hasAny: async kind => {
      usable()
      return holdsKeys(folders[kind])
    },
    signing: async now => {
      usable()
      return signingPairs.signing(now)
    },
    rotate: async now => {
      usable()
      return signingPairs.rotate(now)
    },
    close: async () => {
      closed = true
      await refilling?.catch(() => undefined)
      pool = []
      files.clear()
      secrets.clear()
    },
  }
}
