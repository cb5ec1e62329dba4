/**
 * Tickets for clients that cannot set headers, as browsers on a WebSocket: signed, good for 30 s and for one connection.
 * The one use is a file that only one process can create (O_EXCL): it holds on every node of a data folder and through a
 * crash, and costs the log nothing.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../ports/clock.ts'
import { makeFolders } from '../folders.ts'

export const TICKET_MS = 30_000
/** Long after no clock of a node would take the ticket any more. */
const FORGET_MS = 10 * TICKET_MS

export type Tickets = {
  /** For the bearer of a credential. `expiresAt` in RFC 3339. */
  issue(credential: string): { readonly ticket: string; readonly expiresAt: string }
  /** The credential, once; undefined for one that is forged, expired or used. */
  redeem(ticket: string): Promise<string | undefined>
  /** Forgets uses that are long over. */
  sweep(): Promise<void>
}

const NONCE = /^[0-9a-f-]{36}$/

/** `folder` is shared by all nodes of the data folder. */
export const openTickets = async (deps: {
  readonly folder: string
  readonly secret: Uint8Array
  readonly clock: Pick<Clock, 'now'>
  readonly newId: () => string
}): Promise<Tickets> => {
  const { folder, secret, clock, newId } = deps
  makeFolders(folder, 0o700)
  const mac = (text: string): Buffer => createHmac('sha256', secret).update(text).digest()

  const claim = async (nonce: string): Promise<boolean> => {
    try {
      await (await open(join(folder, nonce), 'wx', 0o600)).close()
      return true
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
      throw error
    }
  }

  return {
    issue: credential => {
      const expires = clock.now().getTime() + TICKET_MS
      const payload = Buffer.from(JSON.stringify([newId(), expires, credential])).toString('base64url')
      return { ticket: `${payload}.${mac(payload).toString('base64url')}`, expiresAt: new Date(expires).toISOString() }
    },
    redeem: async ticket => {
      const [payload = '', given = '', ...rest] = ticket.length > 1000 ? [] : ticket.split('.')
      const sent = Buffer.from(given, 'base64url')
      const real = mac(payload)
      if (rest.length > 0 || sent.length !== real.length || !timingSafeEqual(sent, real)) return undefined
      const parts: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
      if (!Array.isArray(parts)) return undefined
      const [nonce, expires, credential]: readonly unknown[] = parts
      if (typeof nonce !== 'string' || !NONCE.test(nonce) || typeof credential !== 'string') return undefined
      if (typeof expires !== 'number' || expires <= clock.now().getTime()) return undefined
      return (await claim(nonce)) ? credential : undefined
    },
    sweep: async () => {
      const old = clock.now().getTime() - FORGET_MS
      for (const name of await readdir(folder)) {
        if (!NONCE.test(name)) continue
        const path = join(folder, name)
        const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }))
        if (mtimeMs < old) await rm(path, { force: true })
      }
    },
  }
}
