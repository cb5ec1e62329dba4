/**
 * What the client's errors mean. They are told apart by `type` and, where there is none, by the code of gRPC: an append
 * with the server down fails with a plain error on some ways and with a typed one on others.
 */

import { ErrorType, NotLeaderError } from '@eventstore/db-client'
import { OwnError } from '../../../domain/own-error.ts'
import { EventStoreError, type Expected } from '../../../ports/event-store.ts'

export type Meaning =
  | { readonly kind: 'wrong-version'; readonly current: Expected }
  /** The server takes less in one append than this project needs. */
  | { readonly kind: 'too-large' }
  /** The login is wrong or may not do this. */
  | { readonly kind: 'denied' }
  /** The stream was deleted for ever, which nobody of this project does. */
  | { readonly kind: 'deleted' }
  | { readonly kind: 'not-found' }
  /** A follower was asked: the client goes to the leader with the next call. */
  | { readonly kind: 'not-leader' }
  /** A live subscription was dropped: it is to begin again after the last event that it saw. */
  | { readonly kind: 'dropped' }
  | { readonly kind: 'overloaded' }
  /** No connection came about: nothing was sent. */
  | { readonly kind: 'unreachable' }
  /** The connection or the answer was lost: what was sent may have been done. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'not-done'; readonly reason: string }
  /** What the handler threw at: a position where no event begins, a filter that cannot be read, or its own fault. */
  | { readonly kind: 'broken' }

