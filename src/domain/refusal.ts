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
  'email-invalid',
  'password-weak',
  'link-invalid',
  'link-expired',
  'link-used',
  'credentials-wrong',
  'account-not-found',
  'account-suspended',
  'account-erased',
  'role-basic',
  'role-not-held',
  'grant-suspended',
  'grant-beyond-own',
  'session-ended',
  'session-not-found',
  'step-up-required',
  'second-factor-required',
  'code-wrong',
  'factor-on',
  'factor-off',
  'password-short',
  'passkey-wrong',
  'passkey-refused',
  'passkey-not-found',
  'passkeys-off',
  'own-role',
  'last-administrator',
  'erasure-begun',
  'receipt-not-found',
  'grant-past',
  'name-invalid',
  'name-taken',
  'time-zone-unknown',
  'grant-languages',
  'block-target-invalid',
  'block-too-wide',
  'block-past',
  'block-protected',
  'block-not-found',
  'identity-in-use',
  'identity-not-found',
  'identity-last',
  'identity-limit',
  'openid-address-taken',
  'openid-address-missing',
  'openid-unconfirmed',
  'openid-flow-invalid',
  'openid-refused',
  'openid-answer-invalid',
  'openid-unavailable',
] as const

export type RefusalCode = (typeof refusalCodes)[number]

/** What is wrong with one member; `pointer` (RFC 6901) names it. */
export type Fault = { readonly pointer: string; readonly code: string; readonly detail: string }

/** `errors` name the members at fault; `context` is safe to show and goes into the problem as members. */
export type Refusal = {
  readonly refused: RefusalCode
  readonly detail: string
  readonly errors?: readonly Fault[]
  readonly context?: Readonly<Record<string, string | number | boolean | null>>
}

/** A refusal, to be returned from a decision. */
export const refuse = (code: RefusalCode, detail: string, more: Pick<Refusal, 'errors' | 'context'> = {}): Refusal => ({
  refused: code,
  detail,
  ...more,
})

export const isRefusal = (value: object): value is Refusal => 'refused' in value
