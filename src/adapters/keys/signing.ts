/** Key pairs that sign access tokens: one record a pair, never changed. When a pair signs and leaves follows from the others. */
import { createPublicKey, generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { KeysError, type SigningKey } from '../../ports/keys.ts'

/** A pair stands in the JWKS so long before it signs: longer than anybody may cache the JWKS. */
export const PUBLISHED_BEFORE_MS = 10 * 60 * 1000
/** And so long after its successor took over: the longest life of a token. */
export const LONGEST_TOKEN_LIFE_MS = 24 * 60 * 60 * 1000

/** What another process added or removed is seen within this time. */
const TRUSTED_MS = 1000

/** Of two processes that both find no key, one makes the record of this name and the other reads it. */
const FIRST = 'first.json'

/** Where pairs are kept. `place` names one for people. */
export type SigningRecords = {
  names(): Promise<readonly string[]>
  read(name: string): Promise<string | undefined>
  /** Durable when it returns; a record of that name that is there already stays as it is. */
  create(name: string, text: string): Promise<void>
  remove(name: string): Promise<void>
  place(name: string): string
}

type Pair = Omit<SigningKey, 'retireAt'>
type Stored = { readonly name: string; readonly pair: Pair }

const generate = promisify(generateKeyPair)

const makePair = async (kid: string, now: Date, activeFrom: Date): Promise<Pair> => {
  const { privateKey, publicKey } = await generate('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  return { kid, privateKey, publicKey, createdAt: now.toISOString(), activeFrom: activeFrom.toISOString() }
}

const damaged = (path: string): KeysError =>
  new KeysError(
    'corrupt',
    `The signing key ${path} is damaged: restore it from a backup, or remove it if it never signed.`,
  )

const parsePair = (path: string, text: string): Pair => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw damaged(path)
  }
  if (typeof value !== 'object' || value === null) throw damaged(path)
  const members: Readonly<Record<string, unknown>> = { ...value }
  const textOf = (member: string): string => {
    const found = members[member]
    if (typeof found !== 'string' || found === '') throw damaged(path)
    return found
  }
  const [createdAt, activeFrom] = [textOf('createdAt'), textOf('activeFrom')]
  if (Number.isNaN(Date.parse(createdAt)) || Number.isNaN(Date.parse(activeFrom))) throw damaged(path)
  const pair = {
    kid: textOf('kid'),
    privateKey: textOf('privateKey'),
    publicKey: textOf('publicKey'),
    createdAt,
    activeFrom,
  }
  try {
    createPublicKey(pair.publicKey)
  } catch {
    throw damaged(path)
  }
  return pair
}

const order = (a: Stored, b: Stored): number =>
  a.pair.activeFrom.localeCompare(b.pair.activeFrom) || a.pair.kid.localeCompare(b.pair.kid)

/** Each with the end that its successor sets it, oldest first. */
const dated = (stored: readonly Stored[]): readonly (Stored & { readonly key: SigningKey })[] =>
  stored.map((each, index) => {
    const successor = stored[index + 1]?.pair
    if (!successor) return { ...each, key: each.pair }
    const retireAt = new Date(Date.parse(successor.activeFrom) + LONGEST_TOKEN_LIFE_MS).toISOString()
    return { ...each, key: { ...each.pair, retireAt } }
  })

const retired = (key: SigningKey, now: Date): boolean =>
  key.retireAt !== undefined && Date.parse(key.retireAt) <= now.getTime()

/** The one that signs first, then the others, newest first. A clock set back before the first key's start signs with it. */
const published = (keys: readonly SigningKey[], now: Date): readonly SigningKey[] => {
  const standing = keys.filter(key => !retired(key, now))
  const signer = standing.findLast(key => Date.parse(key.activeFrom) <= now.getTime()) ?? standing[0]
  return signer ? [signer, ...standing.filter(key => key !== signer).reverse()] : []
}

export type SigningPairs = {
  signing(now: Date): Promise<readonly SigningKey[]>
  rotate(now: Date): Promise<SigningKey>
}

/** `monotonic` in milliseconds: the records are looked at once a second at most. */
export const openSigningPairs = (options: {
  readonly records: SigningRecords
  readonly randomId: () => string
  readonly monotonic: () => number
}): SigningPairs => {
  const { records, randomId, monotonic } = options
  let known: readonly Stored[] = []
  let lookedAt = Number.NEGATIVE_INFINITY

  const refresh = async (force: boolean): Promise<readonly Stored[]> => {
    const looked = monotonic()
    if (!force && looked - lookedAt < TRUSTED_MS) return known
    const stored: Stored[] = []
    for (const name of await records.names()) {
      const there = known.find(each => each.name === name)
      const text = there ? undefined : await records.read(name)
      if (there) stored.push(there)
      else if (text !== undefined) stored.push({ name, pair: parsePair(records.place(name), text) })
    }
    known = stored.sort(order)
    lookedAt = looked
    return known
  }

  const add = async (name: string, pair: Pair): Promise<readonly Stored[]> => {
    await records.create(name, `${JSON.stringify(pair, undefined, 2)}\n`)
    return refresh(true)
  }

  const current = async (now: Date, force = false): Promise<readonly Stored[]> => {
    const found = await refresh(force)
    return found.length > 0 ? found : add(FIRST, await makePair(randomId(), now, now))
  }

  return {
    signing: async now =>
      published(
        dated(await current(now)).map(each => each.key),
        now,
      ),
    rotate: async now => {
      const before = dated(await current(now, true))
      const pair = await makePair(randomId(), now, new Date(now.getTime() + PUBLISHED_BEFORE_MS))
      await add(`${now.getTime()}-${pair.kid}.json`, pair)
      for (const { name, key } of before) if (retired(key, now)) await records.remove(name)
      await refresh(true)
      return pair
    },
  }
}
