/** Which servers this project works with. */
import { EventStoreError } from '../../../ports/event-store.ts'

/** The first that says when a subscription has caught up, which the end of a filtered reading is known by. */
const LEAST = [23, 10] as const

/** @throws {EventStoreError} when the server is older. */
export const requireVersion = (version: string, shown: string): void => {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? []
  const [year, month] = [Number(major ?? 0), Number(minor ?? 0)]
  // A build of one's own says 0.0 or nothing of the kind.
  const own = version !== 'unknown' && year === 0
  if (own || year > LEAST[0] || (year === LEAST[0] && month >= LEAST[1])) return
  const named = version === 'unknown' ? 'of a version that it does not tell' : `of version ${version}`
  throw new EventStoreError(
    'corrupt',
    `EventStoreDB at ${shown} is ${named}, which is too old: this service needs ${LEAST.join('.')} or later`,
  )
}
