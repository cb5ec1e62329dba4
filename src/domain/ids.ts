/** Identifiers: name-based UUIDs (RFC 9562, version 5) and the names of streams. */
import { createHash } from 'node:crypto'

const bytesOf = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex')

/** Namespaces that do not change, decoded once: an import makes millions of names. */
const decoded = new Map<string, Buffer>()

const format = (bytes: Buffer): string => {
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}

/** The version 5 UUID of a name in a namespace (itself a UUID): RFC 9562, section 5.5. */
export const uuidv5 = (namespace: string, name: string): string => {
  const bytes = createHash('sha1')
    .update(decoded.get(namespace) ?? bytesOf(namespace))
    .update(name, 'utf8')
    .digest()
    .subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return format(bytes)
}

const ROOT = '6ba7b812-9dad-11d1-80b4-00c04fd430c8'
const namespace = (name: string): string => uuidv5(ROOT, `lexichron:${name}`)

/** The parts of a name are joined by U+001F, which no validated text contains: ("a", "bc") and ("ab", "c") differ. */
const nameOf = (...parts: readonly string[]): string => parts.join('\u001f')

const namespaces = {
  entry: namespace('entry'),
  sense: namespace('sense'),
  command: namespace('command'),
  actor: namespace('actor'),
  import: namespace('import'),
  day: namespace('day'),
  story: namespace('story'),
  series: namespace('series'),
  chapter: namespace('chapter'),
  comment: namespace('comment'),
  decision: namespace('decision'),
  proposal: namespace('proposal'),
}

for (const each of Object.values(namespaces)) decoded.set(each, bytesOf(each))

export type EntryIdentity = {
  /** Canonical BCP 47. */
  readonly language: string
  /** NFC, as written. */
  readonly lemma: string
  readonly partOfSpeech: string
  readonly homograph: number
}

export const entryId = (identity: EntryIdentity): string =>
  uuidv5(namespaces.entry, nameOf(identity.language, identity.lemma, identity.partOfSpeech, String(identity.homograph)))

/** The id of a sense that came with an import: from the entry and the source's own key. */
export const importedSenseId = (entry: string, sourceKey: string): string =>
  uuidv5(namespaces.sense, nameOf(entry, sourceKey))

/** The id of a proposal: the same difference, in canonical form, to the same entry is the same one. */
export const proposalId = (entry: string, difference: string): string =>
  uuidv5(namespaces.proposal, nameOf(entry, difference))

/** The id of the nth sense that a command makes. */
export const newSenseId = (commandId: string, index: number): string =>
  uuidv5(namespaces.sense, nameOf(commandId, String(index)))

/** The id of a command that came with an idempotency key. */
export const commandIdOf = (
  actor: { readonly kind: string; readonly id: string },
  method: string,
  path: string,
  key: string,
): string => uuidv5(namespaces.command, nameOf(actor.kind, actor.id, method, path, key))

/**
 * The id of the command that imports one record in a run. Sent again it is the same command; another run beside it sends
 * another one, so that of two who write the same record only one has written it.
 */
export const importCommandId = (runId: string, record: string): string =>
  uuidv5(namespaces.import, nameOf(runId, record))

/** The id of the command by which an import begins a story of an author: by the source's own key, it is found again. */
export const storyImportId = (author: string, key: string): string =>
  uuidv5(namespaces.import, nameOf('story', author, key))

/** Event ids are derived from the command: a command repeated makes the same events. */
export const eventId = (commandId: string, index: number): string => uuidv5(commandId, String(index))

/** The id of a step of a command that is a command of its own, on another stream or before: repeated it is the same. */
export const stepId = (commandId: string, step: string): string => uuidv5(commandId, `step ${step}`)

/** The id of what a command begins, by its kind: the same command sent again finds it. */
export const begunId = (kind: 'story' | 'series' | 'chapter' | 'comment' | 'decision', commandId: string): string =>
  uuidv5(namespaces[kind], commandId)

/** The actor id of a service or import by its name. */
export const actorId = (kind: string, name: string): string => uuidv5(namespaces.actor, nameOf(kind, name))

/** Streams are named `<category>-<id>`; the category is what stands before the first hyphen. */
export const streamName = (category: string, id: string): string => `${category}-${id}`
export const categoryOf = (stream: string): string => {
  const hyphen = stream.indexOf('-')
  return hyphen < 0 ? stream : stream.slice(0, hyphen)
}

/** What a stream's name says beside its category. */
export const idOf = (stream: string): string => stream.slice(stream.indexOf('-') + 1)

/** A point in the space of entry ids, the same for the same seed: where a draw by chance begins. */
export const pointOf = (seed: string): string => uuidv5(namespaces.day, seed)
