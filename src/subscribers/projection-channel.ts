/** The channel `projections`: what the clock tells of each read model. */
import Type, { type Static } from 'typebox'
import type { LiveChannel } from '../core/live/channels.ts'
import { projectionMember } from '../core/live/filter-members.ts'
import { FillingSchema } from '../core/query/define.ts'

const ProgressSchema = Type.Object(
  {
    name: Type.String(),
    state: Type.String(),
    position: Type.String({ description: 'Opaque.' }),
    lag: Type.String({ description: 'Positions behind the head.' }),
    parked: Type.Integer({ minimum: 0 }),
    rate: Type.Number({ description: 'Events a second.' }),
    progress: Type.Number({ minimum: 0, maximum: 1, description: 'Of a rebuild.' }),
    filling: Type.Optional(FillingSchema),
  },
  { additionalProperties: false },
)
export type ProjectionProgress = Static<typeof ProgressSchema>

export const projectionChannel = {
  name: 'projections',
  about: 'Progress, lag and rebuilds of the read models, once a second.',
  needs: 'operations:read',
  filters: { name: projectionMember },
  clocked: { ProjectionProgress: { schema: ProgressSchema } },
} as const satisfies LiveChannel
