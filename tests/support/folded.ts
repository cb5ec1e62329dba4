/** A read model as it comes out of events, without a store. */
import type { Projection } from '../../src/core/project/define.ts'
import { keysOf } from '../../src/core/project/fold.ts'
import type { JsonObject, Recorded } from '../../src/domain/event.ts'
import { categoryOf } from '../../src/domain/ids.ts'

/** Its documents by their ids, once all of the events that it takes are folded. */
export const folded = <D extends JsonObject>(
  projection: Projection<D>,
  events: readonly Recorded[],
): ReadonlyMap<string, D> => {
  const documents = new Map<string, D>()
  for (const event of events) {
    if (projection.types && !projection.types.includes(event.type)) continue
    if (!projection.categories?.includes(categoryOf(event.stream))) continue
    for (const id of keysOf(projection, event)) {
      const document = projection.evolve(documents.get(id), event, id)
      if (document) documents.set(id, document)
      else documents.delete(id)
    }
  }
  return documents
}
