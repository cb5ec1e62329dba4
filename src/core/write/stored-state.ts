/** A stream from its stored snapshot, where it is long enough to have one: what is read of it does not grow with it. */
import type { DomainEvent } from '../../domain/event.ts'
import { markOf } from '../../domain/mark.ts'
import type { NewSnapshot, SeenCommand, Snapshot, Snapshots } from './snapshots.ts'
import { begin, type Folded, type Loaded, markAt, pastOf, type Seen, since } from './stream-state.ts'

/** Of what stands beside the state. */
const FORM = 1
/** A stream that ends within so many events is read whole, and nobody asks for its snapshot. */
const SHORT = 4
/** Events, and characters of their data, that are folded since the last snapshot before the next one is due. */
const DUE_EVENTS = 1_000
const DUE_CHARACTERS = 8_000_000

const seenIn = (recent: readonly SeenCommand[]): ReadonlyMap<string, Seen> =>
  new Map(
    recent.map(([id, revision, at, fingerprint]) => [
      id,
      { revision: BigInt(revision), at, fingerprint: fingerprint ?? undefined },
    ]),
  )

/** What the snapshot stands for; undefined where the log does not say so, or text was removed since. */
const restored = async <State, E extends DomainEvent>(
  folded: Folded<State, E>,
  snapshot: Snapshot,
): Promise<Loaded<State> | undefined> => {
  const { aggregate } = folded
  const bare = aggregate.snapshot?.decode(snapshot.state)
  if (bare === undefined || !aggregate.earlier) return undefined
  const revision = BigInt(snapshot.revision)
  const events = await pastOf(folded, [...aggregate.earlier.needs(bare, revision), revision])
  const last = events.get(revision)
  if (!last || markOf(last.id, last.meta.at) !== snapshot.mark) return undefined
  const state = aggregate.earlier.recall(bare, revision, events)
  if (state === undefined) return undefined
  return {
    ...begin(aggregate),
    state,
    revision,
    position: last.position,
    lastId: last.id,
    at: last.meta.at,
    recent: seenIn(snapshot.recent),
    key: snapshot.key ?? undefined,
  }
}

const versionOf = ({ version }: { readonly version: number }): string => `${version}.${FORM}`

/** The stream as it stands in the log, by a node that has nothing of it. */
export const fromStart = async <State, E extends DomainEvent>(
  folded: Folded<State, E>,
  snapshots: Pick<Snapshots, 'find'> | undefined,
  from: Loaded<State> = begin(folded.aggregate),
): Promise<Loaded<State>> => {
  const { aggregate, stream } = folded
  if (!aggregate.snapshot || !snapshots) return since(folded, from)
  const first = await since(folded, from, SHORT)
  if (first.unkept.events < SHORT) return first
  const found = await snapshots.find(stream, versionOf(aggregate.snapshot))
  return since(folded, (found && (await restored(folded, found))) ?? first)
}

const seenOf = (recent: ReadonlyMap<string, Seen>): readonly SeenCommand[] =>
  [...recent].map(([id, { revision, at, fingerprint }]) => [id, String(revision), at, fingerprint ?? null])

/** The snapshot that is due of what was folded; undefined: none is yet, or the aggregate has none. */
export const dueSnapshot = <State, E extends DomainEvent>(
  { aggregate, stream }: Pick<Folded<State, E>, 'aggregate' | 'stream'>,
  loaded: Loaded<State>,
): NewSnapshot | undefined => {
  const { events, characters } = loaded.unkept
  if (!aggregate.snapshot || (events < DUE_EVENTS && characters < DUE_CHARACTERS)) return undefined
  return {
    stream,
    version: versionOf(aggregate.snapshot),
    revision: String(loaded.revision),
    mark: markAt(loaded),
    key: loaded.key ?? null,
    recent: seenOf(loaded.recent),
    state: aggregate.snapshot.encode(loaded.state),
  }
}
