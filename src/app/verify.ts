/** `lexichron verify` and `repair`: is every event sound, and is every read model what a replay gives? */
import type { DamagedEvent, RepairReport, VerifyReport, Watch } from '../adapters/cli/app-port.ts'
import { verifyLog } from '../core/log/verify.ts'
import { defined } from '../domain/defined.ts'
import type { Core, Views } from './core.ts'

/** Names the last time that the log was read through and found sound, and up to where. */
const SOUND = 'sound:log'

type Sound = { readonly logId: string; readonly position: string; readonly at: string }

const isSound = (value: unknown): value is Sound =>
  typeof value === 'object' &&
  value !== null &&
  'logId' in value &&
  'position' in value &&
  'at' in value &&
  typeof value.position === 'string' &&
  /^\d+$/.test(value.position)

const soundBefore = async ({ reads, log }: Core): Promise<{ text: string | undefined; sound: Sound | undefined }> => {
  const text = await reads.record(SOUND)
  try {
    const value: unknown = JSON.parse(text ?? 'null')
    return { text, sound: isSound(value) && value.logId === log.logId ? value : undefined }
  } catch {
    return { text, sound: undefined }
  }
}

/** Reads the whole log: every event fits its checksum, decodes and fits its schema. A log that is sound is noted as such. */
export const lookAtLog = async (
  core: Core,
  watch: Watch,
): Promise<Pick<VerifyReport, 'events' | 'faults' | 'damaged'>> => {
  const { text, sound } = await soundBefore(core)
  const head = await core.log.head()
  const began = core.clock.now().toISOString()
  const found = await verifyLog(core.log, watch.signal, done =>
    watch.onProgress({ step: 'verify log', done, total: 0, unit: 'events' }),
  )
  const upTo = BigInt(sound?.position ?? -1n)
  const damaged = found.damaged.map(
    (position): DamagedEvent => ({
      position: String(position),
      ...defined({ soundAt: sound && position <= upTo ? sound.at : undefined }),
    }),
  )
  if (damaged.length === 0 && !watch.signal.aborted) {
    const now: Sound = { logId: core.log.logId, position: String(head), at: began }
    await core.reads.swap(SOUND, text, JSON.stringify(now))
  }
  return { ...found, damaged }
}

const lookAtLookups = async ({ store }: Core, { signal }: Watch): Promise<Pick<VerifyReport, 'lookups'>> =>
  defined({ lookups: await store.lookAtLookups?.(signal) })

/** Before anything is read by them. What still differs then cannot be mended. */
const repairLookups = async (core: Core, watch: Watch): Promise<Pick<RepairReport, 'lookups'>> => {
  const { lookups: found } = await lookAtLookups(core, watch)
  if (!found || found.different === 0 || watch.signal.aborted) return defined({ lookups: found })
  const made = await core.store.repairLookups?.()
  const { lookups: left } = await lookAtLookups(core, watch)
  const repaired = left?.different === 0
  const { different, differences } = repaired ? found : (left ?? found)
  const { setAside } = left ?? found
  return { lookups: { different, differences, setAside, repaired, ...defined({ kept: made?.kept }) } }
}

export const verifyAll = async (core: Core, views: Views, watch: Watch): Promise<VerifyReport> => {
  const { lookups } = await lookAtLookups(core, watch)
  const found = await lookAtLog(core, watch)
  const projections: VerifyReport['projections'][number][] = []
  for (const view of views.all) {
    const { documents, differing, differences, readUpTo } = await view.verify(watch)
    projections.push({
      name: view.name,
      documents,
      different: differing,
      differences: differences.map(({ id, kind }) => `${id}: ${kind}`),
      ...defined({ readUpTo: readUpTo === undefined ? undefined : String(readUpTo) }),
    })
  }
  return { ...found, ...defined({ lookups }), projections }
}

/** What differs is built again, a read model where the log can be read to its end. */
export const repairAll = async (core: Core, views: Views, watch: Watch): Promise<RepairReport> => {
  const { lookups } = await repairLookups(core, watch)
  const found = await verifyAll(core, views, watch)
  const projections: RepairReport['projections'][number][] = []
  for (const { name, documents, different } of found.projections) {
    const checked = { name, documents, different }
    const view = views.all.find(each => each.name === name)
    const [first] = found.damaged
    if (different === 0 || !view || watch.signal.aborted) projections.push({ ...checked, rebuilt: false })
    else if (first) {
      const reason = `the event at position ${first.position} is damaged, and a read model is not built without it`
      projections.push({ ...checked, rebuilt: false, reason })
    } else projections.push({ ...checked, rebuilt: (await view.rebuild(watch)) !== undefined })
  }
  return { events: found.events, faults: found.faults, damaged: found.damaged, ...defined({ lookups }), projections }
}
