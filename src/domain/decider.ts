/**
 * The decider: how one aggregate is declared (Chassaing's pattern). A command becomes `decide(input)(state)`: events, or
 * a refusal. No events means "already true" and is a success.
 */
import type { Actor, DomainEvent, EventRoute, EventType, JsonObject, Recorded } from './event.ts'
import type { CommonRefusal, Refusal, RefusalCode } from './refusal.ts'
import type { Permission } from './roles.ts'

/** Who decides, when, and under which command: the arguments that make a decision repeatable. */
export type By = {
  readonly id: string
  /** Absent: an account. */
  readonly kind?: Actor['kind']
  readonly permissions: ReadonlySet<Permission>
  readonly now: Date
  readonly commandId: string
}

/** `Code` is the aggregate's own union of what it refuses; what any command may be refused for comes with it. */
export type Decision<E extends DomainEvent, Code extends RefusalCode> = readonly E[] | Refusal<Code | CommonRefusal>
export type Decide<State, E extends DomainEvent, Code extends RefusalCode> = (state: State) => Decision<E, Code>

/** Events of one stream by their revisions. */
export type EventsByRevision<E extends DomainEvent> = ReadonlyMap<bigint, Recorded<E>>

/** A decision that needs a few events of the stream beside the state: those of the revisions that it names. */
export type DecideOnEvents<State, E extends DomainEvent, Code extends RefusalCode> = {
  readonly needs: (state: State) => readonly bigint[]
  readonly decide: (state: State, events: EventsByRevision<E>) => Decision<E, Code>
}
export type Deciding<State, E extends DomainEvent, Code extends RefusalCode = RefusalCode> =
  | Decide<State, E, Code>
  | DecideOnEvents<State, E, Code>

/** How an earlier state is known from a later one and a few events, where folding from the start would cost as much as the stream is long. */
export type Recall<State, E extends DomainEvent> = {
  /** The revisions whose events it takes, few however long the stream is. */
  readonly needs: (state: State, revision: bigint) => readonly bigint[]
  /** undefined: text of it was removed. */
  readonly recall: (state: State, revision: bigint, events: EventsByRevision<E>) => State | undefined
}

/** A state as a stored snapshot has it: no text, so that there is none to be removed; `earlier` makes it whole again. */
export type Snapshooting<State> = {
  /** Raised whenever the fold or the form changes: a snapshot of another version is passed over. */
  readonly version: number
  readonly encode: (state: State) => JsonObject
  /** undefined: it has not this form. */
  readonly decode: (json: JsonObject) => State | undefined
}

/** `evolve` never throws, whatever the order of events. `route` says who may see an event, from the state after it. */
export type Aggregate<State, E extends DomainEvent> = {
  readonly category: string
  readonly events: readonly EventType[]
  readonly initial: State
  readonly evolve: (state: State, event: Recorded<E>) => State
  readonly route: (state: State) => EventRoute
  /** Was its text removed for ever? A command that is repeated afterwards is not answered with what stood then. */
  readonly isRemoved?: (state: State) => boolean
  readonly earlier?: Recall<State, E>
  /** Only with `earlier`. */
  readonly snapshot?: Snapshooting<State>
  /** Bytes that a state takes in memory, about. Absent: two for each character of its JSON. */
  readonly weigh?: (state: State) => number
  /** How many of its streams are worth keeping in memory; as many as of any other when absent. */
  readonly cachedStreams?: number
  /**
   * Anybody may ask for streams that are not there: those are not kept in memory, so that they push out none that is. Absent where
   * asking for one has to cost what asking for another does, so that the time tells nobody which is there (addresses).
   */
  readonly isAskedForByAnybody?: true
}

export const fold = <State, E extends DomainEvent>(
  aggregate: Aggregate<State, E>,
  events: Iterable<Recorded<E>>,
  from: State = aggregate.initial,
): State => {
  let state = from
  for (const event of events) state = aggregate.evolve(state, event)
  return state
}
