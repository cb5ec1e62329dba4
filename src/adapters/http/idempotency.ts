/** What makes a command repeatable: its id from the Idempotency-Key, and a keyed hash of its body. */
import { createHmac } from 'node:crypto'
import type { Actor } from '../../domain/event.ts'
import { commandIdOf } from '../../domain/ids.ts'
import { ProblemError } from './problems.ts'
import { type EdgeRequest, header } from './route.ts'

/** 1..255 visible ASCII characters. @throws {ProblemError} header-invalid. */
export const idempotencyKey = (request: Pick<EdgeRequest, 'headers'>): string | undefined => {
  const key = header(request, 'idempotency-key')
  if (key === undefined || /^[\x21-\x7e]{1,255}$/.test(key)) return key
  throw new ProblemError('header-invalid', 'The header Idempotency-Key is 1 to 255 visible ASCII characters.')
}

/** Members in one order, so that a client which builds its object otherwise repeats the same command. */
const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join()}}`
}

/** Keyed, so that the log does not let anybody who reads it guess at a body that was since removed. */
export const fingerprintOf = (secret: Uint8Array, body: unknown): string =>
  createHmac('sha256', secret).update(canonical(body)).digest('base64url').slice(0, 22)

/**
 * Command id and fingerprint. Without a key the id is fresh, and no repeat is possible or recognised.
 * @throws {ProblemError} header-invalid.
 */
export const commandIdentity = (
  request: EdgeRequest,
  actor: Actor,
  deps: { readonly fingerprintSecret: Uint8Array; readonly newId: () => string },
): { readonly commandId: string; readonly fingerprint?: string; readonly keyed: boolean } => {
  const key = idempotencyKey(request)
  if (key === undefined) return { commandId: deps.newId(), keyed: false }
  return {
    commandId: commandIdOf(actor, request.method, request.path, key),
    fingerprint: fingerprintOf(deps.fingerprintSecret, request.body),
    keyed: true,
  }
}

/** A `traceparent` as W3C Trace Context, version 00, has it (later versions are read as 00); undefined when broken. */
export const traceparentOf = (request: Pick<EdgeRequest, 'headers'>): string | undefined => {
  const value = header(request, 'traceparent')
  const match =
    value === undefined ? null : /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(value)
  if (!match) return undefined
  const [, version, trace = '', parent = '', flags = '', rest] = match
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined
  if (/^0+$/.test(trace) || /^0+$/.test(parent)) return undefined
  return `00-${trace}-${parent}-${flags}`
}
