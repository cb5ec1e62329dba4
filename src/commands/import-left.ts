/** Entries that came from a source by an earlier import, are still published, and are not in it any more. */
import type { Log } from '../core/log/log.ts'
import type { Transactor } from '../core/write/transact.ts'
import { entryCategory } from '../domain/entry/entry.ts'
import type { EntryEvent } from '../domain/entry/events.ts'
import { EntryImported } from '../domain/entry/events.ts'
import type { EntryState } from '../domain/entry/state.ts'

/** An entry that the source has no more. */
export type LeftEntry = {
  readonly id: string
  readonly language: string
  readonly lemma: string
  readonly partOfSpeech: string
}

/** Named, and left as they are: whether a word is wrong because a source has dropped it is for people to say. */
export async function* leftEntries(
  deps: { readonly log: Pick<Log, 'readAll'>; readonly entries: Pick<Transactor<EntryState, EntryEvent>, 'load'> },
  /** Who imports this source, and what is in it. */
  from: {
    readonly actor: string
    readonly isThere: (id: string) => boolean
    readonly signal: AbortSignal | undefined
  },
): AsyncGenerator<LeftEntry> {
  const looked = new Set<string>()
  for await (const { events } of deps.log.readAll(0n, { types: [EntryImported.type] })) {
    if (from.signal?.aborted) return
    for (const { stream, meta } of events) {
      const id = stream.slice(entryCategory.length + 1)
      if (meta.actor.id !== from.actor || from.isThere(id) || looked.has(id)) continue
      looked.add(id)
      const { entry } = (await deps.entries.load(stream)).state
      if (entry?.status !== 'published' || entry.removed) continue
      const { language, lemma, partOfSpeech } = entry
      yield { id, language, lemma, partOfSpeech }
    }
  }
}
