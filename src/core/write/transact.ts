/**
 * The write side's one loop: load -> first answer again -> If-Match -> decide -> append at the exact revision.
 *
 * What a cached state says against a command (a refusal, nothing to do, a stale If-Match) counts only after the stream
 * has been read again; what it says for a command is checked by the append itself. Commands on one stream take turns, so
 * that retries are left for those of other processes.
 */
import type { Aggregate, Deciding, Decision } from '../../domain/decider.ts'
import { defined } from '../../domain/defined.ts'
import type { Actor, DomainEvent } from '../../domain/event.ts'
import { eventId } from '../../domain/ids.ts'
import { sizeOf } from '../../domain/json.ts'
import { isStated, type StatedRevision } from '../../domain/mark.ts'
import { isRefusal, isUnseen, type Refusal, type RefusalCode, refuse } from '../../domain/refusal.ts'
import type { Clock } from '../../ports/clock.ts'
import { type AppendResult, EventStoreError, type Expected } from '../../ports/event-store.ts'
import type { Encoded, Log, NewEvent } from '../log/log.ts'
import { openMemory, type Region } from '../memory/memory.ts'
import type { Snapshots } from './snapshots.ts'
import { dueSnapshot, fromStart } from './stored-state.ts'
import {
  advance,
  begin,
  type Folded,
  type Loaded,
  markAt,
  nothingUnkept,
  pastOf,
  preview,
  since,
  stateAt,
  timeAfter,
} from './stream-state.ts'
import { openStreamTurns } from './stream-turns.ts'

/** Everything about one command that is not its input. */
export type Envelope = {
  readonly commandId: string
  readonly actor: Actor
  readonly fingerprint?: string
  readonly correlationId: string
  readonly traceparent?: string
  readonly at: Date
  /** The state the client says it has seen; `any`: that there is one, whichever (RFC 9110, 13.1.1). */
  readonly ifMatch?: StatedRevision | 'any'
  readonly dryRun?: boolean
}

export type Accepted<State> = {
  readonly outcome: 'accepted'
  readonly stream: string
  readonly state: State
  readonly revision: Expected
  /** Of the event that led to the revision (src/domain/mark.ts). */
  readonly mark: string
  /** Position of the last event that this answer rests on; a query that names it sees the command's effect. */
  readonly position: bigint
  /** The command had been carried out before: this is its first answer again. */
  readonly replayed: boolean
  /** What was written, or in a dry run would be; empty when it was already true. */
  readonly events: readonly NewEvent[]
}
export type Result<State> = Accepted<State> | Refusal

type Standing<State> = Pick<Loaded<State>, 'state' | 'revision' | 'position'> & { readonly mark: string }

/** What one is asked to do, whatever has to be tried again for it. */
type Asked<State, E extends DomainEvent> = {
  readonly stream: string
  readonly decide: Deciding<State, E>
  readonly envelope: Envelope
}

export type Transactor<State, E extends DomainEvent> = {
  readonly aggregate: Aggregate<State, E>
  /** Carries out one command, after those on the stream that came before. @throws {EventStoreError} when the store is unavailable, busy or refuses the size. */
  run(stream: string, decide: Deciding<State, E>, envelope: Envelope): Promise<Result<State>>
  /** The stream as it stands in the log now. */
  load(stream: string): Promise<Standing<State>>
  /**
   * Both for what strangers may ask of a stream: where it is not in memory, what is sealed in it is left closed and looks removed
   * to the fold, and nothing of it is kept. No key is asked for then, so that a stream that somebody has costs what an empty one does.
   */
  readonly unopened: Pick<Transactor<State, E>, 'run' | 'load'>
  /** Drops a stream from memory: its text was removed. */
  forget(stream: string): void
}

export type TransactorOptions<State, E extends DomainEvent> = {
  readonly aggregate: Aggregate<State, E>
  readonly log: Pick<Log, 'encode' | 'append' | 'readStream' | 'readUnopened'>
  readonly clock: Clock
  /** A number in [0, 1): jitter of retries. */
  readonly random: () => number
  /** How many streams are kept in memory, of whatever size. */
  readonly cachedStreams: number
  /** Where they are kept, beside those of others; without, in 32 MiB of its own. */
  readonly memory?: Region
  /** Where snapshots of long streams are kept; without, each is folded from its start. */
  readonly snapshots?: Snapshots
}

const MAX_ATTEMPTS = 8
const MAX_RESENDS = 4
const BACKOFF_MS = 5
/** For the states of one that is given no memory. */
const OWN_BYTES = 128 * 1024 * 1024
/** A command that is remembered: its id, its time, the hash of its body. */
const SEEN_BYTES = 300
/** Text that is not Latin has two bytes a character. */
const CHARACTER_BYTES = 2

