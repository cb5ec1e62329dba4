/**
 * What is streamed was begun with rights, and goes on for as long as these last: a role that is taken back, a grant that ends
 * and a session that is over end what runs by them. One watcher for all bodies that are streamed.
 */
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { permitsAll } from '../../domain/roles.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Authority } from './authority.ts'
import type { Credential, Requester } from './route.ts'
import type { Admission } from './security.ts'

/** Every body is looked at so often: a grant ends by the clock, and no event tells of it. */
const LOOK_MS = 1_000

type Running = { readonly requester: Requester; readonly credential: Credential; readonly end: () => void }

/** A feed of events ends with a word of its own to its reader (src/core/live/hub.ts). */
const isFeed = (type: unknown): boolean => String(type).startsWith('text/event-stream')

/** Adds its hook to the server, and looks until that closes. */
export const prepareEndings = (
  app: FastifyInstance,
  { current }: Pick<Authority, 'current'>,
  clock: Pick<Clock, 'sleep'>,
): void => {
  const running = new Set<Running>()
  const closing = new AbortController()
  let looking = false

  const endOverdue = (): void => {
    for (const { requester, credential, end } of [...running]) {
      const now = current(credential)
      // Less than it began with: what it shows may be more than its reader may see by now.
      if (!now || !permitsAll(now, requester)) end()
    }
  }
  const look = async (): Promise<void> => {
    looking = true
    while (running.size > 0 && !closing.signal.aborted) {
      await clock.sleep(LOOK_MS, closing.signal)
      endOverdue()
    }
    looking = false
  }

  app.addHook('onSend', (request, reply, payload, done) => {
    const requester = request.getDecorator<Admission | null>('admission')?.requester
    const credential = requester?.credential
    if (payload instanceof Readable && requester && credential && !isFeed(reply.getHeader('content-type'))) {
      // The connection, not the answer: a reader that takes nothing would never see its end.
      const each: Running = { requester, credential, end: () => reply.raw.destroy() }
      running.add(each)
      reply.raw.once('close', () => running.delete(each))
      if (!looking) void look()
    }
    done(null, payload)
  })
  app.addHook('onClose', async () => closing.abort())
}
