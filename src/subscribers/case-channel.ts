/** The channel `moderation`: that a case is opened, reported, held, claimed, given back or closed, for who works on cases. By ids alone: what it is about is read. */
import type { LiveChannel } from '../core/live/channels.ts'
import { typeMember } from '../core/live/filter-members.ts'
import { closedSchema, textSchema } from '../core/live/schemas.ts'
import { defined } from '../domain/defined.ts'
import { idOf } from '../domain/ids.ts'
import { CaseReminded, caseEvents } from '../domain/moderation/case-events.ts'

const told = caseEvents.filter(({ type }) => type !== CaseReminded.type).map(({ type }) => type)

const stringOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** Whose it is from then on, of those that say so. */
const claimantOf = (data: Readonly<Record<string, unknown>>): string | undefined =>
  'until' in data ? (stringOf(data['to']) ?? stringOf(data['by'])) : undefined

export const moderationChannel: LiveChannel = {
  name: 'moderation',
  about: 'Cases that are opened, reported, held back, claimed, given back and closed.',
  needs: 'cases:work',
  filters: { type: typeMember },
  carried: {
    from: { types: told },
    scope: () => 'all',
    wants: ({ listener }) => listener.permissions.has('cases:work'),
    data: ({ event }) => ({
      caseId: idOf(event.stream),
      round: Number(event.data['round']),
      ...defined({ claimant: claimantOf(event.data) }),
    }),
    schema: () =>
      closedSchema({ caseId: textSchema, round: { type: 'integer', minimum: 1 }, claimant: textSchema }, [
        'caseId',
        'round',
      ]),
  },
}
