/** Of several terms that a document must have, the rarest drives: it is counted which that is. */
import type { Condition, Query } from '../ports/read-store.ts'

/** What counting asks of the read model: src/core/project/view.ts. */
export type Counting = { count(query: Pick<Query, 'where' | 'order'>, limit: number): Promise<number> }

/** The order of the definitions that have a stem. */
export const STEM_ORDER: readonly string[] = ['brevity', '-rank']

/** A term that so many have is common enough to know that another drives. */
const COUNTED = 1_000

/** The rarest stem drives: which one does changes the cost, never the result. */
const rarest = async (index: Counting, stems: readonly string[]): Promise<readonly string[]> => {
  if (stems.length < 2) return stems
  const counted = await Promise.all(
    stems.map(async stem => ({
      stem,
      count: await index.count(
        { where: [{ member: 'definition', op: 'all', value: [stem] }], order: STEM_ORDER },
        COUNTED,
      ),
    })),
  )
  return counted.toSorted((a, b) => a.count - b.count || (a.stem < b.stem ? -1 : 1)).map(each => each.stem)
}

/** The conditions with the rarest of the stems of a definition first. */
export const drivenByRarest = async (index: Counting, where: readonly Condition[]): Promise<readonly Condition[]> =>
  Promise.all(
    where.map(async each =>
      each.op === 'all' && each.member === 'definition' ? { ...each, value: await rarest(index, each.value) } : each,
    ),
  )
