/** The problems of the live feed's edge. */
import type { ProblemTable } from '../problem.ts'

export const liveProblems = {
  'upgrade-required': {
    status: 426,
    title: 'A WebSocket',
    help: 'This address is a WebSocket of the subprotocol lexichron.v1. Server-sent events are at /v1/live/{channel}.',
  },
  'ticket-invalid': {
    status: 401,
    title: 'The ticket is no good',
    help: 'A ticket is good for one connection within 30 seconds. Get another one from POST /v1/live/tickets.',
  },
  'too-many-replays': {
    status: 429,
    title: 'Too many replays',
    help: 'As many subscriptions of your account or address resume after a position of the past as may at once. Try again once one of them has caught up.',
    retryAfter: 10,
  },
  'node-full': {
    status: 503,
    title: 'No place left',
    help: 'This node has as many live connections as it takes. Try again later, or another node.',
    retryAfter: 10,
  },
} as const satisfies ProblemTable

type LiveProblems = typeof liveProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends LiveProblems {}
}
