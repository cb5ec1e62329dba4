/** What was found out about a request before Fastify was asked, for those parts of the server that would find it out again. */
import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { Hit } from './limits.ts'
import type { Answer, EdgeRequest, Route } from './route.ts'

/** Of a request that was begun without Fastify. */
export type Prepared = {
  readonly id: string
  readonly counting?: Promise<Hit> | Hit
  readonly answer?: Promise<Answer>
}

/** What was found for a request before Fastify was asked. */
export type Findings = {
  of(request: IncomingMessage): Prepared | undefined
  /** Remembers what the address of an answered request is. */
  learn(route: Route, request: FastifyRequest, edge: EdgeRequest, answer: Answer): void
}
