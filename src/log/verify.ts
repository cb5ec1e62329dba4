/** Reads the whole log and checks that every event decodes and fits the schema of its type. */
import { Compile } from 'typebox/compile'
import { type Log, UndecodableEventError } from './log.ts'

export type LogVerification = { readonly events: number; readonly faults: readonly string[] }

const REPORTED = 100

/** `faults` names the first hundred. An event that does not decode ends the reading: what follows it is not looked at. */
export const verifyLog = async (
  log: Pick<Log, 'types' | 'readAll'>,
  signal: AbortSignal,
  onProgress: (events: number) => void,
): Promise<LogVerification> => {
  const schemas = new Map(
    [...log.types].map(([name, { schema, sealed }]) => [name, { check: Compile(schema), sealed }]),
  )
  const faults: string[] = []
  let events = 0
  try {
    for await (const batch of log.readAll(0n)) {
      for (const event of batch.events) {
        events += 1
        // A removed text is absent: what is left cannot fit, and need not.
        if (event.removed) continue
        const schema = schemas.get(event.type)
        if (schema?.check.Check(event.data) || faults.length >= REPORTED) continue
        const [first] = schema?.check.Errors(event.data) ?? []
        faults.push(
          `${event.stream} revision ${event.revision}: ${event.type} ${first?.instancePath ?? ''} ${first?.message ?? 'is not declared'}`,
        )
      }
      onProgress(events)
      if (signal.aborted) break
    }
  } catch (error) {
    if (!(error instanceof UndecodableEventError)) throw error
    faults.push(error.message)
  }
  return { events, faults }
}
