/** What the hub asks of the channels that it carries: which events are whose, and in what form. It knows none by name. */
import type { Actor, EventType, JsonObject, Recorded } from '../../domain/event.ts'
import type { Rights } from '../../domain/roles.ts'
import type { LogFilter } from '../../ports/event-store.ts'

/** Who listens. */
export type Listener = Rights & { readonly actor?: Actor }

/** A checked filter: member to the one value it asks for. */
export type LiveFilter = Readonly<Record<string, string>>

/** How a document stands now, where that is not as its events say: it was withdrawn, or has another author. */
export type Standing = {
  readonly removed: boolean
  readonly retired: boolean
  /** Who took it over last. */
  readonly author?: string
}

export type Standings = {
  /** Afterwards everything up to the head as of this call is known. */
  refresh(): Promise<void>
  /** Takes in what the tail of the log has read already. */
  note(events: readonly Recorded[]): void
  of(stream: string): Standing | undefined
}

/** `now`: how the document stands, where not as its events say. `replayed`: it is read again, and not as it happens. */
export type Now = { readonly now: Standing | undefined; readonly replayed: boolean }

export type Channels<Name extends string> = {
  /** What of the log it carries; undefined: it is fed by the clock. */
  log(name: Name): LogFilter | undefined
  /** Listeners of one scope see the same events in the same form. */
  scope(listener: Listener, name: Name): string
  wants(name: Name, filter: LiveFilter, listener: Listener, event: Recorded, look: Now): boolean
  data(
    name: Name,
    listener: Listener,
    event: Recorded,
    types: ReadonlyMap<string, EventType>,
    standing: (stream: string) => Standing | undefined,
  ): JsonObject
}

/** What happened within one second: events that everybody may see, in all and of each type. */
export type Second = { readonly events: number; readonly types: Readonly<Record<string, number>> }

/** What a channel that is fed by the clock is told each second, where somebody listens. */
export type News<Name extends string> = {
  readonly channel: Name
  readonly type: string
  /** Everybody on the channel, unless said. */
  readonly to?: (listener: Listener) => boolean
  readonly tell: (second: Second) => Promise<readonly JsonObject[]> | readonly JsonObject[]
}
