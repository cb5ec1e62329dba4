/** The channel `events`: the whole log with its envelopes. */
import type { Listener, LiveChannel } from '../core/live/channels.ts'
import { actorMember, categoryMember, streamMember, typeMember } from '../core/live/filter-members.ts'
import { closedSchema, membersOf, optionalMembers, removedSchema, textSchema } from '../core/live/schemas.ts'
import { shownOf } from '../core/live/sight.ts'
import { defined } from '../domain/defined.ts'
import { languageMember } from './language-filter.ts'

const readsText = ({ permissions }: Listener): boolean => permissions.has('events:read-text')

const actorSchema = closedSchema({ kind: { enum: ['account', 'service', 'import', 'system'] }, id: textSchema }, [
  'kind',
  'id',
])

export const logChannel: LiveChannel = {
  name: 'events',
  about: 'The whole log, for auditors.',
  needs: 'events:read',
  isRecorded: true,
  filters: {
    category: categoryMember,
    type: typeMember,
    stream: streamMember,
    actor: actorMember,
    language: languageMember,
  },
  carried: {
    from: {},
    scope: listener => (readsText(listener) ? 'text' : 'envelope'),
    wants: () => true,
    data: telling => {
      const { event, listener } = telling
      const { id: eventId, stream, revision, recordedAt, meta } = event
      const { actor, correlationId, causationId } = meta
      const { removed, data } = shownOf(telling, !readsText(listener))
      return {
        eventId,
        stream,
        revision: String(revision),
        actor,
        correlationId,
        causationId,
        recordedAt,
        ...defined({ removed }),
        data,
      }
    },
    schema: type => {
      const { properties, required } = optionalMembers(membersOf(type), [...type.sealed, ...type.text])
      const envelope = {
        eventId: textSchema,
        stream: textSchema,
        revision: textSchema,
        actor: actorSchema,
        correlationId: textSchema,
        causationId: textSchema,
        recordedAt: textSchema,
      }
      return closedSchema({ ...envelope, removed: removedSchema, data: closedSchema(properties, required) }, [
        ...Object.keys(envelope),
        'data',
      ])
    },
  },
}
