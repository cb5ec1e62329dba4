/** Why a command is refused: a closed union. The edge maps each code to one problem (src/adapters/http/problems.ts). */

export const refusalCodes = [
  'entry-exists',
  'entry-not-found',
  'entry-removed',
  'entry-gone',
  'entry-not-draft',
  'entry-not-submitted',
  'entry-not-published',
  'entry-not-retired',
  'entry-retired',
  'entry-not-stale',
  'entry-incomplete',
  'entry-edited',
  'identity-fixed',
  'read-only-member',
  'sense-unknown',
  'sense-repeated',
  'revision-unknown',
  'replacement-unknown',
  'language-unknown',
  'text-invalid',
  'reason-required',
  'day-unknown',
  'nothing-found',
  'event-not-found',
  'stream-not-found',
  'as-of-invalid',
  'pattern-too-broad',
  'pattern-invalid',
  'token-not-found',
  'role-unknown',
  'token-life',
  'revision-stale',
  'revision-required',
  'conflict',
  'outcome-unknown',
  'idempotency-key-reused',
  'idempotency-running',
  'permission-denied',
] as const

export type RefusalCode = (typeof refusalCodes)[number]

/** `pointer` (RFC 6901) names the member at fault; `context` is safe to show and goes into the problem as members. */
export type Refusal = {
  readonly refused: RefusalCode
  readonly detail: string
  readonly errors?: readonly { readonly pointer: string; readonly code: string; readonly detail: string }[]
  readonly context?: Readonly<Record<string, string | number | boolean | null>>
}

/** A refusal, to be returned from a decision. */
export const refuse = (code: RefusalCode, detail: string, more: Pick<Refusal, 'errors' | 'context'> = {}): Refusal => ({
  refused: code,
  detail,
  ...more,
})

export const isRefusal = (value: object): value is Refusal => 'refused' in value
