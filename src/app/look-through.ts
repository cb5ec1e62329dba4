/** House-keeping that looks for damage in the read models which nobody would meet. */
import type { Job } from '../adapters/jobs/housekeeping.ts'
import { openLookThrough } from '../core/project/look-through.ts'
import type { Core, Running, Views } from './core.ts'

type Looked = { readonly core: Core; readonly views: Views; readonly running: Running }

export const lookThroughJob = ({ core, views, running }: Looked): Job => {
  const { reads, clock, damage } = core
  const looking = openLookThrough({
    store: reads,
    clock,
    onDamaged: damage.document,
    projections: views.all.map(({ name, version }) => ({
      projection: { name, version },
      holds: async () => {
        const handle = running.projections.find(each => each.name === name)?.handle
        return (await handle?.status())?.state === 'following'
      },
    })),
  })
  return {
    name: 'read-models',
    at: '*/1 * * * *',
    run: async signal => {
      const damaged = await looking.run(signal)
      return damaged.length === 0 ? undefined : `${damaged.join(', ')}: damage was found, and it is built again`
    },
  }
}
