/**
 * Tickets for clients that cannot set headers, as browsers on a WebSocket: signed, good for 30 s and for one connection.
 * The one use is a record of the read store that only one node can make: it holds on every node and through a crash, on
 * every engine, and costs the log nothing.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../ports/clock.ts'
import type { ReadStore } from '../../ports/read-store.ts'

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
const PREFIX = 'ticket:'

/** `records` are those of the read store, which all nodes share. */
export const openTickets = (deps: {
  readonly records: Pick<ReadStore, 'swap' | 'records'>
  readonly secret: Uint8Array
  readonly clock: Pick<Clock, 'now'>
  readonly newId: () => string
}): Tickets => {
  const { records, secret, clock, newId } = deps
  const mac = (text: string): Buffer => createHmac('sha256', secret).update(text).digest()

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
      return (await records.swap(`${PREFIX}${nonce}`, undefined, String(expires))) ? credential : undefined
    },
    sweep: async () => {
      const old = clock.now().getTime() - FORGET_MS
      // What is not a time is not ours to keep.
      for (const [name, expires] of await records.records(PREFIX))
        if (!(Number(expires) >= old)) await records.swap(name, expires, undefined)
    },
  }
}
