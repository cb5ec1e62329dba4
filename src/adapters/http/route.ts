/** What a route is to the server: its place, its schemas and examples, who may call it, and one function. */
import type { Readable } from 'node:stream'
import type { WebSocket } from '@fastify/websocket'
import type { FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import type { Actor, Json } from '../../domain/event.ts'
import type { RefusalCode } from '../../domain/refusal.ts'
import type { Permission, Rights, Role } from '../../domain/roles.ts'
import type { Encoding } from './negotiation.ts'
import type { AnswerHeaders } from './problems.ts'

export type RateClass = 'reads' | 'suggest' | 'search' | 'writes' | 'signIns'

/** Who asks. No actor: a stranger, with the permissions of strangers. */
export type Requester = Rights & {
  readonly actor?: Actor
  /** Nobody asks: an answer is loaded to be at hand. */
  readonly warming?: true
  /** What a long answer ends with. */
  readonly credential?: Credential
}
/** Names what somebody was let in by: the id of an access token. */
export type Credential = { readonly id: string }

/** A request after authentication, limits and validation. */
export type EdgeRequest = {
  readonly id: string
  readonly method: string
  /** Where it comes from, as a trusted proxy says; worked out when it is asked for. */
  readonly address: () => string
  /** As sent, without the query string. */
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  /** As the route's querystring schema has it. */
  readonly query: unknown
  /** As the route's body schema has it. */
  readonly body: unknown
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly requester: Requester
  /** What rate limits and streams are counted by: the account, or the address of a stranger. */
  readonly counted: string
  /** The position that the request's Sync-Token names. */
  readonly after: bigint | undefined
}

export type Encoded = (encoding: Encoding) => Buffer

export type Answer = {
  readonly status: number
  readonly body?: string | Readable
  /** Of the body in UTF-8, where that is known. */
  readonly bytes?: number
  /** `application/json; charset=utf-8` unless said. */
  readonly type?: string
  readonly headers?: AnswerHeaders
  /** What the answer reflects: becomes the Sync-Token. */
  readonly position?: bigint
  /** A strong entity tag. */
  readonly etag?: string
  /** Cache-Control, where it is not the rule's. */
  readonly cache?: string
  /** The body in compressed bytes, where these are kept. */
  readonly encoded?: Encoded
}

/** One answer in the OpenAPI document. */
export type Documented = {
  readonly description: string
  readonly schema?: TSchema
  readonly type?: string
  readonly example?: Json
  readonly headers?: readonly string[]
  /** Another form of the same, offered by Accept: a text where there is no schema. */
  readonly also?: { readonly type: string; readonly example: Json; readonly schema?: TSchema }
}

/** What an example speaks of that is not there once those before it were sent. */
export type ExampleNeed = 'an account' | 'a secret' | 'a provider' | 'an id that is keyed' | 'a listener'

/**
 * How an example is sent: the path with its parameters filled in, the query string and the body; by whom, and when. Those of a whole
 * service, sent one after the other, each find what they speak of.
 */
export type RequestExample = {
  /** Who sends it; unless said, the first of the roles that may, and a stranger where strangers may. */
  readonly as?: Role
  readonly headers?: Readonly<Record<string, string>>
  /** The operationId of the example that makes what this one speaks of. */
  readonly after?: string
  /** It takes away what others speak of. */
  readonly isLast?: true
  /** It is shown alone. */
  readonly needs?: ExampleNeed
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Json
}

/** What can be told before a body is read. */
export type Upgrading = Pick<FastifyRequest, 'headers' | 'url' | 'ip'>

export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Parameters as `:name`. */
  readonly path: string
  /** The operationId. */
  readonly name: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  /** Absent: open to all, whatever they send as credentials. */
  readonly permission?: Permission
  /** The permission may be held for some languages alone: the command looks at that of the entry. */
  readonly byLanguage?: boolean
  /** Open to all, and says more to those whose token is good. */
  readonly credentials?: 'optional'
  /**
   * Read-only figures for finding out what is wrong: rights as this node heard of them last will do where it hears nothing,
   * as that is when these are wanted most.
   */
  readonly diagnosis?: true
  /** Who asks, where it is settled otherwise than by Authorization alone; undefined: as everywhere. */
  readonly identify?: (request: Upgrading) => Promise<Requester | undefined> | Requester | undefined
  /** Is there a place for one more of those who are counted together? @throws {ProblemError} when there is none. */
  readonly admit?: (counted: string) => void
  /** Takes over a WebSocket that was admitted. */
  readonly upgrade?: (socket: WebSocket, request: FastifyRequest) => void
  /** Its answers carry no Sync-Token: they hand out a secret, and are about no position of the log. */
  readonly positionless?: true
  /** Absent: not limited. */
  readonly rate?: RateClass
  readonly params?: TSchema
  readonly querystring?: TSchema
  readonly body?: TSchema
  /** Bytes that its body may have; 1 MiB where it does not say. */
  readonly bodyLimit?: number
  readonly request: RequestExample
  readonly answers: Readonly<Record<number, Documented>>
  /** Beside those that any route of its kind may answer with. */
  readonly problems: readonly RefusalCode[]
  readonly handle: (request: EdgeRequest) => Promise<Answer> | Answer
}

/** A header that came once. */
export const header = (request: Pick<EdgeRequest, 'headers'>, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}
