/** What a code is to those who are told: a problem of RFC 9457. */

/** `help` is what the problem's own page says: when it comes, and what to do. `retryAfter` in seconds. */
export type Problem = {
  readonly status: number
  readonly title: string
  readonly help: string
  readonly retryAfter?: number
}

/** Those of one area by their codes. */
export type ProblemTable = Readonly<Record<string, Problem>>
