/** The channel `activity`: events of the log counted, and the day's figures. */
import Type from 'typebox'

const count = Type.Integer({ minimum: 0 })
const ActivitySchema = Type.Object(
  {
    seconds: Type.Literal(1),
    events: count,
    types: Type.Record(Type.String(), count),
    connections: Type.Integer({ minimum: 0, description: 'Live connections now, of all nodes that can be seen.' }),
  },
  { additionalProperties: false },
)

/** `figures` is the schema of the day's figures, told to those who may read them. */
export const activityChannel = (figures: unknown) => ({
  name: 'activity',
  about: 'Events of the log counted, once a second.',
  filters: {},
  clocked: {
    Activity: { schema: ActivitySchema },
    Analytics: { schema: figures, needs: 'analytics:read' as const },
  },
})
