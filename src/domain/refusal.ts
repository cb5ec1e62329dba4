/**
 * Why a command is refused. Each aggregate declares the closed union of its codes beside its decider, and its area says what
 * each of them is to those who are told (src/app/areas).
 */

/** What texts are refused for that people write. */
export type TextRefusal = 'text-invalid' | 'reason-required' | 'language-unknown'

/** What any command may be refused for, whatever it is about. */
export type CommonRefusal =
  | 'revision-stale'
  | 'revision-required'
  | 'conflict'
  | 'outcome-unknown'
  | 'idempotency-key-reused'
  | 'idempotency-running'
  | 'permission-denied'
  | 'read-only-member'
  | TextRefusal

/** What is wrong with one member; `pointer` (RFC 6901) names it. */
export type Fault = { readonly pointer: string; readonly code: string; readonly detail: string }

/** `errors` name the members at fault; `context` is safe to show and goes into the problem as members. */
export type Refusal<Code extends string = string> = {
  readonly refused: Code
  readonly detail: string
  readonly errors?: readonly Fault[]
  readonly context?: Readonly<Record<string, string | number | boolean | null>>
}

/** A refusal, to be returned from a decision. */
export const refuse = <const Code extends string>(
  code: Code,
  detail: string,
  more: Pick<Refusal, 'errors' | 'context'> = {},
): Refusal<Code> => ({
  refused: code,
  detail,
  ...more,
})

export const isRefusal = (value: object): value is Refusal => 'refused' in value
