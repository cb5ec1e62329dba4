import { defined } from '../../src/domain/defined.ts'

/** What an `explain` of MongoDB says against a query: the stages that read without an index. */

const FORBIDDEN: ReadonlySet<string> = new Set(['COLLSCAN', 'CLUSTERED_IXSCAN', 'TEXT'])

type Node = Readonly<Record<string, unknown>>
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null

/** Every stage below, its inputs and shards with it, each with the name of its index. */
const stagesOf = function* (node: unknown): Generator<{ readonly stage: string; readonly index?: string }> {
  if (!isNode(node)) return
  const { stage, indexName } = node
  if (typeof stage === 'string')
    yield { stage, ...defined({ index: typeof indexName === 'string' ? indexName : undefined }) }
  for (const [name, inner] of Object.entries(node))
    if (name !== 'rejectedPlans' && name !== 'parsedQuery' && name !== 'slotBasedPlan')
      for (const each of Array.isArray(inner) ? inner : [inner]) yield* stagesOf(each)
}

/** `queryPlanner` as the server gives it: what is wrong with the plan that won, for a query that is to stand on `index`. */
export const planFaults = (queryPlanner: unknown, index: string): readonly string[] => {
  const winning = isNode(queryPlanner) ? queryPlanner['winningPlan'] : undefined
  const stages = [...stagesOf(winning)]
  if (stages.length === 0) return ['there is no winning plan']
  const forbidden = stages.filter(({ stage }) => FORBIDDEN.has(stage)).map(({ stage }) => stage)
  const used = new Set(stages.flatMap(each => each.index ?? []))
  return [
    ...new Set(forbidden),
    ...(used.size === 1 && used.has(index) ? [] : [`it stands on ${[...used].join() || 'no index'}`]),
  ]
}
