/** What answers say while the dictionary that they are drawn from is being filled. */

import { defined } from '../../domain/defined.ts'
import { isRefusal, type Refusal } from '../../domain/refusal.ts'
import type { AnswerHeaders } from './problems.ts'

export const FILLING = 'Lexichron-Filling'

export const fillingHeaders = (percent: number | undefined): AnswerHeaders =>
  percent === undefined ? {} : { 'lexichron-filling': `${percent}%` }

/** The members that stand beside those of the answer. What was counted is no more than what is there so far. */
export const fillingMembers = (value: unknown, percent: number | undefined): object => {
  if (percent === undefined) return {}
  const isCounted = typeof value === 'object' && value !== null && 'totalRelation' in value
  return { filling: percent, ...defined({ totalRelation: isCounted ? 'gte' : undefined }) }
}

/** What was not found may be found later. */
export const notYet = <Result extends object>(
  result: Result | Refusal,
  percent: number | undefined,
): Result | Refusal =>
  percent !== undefined && isRefusal(result) && absent.has(result.refused)
    ? {
        ...result,
        detail: `${result.detail} The dictionary is being filled, and ${percent}% of it are there: ask again.`,
      }
    : result

const absent: ReadonlySet<string> = new Set(['nothing-found', 'day-unknown'])
