/** Key pairs that sign access tokens: one file a pair, never changed. When a pair signs and leaves follows from the others. */
import { createPublicKey, generateKeyPair } from 'node:crypto'
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { KeysError, type SigningKey } from '../../ports/keys.ts'
import { createFile, filesIn, readWhole } from './records.ts'

/** A pair stands in the JWKS so long before it signs: longer than anybody may cache the JWKS. */
export const PUBLISHED_BEFORE_MS = 10 * 60 * 1000
/** And so long after its successor took over: the longest life of a token. */
export const LONGEST_TOKEN_LIFE_MS = 24 * 60 * 60 * 1000

/** What another process added or removed is seen within this time. */
const TRUSTED_MS = 1000

/** Of two processes that both find no key, one makes the file of this name and the other reads it. */
const FIRST = 'first.json'

type Pair = Omit<SigningKey, 'retireAt'>
type Stored = { readonly file: string; readonly pair: Pair }

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

export type SigningFiles = {
  signing(now: Date): Promise<readonly SigningKey[]>
  rotate(now: Date): Promise<SigningKey>
}

/** `monotonic` in milliseconds: the folder is looked at once a second at most. */
export const openSigningFiles = (options: {
  readonly folder: string
  readonly randomId: () => string
  readonly monotonic: () => number
}): SigningFiles => {
  const { folder, randomId, monotonic } = options
  let known: readonly Stored[] = []
  let lookedAt = Number.NEGATIVE_INFINITY

  const refresh = async (force: boolean): Promise<readonly Stored[]> => {
    const looked = monotonic()
    if (!force && looked - lookedAt < TRUSTED_MS) return known
    const stored: Stored[] = []
    for (const file of await filesIn(folder)) {
      const path = join(folder, file)
      const there = known.find(each => each.file === file)
      const bytes = there ? undefined : await readWhole(path)
      if (there) stored.push(there)
      else if (bytes) stored.push({ file, pair: parsePair(path, bytes.toString('utf8')) })
    }
    known = stored.sort(order)
    lookedAt = looked
    return known
  }

  const add = async (file: string, pair: Pair): Promise<readonly Stored[]> => {
    await createFile(join(folder, file), Buffer.from(`${JSON.stringify(pair, undefined, 2)}\n`), randomId())
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
      for (const { file, key } of before) if (retired(key, now)) await unlink(join(folder, file)).catch(() => undefined)
      await refresh(true)
      return pair
    },
  }
}
