/**
 * A decider's test as one sentence:
 *
 *   scenario(entryAggregate).given(drafted).when(submit(author)).then('EntrySubmitted')
 *   scenario(entryAggregate).given(drafted, submitted).when(submit(author)).thenNothing()
 *   scenario(entryAggregate).given().when(submit(author)).thenRefused('entry-not-found')
 *
 * What is given and what is decided must fit the event types' schemas: a story that could not be in the log is no test.
 * Both are folded as the log gives them back, with their members in canonical order.
 */
import assert from 'node:assert/strict'
import canonicalize from 'canonicalize'
import { Compile } from 'typebox/compile'
import { type Aggregate, type Deciding, type Decision, fold } from '../../src/domain/decider.ts'
import type { DomainEvent, EventType, JsonObject, Recorded } from '../../src/domain/event.ts'
import { streamName } from '../../src/domain/ids.ts'
import { isRefusal, type Refusal, type RefusalCode } from '../../src/domain/refusal.ts'

/** A fact of the past; who did it and when, and whether its text was removed, where that matters. */
export type Given<E extends DomainEvent> = E & { readonly by?: string; readonly at?: Date; readonly removed?: true }

export type Outcome<State, E extends DomainEvent> = {
  /** These types, in this order, and no more. */
  then(...types: readonly E['type'][]): Outcome<State, E>
  /** These very events. */
  thenEvents(...events: readonly E[]): Outcome<State, E>
  /** Already true: a success that writes nothing. */
  thenNothing(): Outcome<State, E>
  thenRefused(code: string): Outcome<State, E>
  /** The state after what was decided. */
  thenState(check: (state: State) => void): Outcome<State, E>
  /** The same command, or another, on the state after what was decided; by the same actor. */
  again(decide?: Deciding<State, E>): Outcome<State, E>
  readonly refusal: Refusal | undefined
  readonly events: readonly E[]
}

export type Story<State, E extends DomainEvent> = {
  readonly state: State
  /** `by`: actor id of what is decided, as the fold sees it. */
  when(decide: Deciding<State, E>, by?: string): Outcome<State, E>
}

export type Scenario<State, E extends DomainEvent> = {
  given(...events: readonly Given<E>[]): Story<State, E>
}

const SOMEBODY = 'somebody'
const START = Date.parse('2026-01-01T00:00:00.000Z')

const compiled = new WeakMap<EventType, ReturnType<typeof Compile>>()

const mustFit = (types: readonly EventType[], event: DomainEvent): EventType => {
  const declared = types.find(each => each.type === event.type)
  assert.ok(declared, `${event.type} is no event of this aggregate`)
  const schema = compiled.get(declared) ?? Compile(declared.schema)
  compiled.set(declared, schema)
  const [fault] = schema.Check(event.data) ? [] : schema.Errors(event.data)
  assert.equal(fault, undefined, `${event.type} does not fit its schema: ${fault?.instancePath} ${fault?.message}`)
  return declared
}

/** The data as the log gives it back: canonical, and without what was removed. */
const asRead = (data: JsonObject, removed: readonly string[]): JsonObject =>
  JSON.parse(
    canonicalize(Object.fromEntries(Object.entries(data).filter(([member]) => !removed.includes(member)))) ?? '',
  )

export const scenario = <State, E extends DomainEvent>(aggregate: Aggregate<State, E>): Scenario<State, E> => {
  const record = (event: Given<E>, index: number): Recorded<E> => {
    const { by = SOMEBODY, at = new Date(START + index * 60_000), removed } = event
    const declared = mustFit(aggregate.events, event)
    return {
      ...event,
      data: asRead(event.data, removed ? declared.sealed : []),
      id: `event-${index}`,
      stream: streamName(aggregate.category, 'scenario'),
      revision: BigInt(index),
      position: BigInt(10 * (index + 1)),
      recordedAt: at.toISOString(),
      meta: {
        actor: { kind: 'account', id: by },
        commandId: `command-${index}`,
        correlationId: 'scenario',
        causationId: `command-${index}`,
        at: at.toISOString(),
        schema: declared.version,
        route: { visibility: 'owner' },
      },
    }
  }

  /** `past`: the events that led to the state. */
  type Turn = { readonly decide: Deciding<State, E>; readonly by: string; readonly past: readonly Recorded<E>[] }

  const decided = (state: State, { decide, past }: Turn): Decision<E, RefusalCode> => {
    if (typeof decide === 'function') return decide(state)
    const needs = decide.needs(state)
    return decide.decide(
      state,
      new Map(past.flatMap(event => (needs.includes(event.revision) ? [[event.revision, event]] : []))),
    )
  }

  const outcome = (state: State, turn: Turn): Outcome<State, E> => {
    const { decide, by, past } = turn
    const decision = decided(state, turn)
    const refusal = isRefusal(decision) ? decision : undefined
    const events = isRefusal(decision) ? [] : decision
    for (const event of events) mustFit(aggregate.events, event)
    const recorded = events.map((event, index) => record({ ...event, by }, past.length + index))
    const after = fold(aggregate, recorded, state)
    const told = refusal
      ? `refused: ${refusal.refused} (${refusal.detail})`
      : events.map(event => event.type).join(', ')
    const self: Outcome<State, E> = {
      refusal,
      events,
      // biome-ignore lint/suspicious/noThenProperty: a scenario reads as a sentence, and nobody awaits one
      then: (...types) => {
        assert.equal(told, types.join(', '))
        return self
      },
      thenEvents: (...expected) => {
        assert.equal(refusal, undefined, told)
        assert.deepEqual(events, expected)
        return self
      },
      thenNothing: () => {
        assert.equal(told, '', 'something was decided')
        return self
      },
      thenRefused: code => {
        assert.equal(refusal?.refused, code, told)
        return self
      },
      thenState: check => {
        check(after)
        return self
      },
      again: (next = decide) => outcome(after, { decide: next, by, past: [...past, ...recorded] }),
    }
    return self
  }

  return {
    given: (...events) => {
      const past = events.map(record)
      const state = fold(aggregate, past)
      return { state, when: (decide, by = SOMEBODY) => outcome(state, { decide, by, past }) }
    },
  }
}
