/**
 * Addresses that were asked for a moment ago. What the router and the schemas make of one follows from the address alone: its route,
 * parameters and query string are remembered, and a plain GET of it is admitted, counted, handled, answered and logged as every other,
 * without the parts of Fastify that would find that out again (decision 115). Whoever is to be refused, waited for or asked more of
 * goes the long way, which is told what was counted and found so far: nothing is done twice.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { defined } from '../../domain/defined.ts'
import type { Access, Place } from './access.ts'
import type { Answering, Asking } from './answering.ts'
import { clientAddress } from './client-address.ts'
import type { Findings, Prepared } from './findings.ts'
import type { Hit, Limits } from './limits.ts'
import { checkRequest } from './request-target.ts'
import type { EdgeRequest, Requester, Route } from './route.ts'
import type { Guard } from './security.ts'

/** Addresses that are remembered; longer ones are not. */
const ADDRESSES = 1_000
const LONGEST = 512

type Known = {
  readonly route: Route
  readonly given: Pick<EdgeRequest, 'path' | 'params' | 'query'>
  readonly place: Place
}

/** Some other part of the server has something to do or to say where one of these comes. */
const UNUSUAL = [
  'content-length',
  'transfer-encoding',
  'expect',
  'upgrade',
  'cookie',
  'sync-token',
  'accept-version',
] as const

const isPlain = (request: IncomingMessage): boolean => {
  const { headers, httpVersion } = request
  if (httpVersion !== '1.1') return false
  for (const name of UNUSUAL) if (headers[name] !== undefined) return false
  try {
    checkRequest({ headers, raw: request, method: 'GET', originalUrl: request.url ?? '' })
    return true
  } catch {
    return false
  }
}

/** Nothing but the address decides what is to be done about it, and nothing is handed over to others. */
const isOrdinary = ({ method, identify, admit, upgrade }: Route): boolean =>
  method === 'GET' && !identify && !admit && !upgrade

export type RepeatDeps = {
  readonly guard: Pick<Guard, 'recognise' | 'counted' | 'meteredFor'>
  readonly limits: Pick<Limits, 'hit'>
  readonly answering: Pick<Answering, 'write'>
  readonly access: Pick<Access, 'began'>
  readonly requestId: (request: IncomingMessage) => string
  /** Is nobody to be refused by the address, and is the server not closing? */
  readonly isOpen: () => boolean
  /** The long way. */
  readonly routing: (request: IncomingMessage, response: ServerResponse) => void
}

export type Repeats = Findings & {
  /** Answers it, or has it answered the long way. */
  take(request: IncomingMessage, response: ServerResponse, deps: RepeatDeps): void
}

export const openRepeats = (placeOf: (request: FastifyRequest) => Place): Repeats => {
  const addresses = new LRUCache<string, Known>({ max: ADDRESSES })
  const prepared = new WeakMap<IncomingMessage, Prepared>()

  type Admitted = { readonly requester: Requester; readonly counted: string; readonly hit: Hit | undefined }
  /** Undefined where something is to be waited for, or to be said. */
  const admitted = (route: Route, request: IncomingMessage, id: string, deps: RepeatDeps): Admitted | undefined => {
    const { guard, limits } = deps
    const requester = guard.recognise(route, request.headers)
    const counted = requester && guard.counted(requester, request.socket)
    if (!requester || counted === undefined) return undefined
    const counting = route.rate && limits.hit(route.rate, { name: counted, isKnown: requester.actor !== undefined })
    if (!(counting instanceof Promise) && counting?.used === undefined) return { requester, counted, hit: counting }
    prepared.set(request, { id, counting })
    return undefined
  }

  const begin = (known: Known, request: IncomingMessage, response: ServerResponse, deps: RepeatDeps): void => {
    const { route, given, place } = known
    const { headers, socket } = request
    const id = deps.requestId(request)
    const found = admitted(route, request, id, deps)
    if (!found) {
      deps.routing(request, response)
      return
    }
    const { requester, counted, hit } = found
    const asking: Asking = {
      id,
      method: 'GET',
      headers,
      hit,
      after: undefined,
      isPositionless: route.positionless === true,
    }
    const edge: EdgeRequest = {
      ...given,
      id,
      method: 'GET',
      address: () => clientAddress({ ip: socket.remoteAddress, socket }),
      body: undefined,
      headers,
      requester,
      counted,
      after: undefined,
    }
    const forget = deps.access.began({ id, headers, route: route.path, place, actor: requester.actor?.id }, response)
    const answer = deps.guard.meteredFor({ requester, counted }, () => route.handle(edge))
    const longWay = (): void => {
      // Who has left meanwhile is not answered, as the log says by now.
      if (!forget()) return
      prepared.set(request, { id, answer, ...defined({ counting: hit }) })
      deps.routing(request, response)
    }
    answer.then(made => deps.answering.write(response, asking, made)).then(isWritten => isWritten || longWay(), longWay)
  }

  return {
    of: request => prepared.get(request),
    learn: (route, request, { path, params, query }, { status }) => {
      const { url } = request.raw
      if (url === undefined || url.length > LONGEST || request.method !== 'GET' || !isOrdinary(route)) return
      if ((status !== 200 && status !== 304) || addresses.has(url)) return
      addresses.set(url, { route, given: { path, params, query }, place: placeOf(request) })
    },
    take: (request, response, deps) => {
      const known = request.method === 'GET' ? addresses.get(request.url ?? '') : undefined
      if (known && deps.isOpen() && isPlain(request)) begin(known, request, response, deps)
      else deps.routing(request, response)
    },
  }
}
