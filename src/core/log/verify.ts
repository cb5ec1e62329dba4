/** Reads the whole log and checks that every event decodes and fits the schema of its type. */
import { Compile } from 'typebox/compile'
import type { Recorded } from '../../domain/event.ts'
import { type Log, UndecodableEventError } from './log.ts'

/** `damaged`: positions of events that do not fit their checksum. */
export type LogVerification = {
  readonly events: number
  readonly faults: readonly string[]
  readonly damaged: readonly bigint[]
}

const REPORTED = 100

/** `faults` names the first hundred; what does not decode is passed over. */
export const verifyLog = async (
  log: Pick<Log, 'types' | 'readAll'>,
  signal: AbortSignal,
  onProgress: (events: number) => void,
): Promise<LogVerification> => {
  const schemas = new Map(
    [...log.types].map(([name, { schema, sealed }]) => [name, { check: Compile(schema), sealed }]),
  )
  const faults: string[] = []
  const damaged: bigint[] = []
  let events = 0
  const fault = (text: string): void => {
    if (faults.length < REPORTED) faults.push(text)
  }
  const check = (event: Recorded): void => {
    // A removed text is absent: what is left cannot fit, and need not.
    if (event.removed) return
    const schema = schemas.get(event.type)
    if (schema?.check.Check(event.data)) return
    const [first] = schema?.check.Errors(event.data) ?? []
    fault(
      `${event.stream} revision ${event.revision}: ${event.type} ${first?.instancePath ?? ''} ${first?.message ?? 'is not declared'}`,
    )
  }
  /** Where the reading goes on after an event that does not decode; undefined at the end. */
  const read = async (after: bigint): Promise<bigint | undefined> => {
    try {
      for await (const batch of log.readAll(after)) {
        batch.events.forEach(check)
        events += batch.events.length
        onProgress(events)
        if (signal.aborted) return undefined
      }
      return undefined
    } catch (error) {
      if (!(error instanceof UndecodableEventError)) throw error
      events += 1
      const { position } = error.event
      if (error.reason === 'damaged') damaged.push(position)
      else fault(error.message)
      return position > after ? position : undefined
    }
  }
  for (let after: bigint | undefined = 0n; after !== undefined; ) after = await read(after)
  return { events, faults, damaged }
}
