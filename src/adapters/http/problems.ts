/** The table of all problems, from which answers, problem pages and the OpenAPI document come, and a fault on its way to the client. */

import { defined } from '../../domain/defined.ts'
import { OwnError } from '../../domain/own-error.ts'
import type { Fault, Refusal, RefusalCode } from '../../domain/refusal.ts'
import type { Problem, ProblemTable } from './problem.ts'
import { edgeProblems } from './problems/edge.ts'

/** Those of the edge and of all areas. */
export type Problems = {
  readonly codes: readonly string[]
  /** undefined: nobody has declared it. */
  find(code: string): Problem | undefined
  /** @throws {TypeError} when nobody has declared it. */
  of(code: string): Problem
}

/** @throws {TypeError} when a code stands in two tables. */
export const openProblems = (tables: readonly ProblemTable[]): Problems => {
  const all = new Map<string, Problem>()
  for (const table of [...tables, edgeProblems])
    for (const [code, problem] of Object.entries(table)) {
      if (all.has(code)) throw new TypeError(`the problem ${code} is declared twice`)
      all.set(code, problem)
    }
  const find = (code: string): Problem | undefined => all.get(code)
  return {
    codes: [...all.keys()],
    find,
    of: code => {
      const problem = find(code)
      if (!problem) throw new TypeError(`nobody says what the problem ${code} is`)
      return problem
    },
  }
}

export type ProblemDetail = Fault

/** Several values: a header for each. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[]>>

/** A fault on its way to the client. `headers` go onto the answer; `detail` is safe to show. */
export class ProblemError extends OwnError {
  override readonly name = 'ProblemError'
  readonly code: RefusalCode
  readonly errors: readonly ProblemDetail[]
  readonly context: NonNullable<Refusal['context']>
  readonly headers: AnswerHeaders
  constructor(
    code: RefusalCode,
    detail: string,
    more: {
      readonly errors?: readonly ProblemDetail[]
      readonly context?: Refusal['context']
      readonly headers?: AnswerHeaders
      readonly cause?: unknown
    } = {},
  ) {
    super(detail, { cause: more.cause })
    this.code = code
    this.errors = more.errors ?? []
    this.context = more.context ?? {}
    this.headers = more.headers ?? {}
  }
}

export const problemFrom = (refusal: Refusal, headers: AnswerHeaders = {}): ProblemError =>
  new ProblemError(refusal.refused, refusal.detail, { ...refusal, headers })

/** The RFC 9457 body. A 5xx says what its code says and nothing more. */
export const problemBody = ({ status, title, help }: Problem, error: ProblemError, requestId: string): string => {
  return JSON.stringify({
    ...error.context,
    type: `/problems/${error.code}`,
    title,
    status,
    detail: status >= 500 ? help : error.message,
    code: error.code,
    requestId,
    ...defined({ errors: error.errors.length > 0 ? error.errors : undefined }),
  })
}
