/** The appeals against decisions, oldest first under how they stand. Nothing that was said in them is in it. */
import { projection } from '../core/project/define.ts'
import type { Recorded } from '../domain/event.ts'
import { idOf } from '../domain/ids.ts'
import { appealCategory } from '../domain/moderation/appeal.ts'
import { type AppealEvent, appealEvents } from '../domain/moderation/appeal-events.ts'

const names: ReadonlySet<string> = new Set(appealEvents.map(({ type }) => type))
const isAppealEvent = (event: Recorded): event is Recorded<AppealEvent> => names.has(event.type)

export const appealStates = ['open', 'upheld', 'overturned', 'closed'] as const
/** `closed`: who appealed is gone, before it was decided. `messages`: how many, the first one too. */
export type AppealDocument = {
  readonly state: (typeof appealStates)[number]
  readonly accountId: string
  readonly filedAt: string
  readonly messages: number
  readonly endedAt?: string
}

const evolveAppealDocument = (
  before: AppealDocument | undefined,
  event: Recorded<AppealEvent>,
): AppealDocument | undefined => {
  const { at } = event.meta
  if (event.type === 'AppealFiled')
    return before ?? { state: 'open', accountId: event.data.accountId, filedAt: at, messages: 1 }
  if (!before) return undefined
  switch (event.type) {
    case 'AppealDecided':
      return { ...before, state: event.data.outcome, endedAt: at }
    case 'AppealClosed':
      return before.state === 'open' ? { ...before, state: 'closed', endedAt: at } : before
    default:
      return { ...before, messages: before.messages + 1 }
  }
}

export const appealsProjection = projection<AppealDocument>({
  name: 'appeals',
  version: 1,
  categories: [appealCategory],
  indexes: [{ name: 'state', on: ['state', 'filedAt'] }],
  key: ({ stream }) => idOf(stream),
  evolve: (document, event) => (isAppealEvent(event) ? evolveAppealDocument(document, event) : document),
})
