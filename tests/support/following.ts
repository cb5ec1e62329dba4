/** Reads that reflect what was written before: the last Sync-Token goes with each. */
import { defined } from '../../src/domain/defined.ts'
import type { Api, Received } from './api.ts'

export type Following = {
  /** The answer to a write that has to go well; reads after it reflect it. @throws with the answer, when it did not. */
  must(answer: Received): Received
  read(path: string, as?: string): Promise<Received>
  /** To be sent as Sync-Token. */
  latest(): string
}

export const openFollowing = (api: Api): Following => {
  let latest = ''
  return {
    must: answer => {
      if (answer.status >= 300) throw new Error(answer.text)
      latest = answer.headers.get('sync-token') ?? latest
      return answer
    },
    read: (path, as) => api('GET', path, { headers: { 'sync-token': latest }, ...defined({ as }) }),
    latest: () => latest,
  }
}
