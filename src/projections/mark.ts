/**
 * How a checkpoint names the last event it rests on: by id, revision and stream, which every event store reads at the
 * cost of one event, and which are the same in a copy of the log, where positions are not.
 */
import type { Recorded } from '../domain/event.ts'
import type { Log } from '../log/log.ts'

/** `<id> <revision> <stream>`. */
export const markOf = ({ id, revision, stream }: Recorded): string => `${id} ${revision} ${stream}`

/**
 * The event that the mark names, if this log has it. @throws {UndecodableEventError} when an event stands there that
 * this build cannot read.
 */
export const findMarked = async (log: Pick<Log, 'readStream'>, mark: string): Promise<Recorded | undefined> => {
  const [, id, revision, stream] = /^(\S+) (\d+) (.+)$/su.exec(mark) ?? []
  if (id === undefined || revision === undefined || stream === undefined) return undefined
  for await (const [event] of log.readStream(stream, { from: BigInt(revision), limit: 1 }))
    return event?.id === id ? event : undefined
  return undefined
}
