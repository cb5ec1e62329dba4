/**
 * Keys in a MongoDB database of their own, each wrapped, so that whoever has the database or its backup alone has nothing:
 *
 *   {_id: 'master', kek}                         the key that wraps all others, wrapped by LEXICHRON_MASTER_KEY
 *   {_id: 'document:<batch>', slots, changes}    256 document keys; a process hands out those of its own batches only
 *   {_id: 'subject:<sha256 of the name>', ...}   one subject's key, or null once it was destroyed
 *   {_id: 'secret:<purpose>', ...}, {_id: 'signing:<name>', ...}
 *
 * A key is destroyed by one update of one document, which every node sees within a second.
 */
import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { Binary, type Collection } from 'mongodb'
import type { Clock } from '../../ports/clock.ts'
import { type Keys, KeysError, type SealingKey } from '../../ports/keys.ts'
import { connectMongo, databaseOf, isDuplicate } from '../mongodb/client.ts'
import { openSigningPairs, type SigningRecords } from './signing.ts'
import { KEY_BYTES, type Wrapping, wrappingWith } from './wrapping.ts'

type Kept = { readonly _id: string; readonly slots: readonly (Binary | null)[]; readonly changes: number }
type Slots = readonly (Uint8Array | 'destroyed')[]
type Cached = { readonly slots: Slots; readonly changes: number; readonly checkedAt: number }

const BATCH = 256
/** A new batch is made when no more than these are left. */
const REFILL_AT = 64
/** Another node's destruction is seen within this time. */
const TRUSTED_MS = 1_000
const CACHED_DOCUMENTS = 1_024
const DOCUMENT = /^document:([0-9a-f]{16})\.(\d{1,3})$/
const PURPOSE = /^[a-z][a-z0-9-]{0,63}$/
const MASTER = 'master'

const bytesOf = (value: Binary | null | undefined): Uint8Array | undefined => value?.buffer

const fault = (code: 'unavailable' | 'gone' | 'closed', message: string, cause?: ErrorOptions): KeysError =>
  new KeysError(code === 'gone' ? 'unavailable' : code, message, cause)

/** The key that wraps all others: made by the first node, opened with LEXICHRON_MASTER_KEY, taken over from the one before it. */
const openEnvelope = async (
  kept: Collection<Kept>,
  { masterKey, oldMasterKey, randomBytes }: Pick<MongoKeysOptions, 'masterKey' | 'oldMasterKey' | 'randomBytes'>,
): Promise<Wrapping> => {
  const master = wrappingWith(masterKey, randomBytes)
  let found = await kept.findOne({ _id: MASTER })
  if (!found) {
    const wrapped = new Binary(master.wrap(randomBytes(KEY_BYTES), MASTER))
    await kept.insertOne({ _id: MASTER, slots: [wrapped], changes: 0 }).catch((error: unknown) => {
      if (!isDuplicate(error)) throw error
    })
    found = await kept.findOne({ _id: MASTER })
  }
  const wrapped = bytesOf(found?.slots[0])
  if (!found || !wrapped)
    throw new KeysError('corrupt', 'LEXICHRON_KEYS: the record of the master key is damaged: restore it from a backup.')
  const key = master.unwrap(wrapped, MASTER)
  if (key) return wrappingWith(key, randomBytes)
  const before = oldMasterKey && wrappingWith(oldMasterKey, randomBytes).unwrap(wrapped, MASTER)
  if (!before)
    throw new KeysError(
      'corrupt',
      'LEXICHRON_MASTER_KEY is not the one that the keys in LEXICHRON_KEYS were wrapped with: give that one, or the new one with the old in LEXICHRON_MASTER_KEY_OLD.',
    )
  // Of several nodes one wraps it anew; the others find it done.
  await kept.updateOne(
    { _id: MASTER, changes: found.changes },
    { $set: { 'slots.0': new Binary(master.wrap(before, MASTER)) }, $inc: { changes: 1 } },
  )
  return wrappingWith(before, randomBytes)
}

export type MongoKeysOptions = {
  readonly url: string
  /** What names the address, for errors. */
  readonly setting: string
  /** Taken where the address names no database. */
  readonly database: string
  readonly masterKey: Uint8Array
  /** The master key before this one: what it wrapped is wrapped anew at the start. */
  readonly oldMasterKey?: Uint8Array
  /** Fit for keys. */
  readonly randomBytes: (size: number) => Uint8Array
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
}

