/** The problems that no area has alone: faults that only the edge can see, and what any command may be refused for. */
import type { CommonRefusal } from '../../../domain/refusal.ts'
import type { Problem } from '../problem.ts'

/** Faults that only the edge can see. */
const edgeCodes = [
  'request-malformed',
  'json-invalid',
  'json-too-deep',
  'validation',
  'header-invalid',
  'sync-token-invalid',
  'cursor-invalid',
  'cursor-expired',
  'other-log',
  'unauthenticated',
  'not-found',
  'method-not-allowed',
  'method-not-implemented',
  'version-not-supported',
  'not-acceptable',
  'request-timeout',
  'expectation-failed',
  'payload-too-large',
  'unsupported-media-type',
  'rate-limited',
  'too-many-streams',
  'too-many-connections',
  'headers-too-large',
  'origin-refused',
  'csrf-invalid',
  'blocked',
  'passwords-busy',
  'not-an-account',
  'internal',
  'event-unreadable',
  'store-damaged',
  'store-unavailable',
  'busy',
  'closing',
  'projection-behind',
  'projection-building',
  'authorisation-unavailable',
] as const
export type EdgeCode = (typeof edgeCodes)[number]

export const edgeProblems = {
  'text-invalid': {
    status: 422,
    title: 'Text not allowed',
    help: 'Some text is blank, too long, or has control characters, bidirectional overrides or lone surrogates. errors names each member.',
  },
  'reason-required': {
    status: 422,
    title: 'A reason is required',
    help: 'This change is kept with its reason; say one.',
  },
  'language-unknown': {
    status: 422,
    title: 'Unknown language',
    help: 'The language is not a BCP 47 tag with a registered language.',
  },
  'read-only-member': {
    status: 422,
    title: 'A member is read-only',
    help: 'A member that cannot be changed was sent with a value other than the current one. Leave it out, or send it as it is.',
  },
  'revision-stale': {
    status: 412,
    title: 'Somebody was faster',
    help: 'If-Match names a revision that is no longer current. Read again (the Sync-Token of this answer makes sure that you see it), decide again, and send the new ETag.',
  },
  'revision-required': {
    status: 428,
    title: 'If-Match is required',
    help: 'This overwrites what you have read, so say which revision that was: send its ETag in If-Match.',
  },
  conflict: {
    status: 409,
    title: 'Too many at once',
    help: 'Others keep changing this at the same moment. Try again.',
  },
  'outcome-unknown': {
    status: 503,
    title: 'Outcome unknown',
    help: 'The store did not say whether this was written. Send the same request again with the same Idempotency-Key: it has one effect.',
    retryAfter: 2,
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'Idempotency-Key reused',
    help: 'This key came with another payload before. Take a new key for a new request.',
  },
  'idempotency-running': {
    status: 409,
    title: 'Still running',
    help: 'The first request with this Idempotency-Key has not been answered yet. Ask again in a moment.',
  },
  'permission-denied': {
    status: 403,
    title: 'Not allowed',
    help: 'Your rights do not allow this. /v1/me/permissions says what they do, /v1/roles what there is. Which permission is missing is told to those who were given more than everybody has.',
  },
  'request-malformed': {
    status: 400,
    title: 'Malformed request',
    help: 'The request cannot be read: its address, its framing or its encoding is broken.',
  },
  'json-invalid': {
    status: 400,
    title: 'Not JSON',
    help: 'The body is not JSON in valid UTF-8, or a member occurs twice in one object.',
  },
  'json-too-deep': { status: 400, title: 'Nested too deeply', help: 'Bodies nest 32 levels at most.' },
  validation: {
    status: 400,
    title: 'Invalid request',
    help: 'A member or query parameter is unknown, missing, or of the wrong type or shape. Nothing is coerced. errors names each one.',
  },
  'header-invalid': {
    status: 400,
    title: 'Invalid header',
    help: 'A header of the request does not follow its grammar. The detail names it.',
  },
  'sync-token-invalid': {
    status: 400,
    title: 'Invalid Sync-Token',
    help: 'The Sync-Token was not made by this service, or names a position that the log has not reached.',
  },
  'cursor-invalid': {
    status: 400,
    title: 'Invalid cursor',
    help: 'The cursor was not made by this service, or belongs to another list or to other filters.',
  },
  'cursor-expired': {
    status: 410,
    title: 'Cursor expired',
    help: 'The read model that this cursor pages through was replaced. Start again from the first page.',
  },
  'other-log': {
    status: 409,
    title: 'Another log',
    help: 'The token or cursor is of another log, or of another history of this one: the data was restored or copied since, or the token was made by an older version. Drop what you keep and read again.',
  },
  unauthenticated: {
    status: 401,
    title: 'Who are you?',
    help: 'This needs an access token, sent as Authorization: Bearer <token>. A token that is expired, revoked or forged is none.',
  },
  'not-found': { status: 404, title: 'Nothing here', help: 'There is nothing at this address.' },
  'method-not-implemented': {
    status: 501,
    title: 'Method not implemented',
    help: 'No address of this service has this method.',
  },
  'version-not-supported': {
    status: 505,
    title: 'HTTP version not supported',
    help: 'The service speaks HTTP/1.1 and HTTP/1.0.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    help: 'The address exists, but not with this method. The header Allow lists those it has.',
  },
  'not-acceptable': {
    status: 406,
    title: 'No such format',
    help: 'The resource is not offered in any format that the header Accept allows.',
  },
  'request-timeout': {
    status: 408,
    title: 'Too slow',
    help: 'The request did not arrive in time.',
  },
  'expectation-failed': {
    status: 417,
    title: 'Expectation failed',
    help: 'The header Expect may say 100-continue and nothing else.',
  },
  'payload-too-large': {
    status: 413,
    title: 'Too large',
    help: 'A body is 1,048,576 bytes at most, and what one change writes to the log 1,000,000 bytes, in which text takes a third more than it was sent with. The detail says which of them it was.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    help: 'Bodies are application/json in UTF-8, uncompressed; PATCH takes application/merge-patch+json too.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    help: 'Wait as long as Retry-After says. RateLimit-Policy states the limits, RateLimit what is left.',
  },
  'too-many-connections': {
    status: 429,
    title: 'Too many connections',
    help: 'Too many live connections, or requests at once, are open for your account or address. Close one, or try again later.',
    retryAfter: 10,
  },
  'too-many-streams': {
    status: 429,
    title: 'Too many streams',
    help: 'Two streams at once are allowed. End one first.',
    retryAfter: 5,
  },
  'headers-too-large': {
    status: 431,
    title: 'Headers too large',
    help: 'The address and the headers of a request are 16,384 bytes at most, together.',
  },
  'origin-refused': {
    status: 403,
    title: 'Origin refused',
    help: 'A page of another origin may not use your cookies here: LEXICHRON_ALLOWED_ORIGINS lists those that may.',
  },
  'csrf-invalid': {
    status: 403,
    title: 'No proof against forged requests',
    help: 'A change that comes with cookies sends back, as X-CSRF-Token, the csrfToken of the sign-in, which the cookie __Host-csrf holds too.',
  },
  blocked: {
    status: 403,
    title: 'You are blocked',
    help: 'Nothing is served to your address or account for now. Retry-After says for how many seconds; without it, ask whoever runs the service.',
  },
  'passwords-busy': {
    status: 429,
    title: 'Too many sign-ins at once',
    help: 'More passwords wait to be checked than can be checked soon. Nothing was tried; try again as Retry-After says.',
    retryAfter: 2,
  },
  'not-an-account': {
    status: 403,
    title: 'Not an account',
    help: 'This is for people with an account; the token belongs to a service.',
  },
  internal: {
    status: 500,
    title: 'Our fault',
    help: 'Something broke here. The log has the details under the requestId.',
  },
  'event-unreadable': {
    status: 503,
    title: 'An event cannot be read',
    help: 'This rests on an event that is damaged, or that a newer build has written. Asking again is of no use before the operator has seen to it; /health says where.',
    retryAfter: 60,
  },
  'store-damaged': {
    status: 503,
    title: 'A store is damaged',
    help: 'The log, the keys or the queue of jobs are not what they should be, and this cannot be told or done without them. Asking again is of no use before the operator has seen to it; the log of the service says what it is.',
    retryAfter: 60,
  },
  'store-unavailable': {
    status: 503,
    title: 'Store unavailable',
    help: 'A store cannot be reached at the moment. Nothing was half-written.',
    retryAfter: 2,
  },
  busy: {
    status: 503,
    title: 'Busy',
    help: 'Too many writes are waiting. Nothing was written; try again.',
    retryAfter: 1,
  },
  closing: { status: 503, title: 'Shutting down', help: 'This node is shutting down. Try again.', retryAfter: 1 },
  'projection-behind': {
    status: 503,
    title: 'Not there yet',
    help: 'The read model has not reached the Sync-Token within two seconds. Try again.',
    retryAfter: 1,
  },
  'projection-building': {
    status: 503,
    title: 'Being built',
    help: 'The read model is being built. Try again later; /health shows how far it is.',
    retryAfter: 5,
  },
  'authorisation-unavailable': {
    status: 503,
    title: 'Roles unknown',
    help: 'This node has not heard from the log for ten seconds and cannot tell whether your token still holds. Public reading goes on.',
    retryAfter: 5,
  },
} as const satisfies Record<EdgeCode | CommonRefusal, Problem>

/** What the edge says by itself. */
export const helpOf = (code: EdgeCode): string => edgeProblems[code].help

type EdgeProblems = typeof edgeProblems
declare module '../../../domain/refusal.ts' {
  interface ExplainedCodes extends EdgeProblems {}
}
