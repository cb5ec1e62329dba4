/**
 * Argon2id (RFC 9106) in libuv's threads, a bounded number at a time. The hash is encrypted under a key of the service
 * (AES-256-GCM): who has the log, or may read personal data in it, has nothing to try passwords against.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hash, verify } from '@node-rs/argon2'
import { isShort, isTooLong, normalPassword } from '../../domain/account/password-rules.ts'
import { type Passwords, PasswordsBusyError } from '../../ports/passwords.ts'

/** OWASP's password storage cheat sheet, the first of its choices: 19 MiB, two passes, one lane. */
export const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
const CIPHER = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16
/** Before the hash of a short password, under the encryption: who reads the log does not learn whose passwords are short. */
const SHORT = 'short '
/** What waits at most for each one that runs: a second or so. */
const WAITING_PER_PLACE = 16

export type PasswordOptions = {
  /** 32 bytes. */
  readonly pepper: Uint8Array
  /** How many at once: each has a core for itself, and files need a thread too (src/config/threads.ts). */
  readonly concurrency: number
  readonly cost?: { readonly memoryCost: number; readonly timeCost: number; readonly parallelism: number }
}

/** Runs `concurrency` at once and lets so many wait. @throws {PasswordsBusyError} when these are taken too. */
const openPool = (concurrency: number) => {
  let running = 0
  const waiting: (() => void)[] = []
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= concurrency) {
      if (waiting.length >= concurrency * WAITING_PER_PLACE) throw new PasswordsBusyError(2)
      await new Promise<void>(resolve => waiting.push(resolve))
    } else running += 1
    try {
      return await work()
    } finally {
      // The place goes from one to the next without being free in between.
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}

const readCommon = (): ReadonlySet<string> =>
  new Set(
    readFileSync(new URL('common-passwords.txt', import.meta.url), 'utf8')
      .split('\n')
      .filter(Boolean),
  )

const costOf = (phc: string): readonly [memory: number, time: number] => {
  const [, m = '0', t = '0'] = /\$m=(\d+),t=(\d+),p=\d+\$/.exec(phc) ?? []
  return [Number(m), Number(t)]
}

/** @throws the file system's error when the list of common passwords is not there. */
export const openPasswords = async ({ pepper, concurrency, cost = COST }: PasswordOptions): Promise<Passwords> => {
  const key = createSecretKey(pepper)
  const run = openPool(concurrency)
  const common = readCommon()

  const wrap = (phc: string): string => {
    const iv = randomBytes(IV_BYTES)
    const cipher = createCipheriv(CIPHER, key, iv)
    return `1.${Buffer.concat([iv, cipher.update(phc, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')}`
  }
  const unwrap = (kept: string): string => {
    const bytes = Buffer.from(kept.slice(2), 'base64url')
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    return decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
  }
  const readKept = (kept: string): { readonly phc: string; readonly short: boolean } => {
    const text = unwrap(kept)
    const short = text.startsWith(SHORT)
    return { phc: short ? text.slice(SHORT.length) : text, short }
  }
  // Argon2id is what the package does unless told otherwise.
  const derive = (password: string): Promise<string> => hash(normalPassword(password), cost)

  // Compared with where there is no password: nobody knows what it is of.
  const nobody = await derive(randomBytes(32).toString('base64url'))

  return {
    hash: password => run(async () => wrap(`${isShort(password) ? SHORT : ''}${await derive(password)}`)),
    check: (password, kept) =>
      run(async () => {
        const phc = kept === undefined ? nobody : readKept(kept).phc
        // What is no password takes as long as one that is wrong.
        const isPassword = kept !== undefined && !isTooLong(password)
        const matches = (await verify(phc, isPassword ? normalPassword(password) : '')) && isPassword
        const [memory, time] = costOf(phc)
        return { matches, outdated: matches && (memory < cost.memoryCost || time < cost.timeCost) }
      }),
    isShort: kept => readKept(kept).short,
    isCommon: password => common.has(password),
  }
}