/** Whether LEXICHRON_MASTER_KEY opens what is there; 'empty' when nothing is yet. Writes nothing. @throws {KeysError} as `openMongoKeys`. */
export const inspectMongoKeys = async (options: MongoKeysOptions): Promise<'ok' | 'empty'> => {
  const { url, setting, database, masterKey, oldMasterKey, randomBytes } = options
  const connection = await connectMongo(url, { setting, fault, database: databaseOf(url) ?? database })
  try {
    return await connection.run(async () => {
      const kept = connection.client.db(connection.database).collection<Kept>('keys')
      const wrapped = bytesOf((await kept.findOne({ _id: MASTER }))?.slots[0])
      if (!wrapped) return 'empty'
      const opens = [masterKey, ...(oldMasterKey ? [oldMasterKey] : [])].some(
        key => wrappingWith(key, randomBytes).unwrap(wrapped, MASTER) !== undefined,
      )
      if (opens) return 'ok'
      throw new KeysError(
        'corrupt',
        'LEXICHRON_MASTER_KEY is not the one that the keys in LEXICHRON_KEYS were wrapped with',
      )
    })
  } finally {
    await connection.close()
  }
}

/** @throws {KeysError} unavailable; corrupt when LEXICHRON_MASTER_KEY is another one. */
export const openMongoKeys = async (options: MongoKeysOptions): Promise<Keys> => {
  const { url, setting, database, randomBytes, clock } = options
  const connection = await connectMongo(url, { setting, fault, database: databaseOf(url) ?? database })
  const { run } = connection
  const majority = { readConcern: { level: 'majority' }, writeConcern: { w: 'majority' } } as const
  const kept: Collection<Kept> = connection.client.db(connection.database).collection('keys', majority)
  const randomId = (): string => Buffer.from(randomBytes(8)).toString('hex')
  let wrapping: Wrapping
  try {
    wrapping = await run(() => openEnvelope(kept, options))
  } catch (error) {
    await connection.close()
    throw error
  }

  const damaged = (id: string, slot: number): KeysError =>
    new KeysError(
      'corrupt',
      `The key ${id} is damaged at ${slot}: restore the database of LEXICHRON_KEYS from a backup.`,
    )
  const slotPlace = (id: string, slot: number): string => `${id}.${slot}`
  const wrapAll = (id: string, secrets: readonly Uint8Array[]): Kept => ({
    _id: id,
    changes: 0,
    slots: secrets.map((secret, slot) => new Binary(wrapping.wrap(secret, slotPlace(id, slot)))),
  })
  const unwrapAll = ({ _id, slots }: Kept): Slots =>
    slots.map((wrapped, slot) => {
      const bytes = bytesOf(wrapped)
      if (!bytes) return 'destroyed'
      const secret = wrapping.unwrap(bytes, slotPlace(_id, slot))
      if (!secret) throw damaged(_id, slot)
      return secret
    })
  /** True when this call made it. */
  const create = async (document: Kept): Promise<boolean> => {
    try {
      await kept.insertOne(document)
      return true
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }

  const cache = new LRUCache<string, Cached>({ max: CACHED_DOCUMENTS })
  /** Raised by every destruction here: what was being read meanwhile is not kept. */
  let destructions = 0

  const trusted = (id: string): Slots | undefined => {
    const known = cache.get(id)
    return known && clock.monotonic() - known.checkedAt < TRUSTED_MS ? known.slots : undefined
  }

  /** The slots of these documents: those known are asked for their changes alone. Two reads at most, whatever their number. */
  const slotsOf = async (ids: readonly string[]): Promise<ReadonlyMap<string, Slots>> => {
    const found = new Map<string, Slots>()
    const checkedAt = clock.monotonic()
    const before = destructions
    const keep = (id: string, slots: Slots, changes: number): void => {
      found.set(id, slots)
      if (before === destructions) cache.set(id, { slots, changes, checkedAt })
    }
    let fresh: string[] = []
    const known: string[] = []
    for (const id of new Set(ids)) {
      const slots = trusted(id)
      if (slots) found.set(id, slots)
      else if (cache.has(id)) known.push(id)
      else fresh.push(id)
    }
    if (known.length > 0) {
      const looked = await kept.find({ _id: { $in: known } }, { projection: { changes: 1 } }).toArray()
      for (const { _id, changes } of looked) {
        const cached = cache.get(_id)
        if (cached?.changes === changes) keep(_id, cached.slots, changes)
        else fresh = [...fresh, _id]
      }
    }
    if (fresh.length > 0)
      for (const document of await kept.find({ _id: { $in: fresh } }).toArray())
        keep(document._id, unwrapAll(document), document.changes)
    return found
  }

  let pool: SealingKey[] = []
  let refilling: Promise<void> | undefined
  const refill = async (): Promise<void> => {
    const batch = randomId()
    const made = Array.from({ length: BATCH }, () => Buffer.from(randomBytes(KEY_BYTES)))
    if (!(await create(wrapAll(`document:${batch}`, made))))
      throw new KeysError('unavailable', 'A batch of keys of this name is there already; try again.')
    // Handed out from the end: the first of a batch goes first.
    pool = [...made.map((secret, n) => ({ name: `document:${batch}.${n}`, secret })).reverse(), ...pool]
  }
  const refillOnce = (): Promise<void> => {
    refilling ??= run(refill).finally(() => {
      refilling = undefined
    })
    return refilling
  }
  let closed = false
  const usable = (): void => {
    if (closed) throw new KeysError('closed', 'The keys are closed.')
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

  const subjectId = (name: string): string => `subject:${hash('sha256', name, 'hex')}`
  const placeOf = (name: string): { readonly id: string; readonly slot: number; readonly document: boolean } => {
    const [, batch, n] = DOCUMENT.exec(name) ?? []
    return batch === undefined
      ? { id: subjectId(name), slot: 0, document: false }
      : { id: `document:${batch}`, slot: Number(n), document: true }
  }
  const one = async (id: string, make: () => Kept): Promise<Uint8Array | 'destroyed'> => {
    let slots = (await slotsOf([id])).get(id)
    if (!slots) {
      await create(make())
      slots = (await slotsOf([id])).get(id)
    }
    const secret = slots?.[0]
    if (secret === undefined) throw damaged(id, 0)
    return secret
  }

  const secrets = new Map<string, Promise<Uint8Array>>()
  const makeSecret = async (purpose: string): Promise<Uint8Array> => {
    const id = `secret:${purpose}`
    const secret = await one(id, () => wrapAll(id, [randomBytes(KEY_BYTES)]))
    if (secret === 'destroyed') throw damaged(id, 0)
    return secret
  }

  const signingRecords: SigningRecords = {
    names: async () => {
      const found = await kept
        .find({ _id: { $gte: 'signing:', $lt: 'signing;' } }, { projection: { _id: 1 }, sort: { _id: 1 } })
        .toArray()
      return found.map(({ _id }) => _id.slice('signing:'.length))
    },
    read: async name => {
      const found = await kept.findOne({ _id: `signing:${name}` })
      const [text] = found ? unwrapAll(found) : []
      return text === undefined || text === 'destroyed' ? undefined : Buffer.from(text).toString('utf8')
    },
    create: async (name, text) => {
      await create(wrapAll(`signing:${name}`, [Buffer.from(text)]))
    },
    remove: async name => {
      await kept.deleteOne({ _id: `signing:${name}` })
    },
    place: name => `signing:${name} in the database of LEXICHRON_KEYS`,
  }
  const signingPairs = openSigningPairs({ records: signingRecords, randomId, monotonic: clock.monotonic })

  return {
    take,
    subject: name => {
      usable()
      return run(async () => {
        const id = subjectId(name)
        const secret = await one(id, () => wrapAll(id, [randomBytes(KEY_BYTES)]))
        return secret === 'destroyed' ? secret : { name, secret }
      })
    },
    find: names => {
      usable()
      return run(async () => {
        const places = [...names].map(name => ({ name, ...placeOf(name) }))
        const slots = await slotsOf(places.map(each => each.id))
        const found = new Map<string, SealingKey>()
        for (const { name, id, slot } of places) {
          const there = slots.get(id)
          // Keys are destroyed in place: one that is gone was lost, and its text must not pass for removed.
          if (!there)
            throw new KeysError(
              'corrupt',
              `The key ${id} is missing: restore the database of LEXICHRON_KEYS from a backup.`,
            )
          const secret = there[slot]
          if (secret !== undefined && secret !== 'destroyed') found.set(name, { name, secret })
        }
        return found
      })
    },
    destroy: name => {
      usable()
      return run(async () => {
        const { id, slot, document } = placeOf(name)
        if (!document) await create({ _id: id, slots: [null], changes: 0 })
        const there = { _id: id, [`slots.${slot}`]: { $exists: true } }
        const done = await kept.updateOne(there, { $set: { [`slots.${slot}`]: null }, $inc: { changes: 1 } })
        destructions += 1
        cache.delete(id)
        if (done.matchedCount === 0)
          throw new KeysError('corrupt', `The key ${id} is missing: restore it, then destroy ${name} again.`)
      })
    },
    secret: purpose => {
      usable()
      if (!PURPOSE.test(purpose))
        throw new TypeError(`The purpose ${purpose} is not lower-case letters, digits, hyphens.`)
      const known = secrets.get(purpose)
      if (known) return known
      const made = run(() => makeSecret(purpose))
      secrets.set(purpose, made)
      made.catch(() => secrets.delete(purpose))
      return made
    },
    hasAny: kind => {
      usable()
      return run(async () => (await kept.findOne({ _id: { $gte: `${kind}:`, $lt: `${kind};` } })) !== null)
    },
    signing: now => {
      usable()
      return run(() => signingPairs.signing(now))
    },
    rotate: now => {
      usable()
      return run(() => signingPairs.rotate(now))
    },
    close: async () => {
      closed = true
      await refilling?.catch(() => undefined)
      pool = []
      cache.clear()
      secrets.clear()
      await connection.close()
    },
  }
}