const stale = (ifMatch: StatedRevision | 'any', current: Expected): Refusal =>
  current === 'none'
    ? refuse('revision-stale', 'If-Match names a revision, and there is nothing yet that could have one.')
    : refuse('revision-stale', 'If-Match names a revision that is not the current one: read again and decide again.', {
        // Below 0 stands for a tag that is none of ours.
        context: {
          ...defined({
            statedRevision: ifMatch !== 'any' && ifMatch.revision >= 0n ? String(ifMatch.revision) : undefined,
          }),
          currentRevision: String(current),
        },
      })

const UNKNOWN = 'It is not known whether this was written. Send it again with the same Idempotency-Key.'

export const openTransactor = <State, E extends DomainEvent>(
  options: TransactorOptions<State, E>,
): Transactor<State, E> => {
  const { aggregate, log, clock, random, snapshots } = options
  const { weigh = state => CHARACTER_BYTES * sizeOf(state) } = aggregate
  const { memory = openMemory(OWN_BYTES).region('streams') } = options
  const cache = memory.cache<Loaded<State>>({
    max: options.cachedStreams,
    // What streams hold differs a thousandfold.
    sizeOf: ({ state, recent }) => weigh(state) + recent.size * SEEN_BYTES,
  })

  const turns = openStreamTurns()

  /** Keeps it in memory, and of a long stream a snapshot in the read store when one is due. */
  const remember = (stream: string, loaded: Loaded<State>): Loaded<State> => {
    if (loaded.unopened) return loaded
    const due = snapshots && dueSnapshot({ aggregate, stream }, loaded)
    if (due) snapshots.keep(due)
    const kept = due ? { ...loaded, unkept: nothingUnkept } : loaded
    cache.set(stream, { ...kept, cached: true })
    return { ...kept, cached: false }
  }

  const closed = { readStream: log.readUnopened }
  const unopened: Loaded<State> = { ...begin(aggregate), unopened: true }
  const folded = (stream: string, { unopened }: Loaded<State>): Folded<State, E> => ({
    log: unopened ? closed : log,
    aggregate,
    stream,
  })
  const resync = async (stream: string, from: Loaded<State>): Promise<Loaded<State>> => {
    const kept = from.unopened ? undefined : snapshots
    const loaded = await (from.revision === 'none'
      ? fromStart(folded(stream, from), kept, from)
      : since(folded(stream, from), from))
    const isPassing = loaded.revision === 'none' && aggregate.isAskedForByAnybody === true
    if (isPassing || (loaded.revision === from.revision && cache.has(stream))) return loaded
    return remember(stream, loaded)
  }
  const load = async (stream: string, first: Loaded<State>): Promise<Loaded<State>> =>
    cache.get(stream) ?? resync(stream, first)

  const envelop = (
    stream: string,
    loaded: Loaded<State>,
    decided: readonly E[],
    envelope: Envelope,
  ): readonly (E & NewEvent)[] => {
    const { commandId, actor, fingerprint, correlationId, traceparent } = envelope
    const now = envelope.at.toISOString()
    let { state, at } = loaded
    return decided.map((event, index) => {
      at = timeAfter(now, at)
      const id = eventId(commandId, index)
      const meta = {
        actor,
        commandId,
        correlationId,
        causationId: commandId,
        at,
        ...defined({ fingerprint, traceparent }),
        route: aggregate.route(state),
      }
      const place = { stream, after: loaded.revision, index, position: loaded.position, recordedAt: at }
      state = aggregate.evolve(state, preview(event, place, { id, meta }))
      return { ...event, id, meta: { ...meta, route: aggregate.route(state) } }
    })
  }

  /** Sends the same events at the same revision until the outcome is known, or gives up: never decides again on it. */
  const append = async (encoded: Encoded): Promise<AppendResult> => {
    let result = await log.append(encoded)
    for (let sent = 1; result.outcome === 'unknown' && sent <= MAX_RESENDS; sent += 1) {
      await clock.sleep(BACKOFF_MS * 4 ** sent * (1 + random()))
      // A store that is away now says nothing about what was sent before.
      result = await log.append(encoded).catch((error: unknown) => {
        if (error instanceof EventStoreError) return { outcome: 'unknown', cause: error.message }
        throw error
      })
    }
    return result
  }

  const decideOn = async (
    stream: string,
    loaded: Loaded<State>,
    decide: Deciding<State, E>,
  ): Promise<Decision<E, RefusalCode>> =>
    typeof decide === 'function'
      ? decide(loaded.state)
      : decide.decide(loaded.state, await pastOf(folded(stream, loaded), decide.needs(loaded.state)))

  const firstAnswer = async (
    stream: string,
    loaded: Loaded<State>,
    seen: bigint,
    envelope: Envelope,
  ): Promise<Result<State>> => {
    // Others may have removed the text since; until its key is gone, only the stream as it stands says so.
    const now = aggregate.isRemoved && loaded.cached ? await resync(stream, loaded) : loaded
    const whole = now.revision === seen || aggregate.isRemoved?.(now.state) === true
    const first = whole ? now : await stateAt(folded(stream, now), now, seen)
    const { state, revision, position } = first
    const replayed = envelope.dryRun !== true
    return { outcome: 'accepted', stream, state, revision, mark: markAt(first), position, replayed, events: [] }
  }

  /**
   * A store takes the same ids at the same revision for a repeat, whatever they say, and answers as at the first time. Two
   * processes that were given one Idempotency-Key at the same moment both hear of success, and only one of them is in the
   * log: so what is recorded is read back. The stream as it stands where that is not what was decided here.
   */
  const recordedElsewhere = async (
    stream: string,
    loaded: Loaded<State>,
    { commandId, fingerprint }: Envelope,
    written: readonly NewEvent[],
  ): Promise<Loaded<State> | 'unknown' | undefined> => {
    if (fingerprint === undefined) return undefined
    try {
      const recorded = await since(folded(stream, loaded), loaded)
      const seen = recorded.recent.get(commandId)
      if (!seen || (seen.fingerprint === fingerprint && seen.at === written.at(-1)?.meta.at)) return undefined
      return remember(stream, recorded)
    } catch (error) {
      if (error instanceof EventStoreError) return 'unknown'
      throw error
    }
  }

  const attempt = async (n: number, loaded: Loaded<State>, asked: Asked<State, E>): Promise<Result<State>> => {
    const { stream, decide, envelope } = asked
    const again = async (): Promise<Result<State>> => attempt(n, await resync(stream, loaded), asked)
    const seen = loaded.recent.get(envelope.commandId)
    if (seen)
      return seen.fingerprint === envelope.fingerprint
        ? firstAnswer(stream, loaded, seen.revision, envelope)
        : refuse('idempotency-key-reused', 'This Idempotency-Key was used with another payload.')
    const { ifMatch } = envelope
    const stated = ifMatch === undefined || (ifMatch === 'any' && loaded.revision !== 'none') ? undefined : ifMatch
    const isStale = stated !== undefined && (stated === 'any' || !isStated(stated, loaded.revision, markAt(loaded)))
    if (isStale && loaded.cached) return again()
    const decision = await decideOn(stream, loaded, decide)
    if (isStale && !(isRefusal(decision) && isUnseen(decision))) return stale(stated, loaded.revision)
    if (isRefusal(decision)) return loaded.cached ? again() : decision
    const { state, revision, position } = loaded
    const mark = markAt(loaded)
    const events = envelop(stream, loaded, decision, envelope)
    if (events.length === 0) {
      if (loaded.cached) return again()
      return { outcome: 'accepted', stream, state, revision, mark, position, replayed: false, events }
    }
    if (envelope.dryRun)
      return { outcome: 'accepted', stream, state, revision, mark, position, replayed: false, events }

    const encoded = await log.encode(stream, revision, events, loaded.key)
    const result = await append(encoded)
    if (result.outcome === 'unknown') {
      cache.delete(stream)
      return refuse('outcome-unknown', UNKNOWN)
    }
    if (result.outcome === 'conflict') {
      const fresh = await resync(stream, loaded)
      if (stated !== undefined && fresh.revision === loaded.revision) return stale(stated, fresh.revision)
      // What was stated is the revision no longer: that is all there is to say, where it may be said to who asks.
      if (stated !== undefined) return attempt(n, fresh, asked)
      if (n >= MAX_ATTEMPTS) return refuse('conflict', 'Others keep changing this at the same moment; try again.')
      await clock.sleep(BACKOFF_MS * n * random())
      return attempt(n + 1, fresh, asked)
    }
    const first = await recordedElsewhere(stream, loaded, envelope, events)
    if (first === 'unknown') {
      cache.delete(stream)
      return refuse('outcome-unknown', UNKNOWN)
    }
    if (first) return attempt(n, first, asked)
    const written = advance(aggregate, loaded, { stream, decided: events, written: result, key: encoded.key })
    if ((cache.peek(stream)?.position ?? 0n) < written.position) remember(stream, written)
    return {
      outcome: 'accepted',
      stream,
      state: written.state,
      revision: written.revision,
      mark: markAt(written),
      position: written.position,
      replayed: false,
      events,
    }
  }

  const from = (first: Loaded<State>): Pick<Transactor<State, E>, 'run' | 'load'> => ({
    run: (stream, decide, envelope) =>
      turns.on(stream, async () => attempt(1, await load(stream, first), { stream, decide, envelope })),
    load: async stream => {
      const loaded = await resync(stream, cache.get(stream) ?? first)
      return { ...loaded, mark: markAt(loaded) }
    },
  })
  return {
    aggregate,
    ...from(begin(aggregate)),
    unopened: from(unopened),
    forget: stream => {
      cache.delete(stream)
    },
  }
}
