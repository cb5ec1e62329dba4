/** What is asked most, kept in the read store from start to start; every node adds its own when it ends. */
import type { HttpDeps } from '../adapters/http/deps.ts'
import type { Core } from './core.ts'

const RECORD = 'warm-addresses'

const textsOf = (text: string | undefined): readonly string[] => {
  const all: unknown = text === undefined ? [] : JSON.parse(text)
  return Array.isArray(all) ? all.filter(each => typeof each === 'string') : []
}

export const openHotRecords = ({
  reads,
  caching,
  projections,
}: Pick<Core, 'reads' | 'caching' | 'projections'>): NonNullable<HttpDeps['hot']> => ({
  reads: projections.filter(({ cacheTags }) => cacheTags !== undefined),
  // Not through the cache that is measured: nobody asked.
  heard: async scopes => {
    const { reached } = await caching.cache.look(
      RECORD,
      scopes.map(scope => ({ scope, tags: [] })),
    )
    return reached.every(each => each > 0n)
  },
  load: async () => textsOf(await reads.record(RECORD)),
  save: async keys => {
    const before = await reads.record(RECORD)
    // One that asked for nothing has nothing to say; of two that say it at once one is enough.
    if (keys.length > 0) await reads.swap(RECORD, before, JSON.stringify(keys))
  },
})
