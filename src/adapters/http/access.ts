/** One line and one observation a request, also of those that were cut off, and of sockets when they open and end. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { WebSocket } from 'ws'
import { defined } from '../../domain/defined.ts'
import { UUID } from '../../domain/forms.ts'
import { traceOf } from './answering.ts'
import { pathOf } from './mount.ts'
import type { HttpMetrics } from './operation.ts'
import type { Admission } from './security.ts'

/** Of accounts, entries, sessions and all else that has an address. */
const ID = new RegExp(UUID)
/** As the metrics call it. */
const UNMATCHED = 'unmatched'

/** What the log says of an address, and the same as the members of a line. */
export type Place = { readonly facts: object; readonly text: string }

/** A request that is answered without Fastify. */
type Begun = {
  readonly id: string
  readonly headers: IncomingHttpHeaders
  /** As the metrics call it. */
  readonly route: string
  readonly place: Place
  readonly actor: string | undefined
}

export type Access = {
  /**
   * Its answer, or that it was cut off, is told once that is over. Called, what is given back ends that: true where nothing was told
   * so far, and somebody else has to.
   */
  began(request: Begun, response: ServerResponse): () => boolean
  /** A WebSocket was opened for this request. */
  opened(ws: WebSocket, request: FastifyRequest): void
}

/** Of the table of routes, whose patterns are few: text and names of parameters in turn. */
const patterns = new Map<string, readonly string[]>()
const partsOf = (pattern: string): readonly string[] => {
  const parts = patterns.get(pattern) ?? pattern.split(/:([a-z]+)/i)
  patterns.set(pattern, parts)
  return parts
}

/**
 * What the table of routes knows of a path: the pattern, and of its parameters those that are ids. All else is a stranger's choice,
 * and of a path that fits no route there is only how long and how deep it is.
 */
const factsOfPlace = ({ routeOptions, params, url }: FastifyRequest) => {
  const { url: pattern } = routeOptions
  if (pattern === undefined) {
    const path = pathOf(url)
    return { path: UNMATCHED, length: path.length, depth: path.split('/').length - 1 }
  }
  const parts = partsOf(pattern)
  if (parts.length === 1) return { path: pattern }
  const given: Readonly<Record<string, unknown>> = Object(params)
  let path = ''
  for (const [at, part] of parts.entries()) {
    if (at % 2 === 0) path += part
    else {
      const value = given[part]
      path += typeof value === 'string' && ID.test(value) ? value.toLowerCase() : `:${part}`
    }
  }
  return { path }
}

export const placeOf = (request: FastifyRequest): Place => {
  const facts = factsOfPlace(request)
  return { facts, text: `,${JSON.stringify(facts).slice(1, -1)}` }
}

/** Without query string, headers and body: tickets and people's words stay out of the log. */
const factsOf = (request: FastifyRequest) => {
  const actor = request.getDecorator<Admission | null>('admission')?.requester.actor?.id
  return {
    req: request.id,
    trace: traceOf(request),
    method: request.method,
    ...factsOfPlace(request),
    ...defined({ actor }),
  }
}

const rounded = (ms: number): number => Math.round(ms * 100) / 100

type Told = {
  readonly logger: Logger
  readonly metrics?: HttpMetrics | undefined
  readonly infoLine?: (members: string) => void
}

export const prepareAccess = (app: FastifyInstance, { logger, metrics, infoLine }: Told): Access => {
  const logged = logger.isLevelEnabled('info')
  if (!logged && !metrics) return { opened: () => undefined, began: () => () => true }
  /** Of the few that do not end as all do: what is entered here costs the collector. */
  const told = new WeakSet<FastifyRequest>()
  const measured = new WeakSet<FastifyRequest>()

  const measure = (request: FastifyRequest, reply: FastifyReply): void => {
    metrics?.request(request.method, request.routeOptions.url, reply.statusCode, reply.elapsedTime)
  }
  const tell = (request: FastifyRequest, reply: FastifyReply, cut: boolean): void => {
    if (cut) told.add(request)
    if (!measured.has(request)) measure(request, reply)
    const ms = rounded(reply.elapsedTime)
    if (logged)
      logger.info(
        { ...factsOf(request), status: reply.statusCode, ms, ...defined({ cut: cut ? cut : undefined }) },
        'request',
      )
  }

  app.addHook('onRequest', (request, reply, done) => {
    // Who leaves before the end never lets it finish.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished && !told.has(request)) tell(request, reply, true)
    })
    done()
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    // How long a stream lives is its reader's affair: what is measured is the time until it begins.
    if (payload instanceof Readable && !measured.has(request)) {
      measured.add(request)
      measure(request, reply)
    }
    done(null, payload)
  })
  app.addHook('onResponse', (request, reply, done) => {
    // Fastify calls it after an error of the connection too, where the end of that has told it, or will.
    if (reply.raw.writableFinished && !told.has(request)) tell(request, reply, false)
    done()
  })
  return {
    began: ({ id, headers, route, place, actor }, response) => {
      const from = performance.now()
      let isTold = false
      const tellIt = (): void => {
        isTold = true
        const status = response.statusCode
        const ms = performance.now() - from
        metrics?.request('GET', route, status, ms)
        if (!logged) return
        const [trace, cut] = [traceOf({ id, headers }), response.writableFinished ? undefined : true]
        if (infoLine) {
          // An id of a request and one of a trace have no sign that JSON writes otherwise.
          const who = actor === undefined ? '' : `,"actor":${JSON.stringify(actor)}`
          const end = cut ? ',"cut":true' : ''
          const begin = `,"req":"${id}","trace":"${trace}","method":"GET"${place.text}${who}`
          infoLine(`${begin},"status":${status},"ms":${rounded(ms)}${end},"msg":"request"`)
          return
        }
        const facts = { req: id, trace, method: 'GET', ...place.facts, ...defined({ actor }) }
        logger.info({ ...facts, status, ms: rounded(ms), ...defined({ cut }) }, 'request')
      }
      response.once('close', tellIt)
      return () => {
        response.off('close', tellIt)
        return !isTold
      }
    },
    opened: (ws, request) => {
      told.add(request)
      const facts = factsOf(request)
      const began = performance.now()
      metrics?.request(request.method, request.routeOptions.url, 101, 0)
      if (!logged) return
      logger.info({ ...facts, status: 101 }, 'request')
      ws.once('close', code => logger.info({ ...facts, code, ms: rounded(performance.now() - began) }, 'socket ended'))
    },
  }
}
