/** A read model filled with documents as they are, and what reading it takes: keys examined, documents read. */
import { join } from 'node:path'
import { openSqliteReadStore } from '../../src/adapters/readstore/sqlite/store.ts'
import { collectionName, type Projection } from '../../src/core/project/define.ts'
import { plan } from '../../src/core/project/planner.ts'
import type { View, ViewDocument } from '../../src/core/project/view.ts'
import type { JsonObject } from '../../src/domain/event.ts'
import type { Page, Query, ReadStore } from '../../src/ports/read-store.ts'
import { fastClock } from './clocks.ts'
import { type Teardown, temporaryFolder } from './service.ts'

export type Work = { examined: number; read: number; most: number }
export type ReadModel<D extends JsonObject> = {
  readonly view: View<D>
  /** What the work took of the read model. */
  during<T>(work: () => Promise<T>): Promise<{ readonly answer: T } & Work>
}

const BATCH = 500

/** On SQLite unless another store is given. */
export const fillReadModel = async <D extends JsonObject>(
  t: Teardown,
  projection: Pick<Projection<D>, 'name' | 'version' | 'indexes'>,
  documents: readonly { readonly id: string; readonly body: D }[],
  given?: ReadStore,
): Promise<ReadModel<D>> => {
  const store = given ?? (await openSqliteReadStore({ path: join(temporaryFolder(t), 'read.db'), clock: fastClock(1) }))
  if (!given) t.teardown(() => store.close())
  const collection = collectionName(projection.name, { version: projection.version, generation: 1 })
  await store.ensure(collection, projection.indexes)
  for (let at = 0; at < documents.length; at += BATCH) {
    const writes = documents.slice(at, at + BATCH).map(({ id, body }) => ({ id, position: 1n, body }))
    const value = { logId: 'log', position: BigInt(at + 1), eventId: `e${at}`, token: 1 }
    await store.apply(collection, writes, { consumer: collection, value })
  }
  let work: Work = { examined: 0, read: 0, most: 0 }
  const bodies = new Map(documents.map(each => [each.id, each.body]))
  const documentOf = (id: string): ViewDocument<D> => {
    const body = bodies.get(id)
    if (!body) throw new Error(`${id} is no document`)
    return { id, position: 1n, body }
  }
  const counted = <Item>(page: Page<Item>) => {
    work.examined += page.examined
    work.most = Math.max(work.most, page.examined)
    return { ...page, generation: `${projection.version}.1`, position: 1n }
  }
  const planned = (query: Query) => plan(query, projection.indexes)
  const view: View<D> = {
    name: projection.name,
    get: async ids => {
      work.read += ids.length
      const found = await store.get(collection, ids)
      return new Map([...found.keys()].map(id => [id, documentOf(id)]))
    },
    find: async query => {
      const page = counted(await store.find(collection, planned(query)))
      work.read += page.documents.length
      return { ...page, documents: page.documents.map(({ id }) => documentOf(id)) }
    },
    select: async (query, members) => counted(await store.select(collection, planned(query), members)),
    count: async (query, limit) => {
      const count = await store.count(collection, planned({ ...query, limit: 1 }), limit)
      work.examined += count
      return count
    },
    generation: () => `${projection.version}.1`,
    position: () => 1n,
    waitFor: async () => undefined,
    ready: async () => true,
  }
  return {
    view,
    during: async run => {
      work = { examined: 0, read: 0, most: 0 }
      const answer = await run()
      return { answer, ...work }
    },
  }
}
