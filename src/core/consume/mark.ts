/**
 * What a checkpoint rests on, as one text. First the mark of what stands at its position: where another event, or none, stands there
 * now, the consumer has read another history. Then the last event that was applied, by id, revision and stream, which every event
 * store reads at the cost of one event, and which are the same in a copy of the log, where positions are not.
 */
import type { Recorded } from '../../domain/event.ts'
import { NO_MARK } from '../../domain/mark.ts'
import type { Checkpoint } from '../../ports/read-store.ts'
import type { Log } from '../log/log.ts'

/** `<mark> <id> <revision> <stream>`; without a last event the mark alone. Before there were marks the last three stood alone. */
const FORM = /^(?:(?<mark>[\w-]{8})(?: |$))?(?:(?<id>\S{9,}) (?<revision>\d+) (?<stream>.+))?$/su

const partsOf = ({ eventId }: Pick<Checkpoint, 'eventId'>) => {
  const { mark, id, revision, stream } = FORM.exec(eventId)?.groups ?? {}
  const applied =
    id === undefined || revision === undefined || stream === undefined ? undefined : { id, revision, stream }
  return { mark, applied }
}

/** `last`: the last event applied since `before`, if there was one. */
export const restingOn = (
  mark: string,
  last: Pick<Recorded, 'id' | 'revision' | 'stream'> | undefined,
  before: Pick<Checkpoint, 'eventId'>,
): string => {
  const applied = last ?? partsOf(before).applied
  return applied ? `${mark} ${applied.id} ${applied.revision} ${applied.stream}` : mark
}

/**
 * The event that was applied last, if this log has it. @throws {UndecodableEventError} when an event stands there that
 * this build cannot read.
 */
export const findApplied = async (
  log: Pick<Log, 'readStream'>,
  checkpoint: Pick<Checkpoint, 'eventId'>,
): Promise<Recorded | undefined> => {
  const { applied } = partsOf(checkpoint)
  if (!applied) return undefined
  for await (const [event] of log.readStream(applied.stream, { from: BigInt(applied.revision), limit: 1 }))
    return event?.id === applied.id ? event : undefined
  return undefined
}

/** Does the log have what the checkpoint says was read? One that was made before there were marks is believed for what it applied. */
export const isOfLog = async (
  log: Pick<Log, 'logId' | 'head' | 'markAt' | 'readStream'>,
  checkpoint: Checkpoint,
): Promise<boolean> => {
  if (checkpoint.logId !== log.logId) return false
  const { mark, applied } = partsOf(checkpoint)
  if (mark !== undefined || checkpoint.position === 0n)
    return (mark ?? NO_MARK) === (await log.markAt(checkpoint.position))
  if (checkpoint.position > (await log.head())) return false
  const event = await findApplied(log, checkpoint)
  return !applied || (event !== undefined && event.position <= checkpoint.position)
}
