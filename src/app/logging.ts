/** The service's log as the settings want it, and what consumers tell it about events. */
import type { Logger } from 'pino'
import { openServiceLog, type ServiceLog } from '../adapters/logging/service-log.ts'
import type { Config } from '../config/load.ts'
import type { ConsumerTrace } from '../core/consume/consume.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import { OwnError, wordsOf } from '../domain/own-error.ts'
import { isRequestId, traceIdOf } from '../domain/trace.ts'

/** `print` takes the lines where a person looks at them, in place of standard error. */
export const openLogging = ({ log, dataDir }: Config, print?: (text: string) => void): Promise<ServiceLog> =>
  openServiceLog({ ...log, dataDir, ...defined({ print }) })

const lineOf = (consumer: string, { id, type, stream, position, meta }: Recorded) => ({
  consumer,
  eventId: id,
  type,
  stream,
  position: String(position),
  ...defined({ req: isRequestId(meta.correlationId) ? meta.correlationId : undefined }),
  trace: traceIdOf(meta.correlationId, meta.traceparent),
})

/**
 * What every consumer says about events, each line with the request and the trace that caused the event. Imported events
 * come by the hundred thousand and from no request: they are not told one by one.
 */
export const consumerTrace = (logger: Logger): ConsumerTrace => ({
  ...defined({
    taken: logger.isLevelEnabled('debug')
      ? (consumer: string, events: readonly Recorded[]) => {
          for (const event of events)
            if (event.meta.actor.kind !== 'import') logger.debug(lineOf(consumer, event), 'event taken')
        }
      : undefined,
  }),
  leased: (consumer, takeover, token) => {
    // Where it had to wait out a holder that said nothing, something hung: an operator wants to know. What was free is as usual.
    const say = takeover === 'silent' ? logger.warn : takeover === 'ended' ? logger.info : logger.debug
    say.call(logger, { consumer, takeover, token }, 'works for this consumer now')
  },
  lost: consumer => logger.info({ consumer }, 'another process works for this consumer now'),
  parked: (consumer, id, event, error) =>
    logger.error(
      {
        ...lineOf(consumer, event),
        key: id,
        ...(error instanceof OwnError ? { err: error } : { reason: wordsOf(error) }),
      },
      'event failed: what it concerns is parked',
    ),
})
