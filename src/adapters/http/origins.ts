/** Web pages of other origins that may call (CORS: Fetch Standard, 3.2): those that the operator lists, and no other. */
import fastifyCors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

const exposed = [
  'ETag',
  'Location',
  'Link',
  'Sync-Token',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'X-Request-Id',
  'Idempotent-Replayed',
  'Lexichron-Filling',
]

/** Lets pages of these origins call; without any, nothing is answered about origins. */
export const registerOrigins = async (app: FastifyInstance, allowed: readonly string[]): Promise<void> => {
  if (allowed.length === 0) return
  await app.register(fastifyCors, {
    delegator: (request, done) => {
      const { origin } = request.headers
      // An origin that is not listed, or none: the same answer as of a service that lists none.
      if (origin === undefined || !allowed.includes(origin)) return done(null, { origin: false })
      done(null, {
        origin,
        strictPreflight: false,
        maxAge: 600,
        exposedHeaders: exposed,
        // Those origins are listed one by one, and their pages may use the cookies.
        credentials: true,
        methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      })
    },
  })
}
