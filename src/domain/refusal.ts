/**
 * Why a command is refused. Each aggregate declares the closed union of its codes beside its decider, and its area says what
 * each of them is to those who are told (src/app/areas).
 */
import type { Json } from './event.ts'

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

/**
 * Every code that is explained to those who are told, by its name. Each table of problems adds its own to it where it stands, so that
 * the union is closed without a list of the areas: what nobody explains, nothing refuses with.
 */
// biome-ignore lint/suspicious/noEmptyInterface: the tables of problems fill it.
export interface ExplainedCodes {}
export type RefusalCode = keyof ExplainedCodes

/**
 * What is wrong with one member; `pointer` (RFC 6901) names it. Where two changed the same: what it was when both began, what stands there now,
 * and what was asked for; absent where that is nothing.
 */
export type Fault = {
  readonly pointer: string
  readonly code: string
  readonly detail: string
  readonly base?: Json
  readonly theirs?: Json
  readonly ours?: Json
}

/** `errors` name the members at fault; `context` is safe to show and goes into the problem as members. */
export type Refusal<Code extends RefusalCode = RefusalCode> = {
  readonly refused: Code
  readonly detail: string
  readonly errors?: readonly Fault[]
  readonly context?: Readonly<Record<string, string | number | boolean | null>>
}

/** A refusal, to be returned from a decision. */
export const refuse = <const Code extends RefusalCode>(
  code: Code,
  detail: string,
  more: Pick<Refusal, 'errors' | 'context'> = {},
): Refusal<Code> => ({
  refused: code,
  detail,
  ...more,
})

export const isRefusal = (value: object): value is Refusal => 'refused' in value

/**
 * Is it refused for who asks, or since there is nothing in their eyes? That comes before any precondition (RFC 9110, 13.2.1), since which revision
 * something has is not for everybody to know. By their names: what is not there for somebody ends with `-not-found` (tests/operation/areas).
 */
export const isUnseen = ({ refused }: { readonly refused: string }): boolean =>
  refused === 'permission-denied' || refused.endsWith('-not-found')
