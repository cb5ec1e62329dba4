/** Which trace something belongs to: W3C Trace Context (https://www.w3.org/TR/trace-context/). */
import { hash } from 'node:crypto'

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const NONE = '0'.repeat(32)

/** Cut where a UUID has its signs: looking for them costs more, and each request has a trace. */
const digitsOf = (uuid: string): string =>
  uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24)

/**
 * The trace id (32 hexadecimal digits) of what has this correlation id: the one that the client's `traceparent` names, or
 * else one made from the correlation id, so that the lines of a request and those of every consumer of its events agree
 * though nothing more was stored. A request id made by us is a UUID, and its digits are the trace id.
 */
export const traceIdOf = (correlationId: string, traceparent?: string): string => {
  const named = traceparent === undefined ? undefined : TRACEPARENT.exec(traceparent)?.[1]
  if (named !== undefined && named !== NONE) return named
  const digits = UUID.test(correlationId) ? digitsOf(correlationId) : NONE
  return digits === NONE ? hash('sha256', correlationId).slice(0, 32) : digits
}

const HARMLESS = /^[A-Za-z0-9._:-]{1,64}$/

/** May this stand in the log as the id of a request? Clients choose theirs, and older events have what was taken in other forms. */
export const isRequestId = (id: string): boolean => HARMLESS.test(id)
