/**
 * What may be seen of documents now, for a feed that replays what was seen then. It comes from the log itself and not from a
 * read model, which may be behind: what GET no longer shows must not be shown by a replay in the meantime.
 */
import type { EventMeta, EventType, Recorded, Visibility } from '../../domain/event.ts'
import type { EventStore, LoggedEvent } from '../../ports/event-store.ts'
import { openReadingUp } from '../log/removals.ts'

/** How a document stands now, where that is not as its events say: it was withdrawn, or has another author. */
export type Standing = {
  readonly removed: boolean
  readonly retired: boolean
  /** Who took it over last. */
  readonly author?: string
  /** For whom it is since that was last said. */
  readonly visibility?: Visibility
}

/** What an event says of how its document stands from then on. What was removed stays so. `routed`: it is for those of its route. */
export type StandingChange = 'removed' | 'retired' | 'restored' | 'taken-over' | 'routed'

/** The event types of an area that say how documents stand. */
export type StandingRule = { readonly type: EventType; readonly says: StandingChange }

export type Standings = {
  /** Afterwards everything up to the head as of this call is known. */
  refresh(): Promise<void>
  /** Takes in what the tail of the log has read already. */
  note(events: readonly Recorded[]): void
  of(stream: string): Standing | undefined
}

type Change = {
  readonly type: string
  readonly stream: string
  readonly position: bigint
  readonly meta: () => Pick<EventMeta, 'actor' | 'route'>
}
/** Where the log said last whether it is retired, who its author is, and for whom it is. */
type Known = Standing & { readonly movedAt: bigint; readonly takenAt: bigint; readonly routedAt: bigint }

const AS_EVER: Known = { removed: false, retired: false, movedAt: -1n, takenAt: -1n, routedAt: -1n }

/** In whatever order the changes come: the tail is ahead of a look at the log from its start. */
const changed = (known: Known, says: StandingChange, { position, meta }: Change): Known => {
  if (says === 'removed') return { ...known, removed: true }
  if (says === 'taken-over')
    return position > known.takenAt ? { ...known, author: meta().actor.id, takenAt: position } : known
  if (says === 'routed')
    return position > known.routedAt ? { ...known, visibility: meta().route.visibility, routedAt: position } : known
  return position > known.movedAt ? { ...known, retired: says === 'retired', movedAt: position } : known
}

const metaIn = ({ meta }: LoggedEvent): Pick<EventMeta, 'actor' | 'route'> => JSON.parse(meta)

/** Of documents of which no rule was ever said nothing is kept; each other one takes some 200 bytes. */
export const openStandings = (
  store: Pick<EventStore, 'readAll' | 'head'>,
  rules: readonly StandingRule[],
): Standings => {
  const said = new Map(rules.map(({ type, says }) => [type.type, says]))
  const known = new Map<string, Known>()
  const take = (change: Change): void => {
    const says = said.get(change.type)
    if (says) known.set(change.stream, changed(known.get(change.stream) ?? AS_EVER, says, change))
  }
  return {
    refresh: openReadingUp(store, [...said.keys()], event => take({ ...event, meta: () => metaIn(event) })),
    note: events => {
      for (const event of events) if (said.has(event.type)) take({ ...event, meta: () => event.meta })
    },
    of: stream => known.get(stream),
  }
}
