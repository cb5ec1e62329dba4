/** More alternatives than one query may combine are asked for in several. */
import { MAX_BRANCHES } from '../core/project/planner.ts'

/** The values in groups of as many as one condition may have; none of no values. */
export const inBranches = (values: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(values.length / MAX_BRANCHES) }, (_, n) =>
    values.slice(n * MAX_BRANCHES, (n + 1) * MAX_BRANCHES),
  )