/** Of gRPC (google.rpc.Code). */
const codes = {
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  aborted: 10,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const

type Known = { readonly type?: unknown; readonly code?: unknown; readonly actualVersion?: unknown }

const memberOf = (error: unknown): Known => (typeof error === 'object' && error !== null ? error : {})

const unsent =
  /No connection established|Failed to discover|Name resolution|ECONNREFUSED|Channel has been shut down|Failed to load certificate/i

export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const meaningOfType = (type: unknown, error: Known): Meaning | undefined => {
  switch (type) {
    case ErrorType.WRONG_EXPECTED_VERSION: {
      const { actualVersion } = error
      return {
        kind: 'wrong-version',
        current: typeof actualVersion === 'bigint' && actualVersion >= 0n ? actualVersion : 'none',
      }
    }
    case ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED:
      return { kind: 'too-large' }
    case ErrorType.ACCESS_DENIED:
      return { kind: 'denied' }
    case ErrorType.STREAM_DELETED:
      return { kind: 'deleted' }
    case ErrorType.STREAM_NOT_FOUND:
      return { kind: 'not-found' }
    case ErrorType.NOT_LEADER:
      return { kind: 'not-leader' }
    case ErrorType.DEADLINE_EXCEEDED:
    case ErrorType.CANCELLED:
      return { kind: 'lost' }
    default:
      return undefined
  }
}

export const meaningOf = (error: unknown): Meaning => {
  const known = memberOf(error)
  const text = textOf(error)
  const typed = meaningOfType(known.type, known)
  if (typed) return typed
  if (unsent.test(text)) return { kind: 'unreachable' }
  switch (known.code) {
    case codes.permissionDenied:
    case codes.unauthenticated:
      return { kind: 'denied' }
    case codes.aborted:
      return { kind: 'dropped' }
    case codes.resourceExhausted:
      return { kind: 'overloaded' }
    case codes.cancelled:
    case codes.deadlineExceeded:
    case codes.internal:
    case codes.unavailable:
    case codes.dataLoss:
      return { kind: 'lost' }
    case codes.unknown:
      return { kind: 'broken' }
    default:
      break
  }
  if (known.type === ErrorType.TIMEOUT) return { kind: 'dropped' }
  if (known.type === ErrorType.UNAVAILABLE) return { kind: 'lost' }
  return { kind: 'not-done', reason: text }
}

/** Said of the whole call, and so to everybody who has something on it, whatever became of that. */
export const isOfCall = (error: unknown): boolean => memberOf(error).code !== undefined

/** Where the leader is, when a follower was asked. */
export const leaderOf = (error: unknown): string | undefined =>
  error instanceof NotLeaderError ? `${error.leader.address}:${error.leader.port}` : undefined

/** Why a certificate or the lack of one stands in the way, in words; undefined when it does not. */
const tlsFault = (text: string): string | undefined => {
  // First what the codes of the others also fit.
  if (/altnames|Hostname\/IP/i.test(text)) return 'its certificate is for another host name than the one in the URL'
  if ((/certificate/i.test(text) && /expired|not yet/i.test(text)) || /CERT_HAS_EXPIRED|CERT_NOT_YET/i.test(text))
    return 'its certificate has expired or is not valid yet: renew it, or set the clock'
  if (/self.signed|unable to (?:verify|get)|UNABLE_TO|CERT_/i.test(text))
    return 'its certificate is not trusted: name the authority that signed it with tlsCAFile=/path/to/ca.crt'
  if (/wrong version number|packet length too long|EPROTO|SSL routines/i.test(text))
    return 'it does not speak TLS: add tls=false, or turn TLS on at the server'
  return undefined
}

/** What is longer tells nobody anything. */
const LONGEST_REASON = 200

/** Why no connection came about, as far as the client says it. */
const reasonOf = (text: string): string | undefined => {
  const [, told] = text.split(/Last error: (?:Error: )?/, 2)
  const [last = ''] = (told ?? '').split(/;|\n|\. Resolution/, 1)
  if (last !== '' && last.length <= LONGEST_REASON) return last.replace(/\.$/, '')
  if (/Name resolution failed/i.test(text)) return 'its name is not known here'
  const [, attempts] = /Failed to discover after (\d+) attempts/.exec(text) ?? []
  if (attempts !== undefined) return `no node of it has said who leads, asked ${attempts} times`
  return undefined
}

/** The server is there and will say the same the next time: waiting is of no use. */
export class RefusedError extends OwnError {
  override readonly name = 'RefusedError'
  readonly kind = 'refused'
}

/** The failure as the port names it, for reads and for what was certainly not written. */
export const failureOf = (error: unknown, shown: string): EventStoreError => {
  if (error instanceof EventStoreError) return error
  const meaning = meaningOf(error)
  const text = textOf(error)
  const say = (code: EventStoreError['code'], why: string): EventStoreError =>
    new EventStoreError(code, `EventStoreDB at ${shown} ${why}`, { cause: error })
  const refused = (why: string): EventStoreError =>
    new EventStoreError('unavailable', `EventStoreDB at ${shown}${why}`, {
      cause: new RefusedError(text, { cause: error }),
    })
  switch (meaning.kind) {
    case 'denied':
      return refused(' refuses the login, or the login may not do this: check user, password and rights')
    case 'deleted':
      return say('corrupt', 'says that a stream was tombstoned: somebody has deleted what is never deleted')
    case 'too-large':
      return say('too-large', 'takes less in one append than 1,000,000 bytes: raise its MaxAppendSize')
    case 'broken':
      return say('unavailable', `has met an error inside (${text.slice(0, 200)})`)
    case 'overloaded':
      return say('busy', 'has more to do than it takes')
    case 'not-leader':
      return say('unavailable', 'is not the leader of its cluster now')
    case 'unreachable': {
      const why = tlsFault(text)
      if (why !== undefined) return refused(`: ${why}`)
      const reason = reasonOf(text)
      return say('unavailable', `cannot be reached${reason === undefined ? '' : ` (${reason})`}`)
    }
    case 'lost':
    case 'dropped': {
      const why = tlsFault(text)
      return why === undefined
        ? say('unavailable', 'does not answer: the connection was lost or took too long')
        : refused(`: ${why}`)
    }
    default:
      return say('unavailable', `answers with an error that is not known (${text.slice(0, 200)})`)
  }
}

/** Whether trying again is of any use: what is damaged or closed stays so. */
export const passes = (error: unknown): boolean =>
  error instanceof EventStoreError && (error.code === 'unavailable' || error.code === 'busy')
