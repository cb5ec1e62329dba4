/** The parameter `asOf`: a time, or the place in the log that a Sync-Token names. */
import { TokenError } from '../../../core/log/opaque.ts'
import { refuse } from '../../../domain/refusal.ts'
import type { Clock } from '../../../ports/clock.ts'
import { problemFrom } from '../problems.ts'
import type { QueryDeps } from '../route-query.ts'
import { looksLikeTime, timeOf } from './entry-parameters.ts'

const positionOf = async (value: string, syncTokens: QueryDeps['syncTokens']): Promise<bigint> => {
  try {
    return (await syncTokens.read(value)).position
  } catch (error) {
    if (!(error instanceof TokenError) || error.code !== 'sync-token-invalid') throw error
    const detail = 'asOf is neither a time of RFC 3339 nor a Sync-Token of this service.'
    throw problemFrom(refuse('as-of-invalid', detail, { errors: [{ pointer: '/asOf', code: 'format', detail }] }))
  }
}

/** Of a time that has not come here the entry says whether it is a past. */
export const openAsOf =
  ({ clock, syncTokens }: Pick<QueryDeps, 'syncTokens'> & { readonly clock: Pick<Clock, 'now'> }) =>
  async (value: string) => {
    if (!looksLikeTime(value)) return { position: await positionOf(value, syncTokens) }
    const time = timeOf('asOf', value)
    return time.getTime() <= clock.now().getTime() ? { time } : { time, toCome: true as const }
  }
