/** The channel `me`: what people are told of what is theirs. Which events those are, the areas say. */
import type { LiveChannel } from '../core/live/channels.ts'
import { typeMember } from '../core/live/filter-members.ts'
import {
  closedSchema,
  membersOf,
  optionalMembers,
  removedSchema,
  textSchema,
  withoutMembers,
} from '../core/live/schemas.ts'
import { shownOf } from '../core/live/sight.ts'
import { defined } from '../domain/defined.ts'
import type { EventType } from '../domain/event.ts'
import { idOf } from '../domain/ids.ts'
import type { Preferences } from '../domain/profile/preferences.ts'
import type { People } from '../projections/people.ts'

/** Events that their owner (`meta.route.owner`) is told of; `unless` the owner has switched the notice off. */
export type OwnNotice = {
  readonly events: readonly EventType[]
  readonly unless?: keyof Preferences['notifications']
}

/** `isWanted`: has the account the notice switched on? */
export const ownChannel = (notices: readonly OwnNotice[], isWanted: People['wants']): LiveChannel => {
  const offs = new Map(notices.flatMap(({ events, unless }) => events.map(({ type }) => [type, unless] as const)))
  return {
    name: 'me',
    about: 'What concerns you: your tokens, sessions and notifications.',
    needs: 'actor',
    filters: { type: typeMember },
    carried: {
      from: { types: [...offs.keys()] },
      scope: ({ actor }) => `owner ${actor?.id ?? ''}`,
      wants: ({ event, listener: { actor } }) => {
        if (actor === undefined || event.meta.route.owner !== actor.id) return false
        const unless = offs.get(event.type)
        return unless === undefined || isWanted(actor.id, unless)
      },
      // Of their own account people are told why, and not which administrator it was.
      data: telling => {
        const { event, listener } = telling
        const { removed, data } = shownOf(telling)
        const { by, ...told } = data
        const own = by === listener.actor?.id ? by : undefined
        return { id: idOf(event.stream), ...defined({ removed }), ...told, ...defined({ by: own }) }
      },
      schema: type => {
        const personal = type.seal === 'subject' ? type.sealed : []
        const members = withoutMembers(membersOf(type), ['record', ...personal])
        const { properties, required } = optionalMembers(members, [...type.sealed, ...type.text, 'reason'])
        return closedSchema({ id: textSchema, removed: removedSchema, ...properties }, ['id', ...required])
      },
    },
  }
}
