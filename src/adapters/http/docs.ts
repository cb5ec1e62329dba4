/** The page to read and try the interface at: swagger-ui under a policy that lets nothing in but its own files. */
import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ProblemError } from './problems.ts'
import { secure } from './security.ts'

const policy = (styles: readonly string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' ${styles.join(' ')}`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

export const registerDocs = async (
  app: FastifyInstance,
  strict: boolean,
  /** Counts what is read. @throws {ProblemError} rate-limited. */
  count: (request: FastifyRequest) => Promise<unknown>,
): Promise<void> => {
  await app.register(async scope => {
    let csp = policy([])
    scope.addHook('onSend', async (request, reply, payload) => {
      secure(reply, request.id, strict)
      reply.header('content-security-policy', csp)
      if (reply.statusCode < 400) reply.header('cache-control', 'public, no-cache')
      return payload
    })
    await scope.register(fastifySwaggerUi, {
      routePrefix: '/docs',
      uiConfig: { deepLinking: true, displayOperationId: false, tryItOutEnabled: true },
      uiHooks: {
        onRequest: async request => {
          await count(request)
          if (request.url.split('?')[0] === '/docs/')
            throw new ProblemError('not-found', 'There is nothing at this address; the page is at /docs.')
        },
      },
      theme: { title: 'Lexichron' },
    })
    csp = policy(scope.swaggerCSP.style)
  })
}
