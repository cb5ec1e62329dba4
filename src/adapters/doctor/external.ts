/** Checks of engines by URL: are they there, do they take us, what do they hold. Nothing is written. */
import type { ReadStore } from '../../ports/read-store.ts'
import { checkConsumers, checkParked, type LogFacts } from './engines.ts'
import { type Finding, failed, ok, reasonOf } from './finding.ts'

const ADVICE = 'The sentence says what was tried; lexichron config shows the address without its secrets.'

/** Opens, looks and closes. What cannot be opened says so in its own words. */
export const checkEngine = async <T extends { close(): Promise<unknown> }>(
  name: string,
  open: () => Promise<T>,
  look: (engine: T) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> => {
  let engine: T
  try {
    engine = await open()
  } catch (error) {
    return [failed(name, `${reasonOf(error)}.`, ADVICE)]
  }
  try {
    return await look(engine)
  } catch (error) {
    return [failed(name, `${reasonOf(error)}.`, ADVICE)]
  } finally {
    await engine.close()
  }
}

/** A read store that is no file. */
export const lookIntoReadStore = async (
  store: Pick<ReadStore, 'checkpoints' | 'records' | 'collections'>,
  log: LogFacts | undefined,
): Promise<readonly Finding[]> => {
  const [collections, checkpoints, parked] = await Promise.all([
    store.collections(),
    store.checkpoints(),
    store.records('parked:'),
  ])
  const consumers = [...checkpoints].map(([consumer, { logId, position }]) => ({
    consumer,
    logId,
    position: Number(position),
  }))
  return [
    ok('read store', `it answers and has ${collections.length} collections`),
    ...(await checkConsumers(consumers, log)),
    checkParked([...parked.keys()]),
  ]
}
