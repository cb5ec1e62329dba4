/**
 * The channel `entries`. Who sees an event is decided by `meta.route`, which says who might see it then, by how its entry
 * stands now, and by permissions.
 */
import type { LiveChannel } from '../core/live/channels.ts'
import { idMember, typeMember } from '../core/live/filter-members.ts'
import {
  closedSchema,
  membersOf,
  optionalMembers,
  removedSchema,
  textSchema,
  withoutMembers,
} from '../core/live/schemas.ts'
import { isInSight, type Sight, scopeIn, shownOf } from '../core/live/sight.ts'
import type { StandingRule } from '../core/live/standings.ts'
import { defined } from '../domain/defined.ts'
import { entryCategory, entryStream } from '../domain/entry/entry.ts'
import {
  EntryHeld,
  EntryRedacted,
  EntryReleased,
  EntryRestored,
  EntryRetired,
  EntryTakenOver,
} from '../domain/entry/events.ts'
import { idOf } from '../domain/ids.ts'
import { languageMember } from './language-filter.ts'

/** What says of an entry that it was withdrawn, or has another author. */
export const entryStandings: readonly StandingRule[] = [
  { type: EntryRetired, says: 'retired' },
  { type: EntryRestored, says: 'restored' },
  { type: EntryRedacted, says: 'removed' },
  { type: EntryTakenOver, says: 'taken-over' },
  { type: EntryHeld, says: 'routed' },
  { type: EntryReleased, says: 'routed' },
]

const sight: Sight = {
  edit: 'entries:edit',
  review: 'entries:review',
  draft: 'entries:draft',
  member: 'account:use',
  retiredBy: EntryRetired.type,
  removedBy: EntryRedacted.type,
}

export const entryChannel: LiveChannel = {
  name: 'entries',
  about: 'What happens to entries, as far as you may see it.',
  needs: 'entries:read',
  filters: { language: languageMember, type: typeMember, entryId: idMember },
  carried: {
    from: { categories: [entryCategory] },
    scope: listener => scopeIn(listener, sight),
    wants: telling => isInSight(telling, sight),
    // Reasons are for those who review, as in the history of an entry; so is a replacement that was itself withdrawn since.
    data: telling => {
      const { event, listener, standing } = telling
      const { removed, data } = shownOf(telling)
      const { reason, replacedBy, record: _, ...rest } = data
      const reviews = listener.permissions.has('entries:review')
      const other = typeof replacedBy === 'string' ? standing(entryStream(replacedBy)) : undefined
      const withdrawn = other?.retired || other?.removed
      return {
        entryId: idOf(event.stream),
        revision: String(event.revision),
        ...defined({ removed, language: event.meta.route.language }),
        ...rest,
        ...defined({
          reason: reviews ? reason : undefined,
          replacedBy: reviews || !withdrawn ? replacedBy : undefined,
        }),
      }
    },
    schema: type => {
      const withheld = [...type.sealed, ...type.text, 'reason']
      const { properties, required } = optionalMembers(withoutMembers(membersOf(type), ['record']), withheld)
      return closedSchema(
        { entryId: textSchema, revision: textSchema, removed: removedSchema, language: textSchema, ...properties },
        ['entryId', 'revision', ...required],
      )
    },
  },
}
