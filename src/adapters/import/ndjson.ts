/**
 * Entries as the interface takes and shows them, one JSON object a line (docs/ndjson.md): drafts with rank, licence and source, or
 * the lines of an export with its marks.
 */
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { DEFAULT_LICENCE, DraftBody, identityOf } from '../../commands/entries.ts'
import { defined } from '../../domain/defined.ts'
import type { EntryContent, EntrySenseInput } from '../../domain/entry/content.ts'
import { reasonOf, type SourceItem, type SourceRecord, sourceName } from '../../domain/entry/import.ts'
import { StandingMembers } from '../../domain/entry/members.ts'
import { entryId, importedSenseId } from '../../domain/ids.ts'
import { type Fault, isRefusal } from '../../domain/refusal.ts'
import { faultsOf, openShape } from '../../domain/shape.ts'
import { depthOf } from './json-depth.ts'
import { type Line, readLines } from './lines.ts'
import { noTextFault, textLooksLike } from './looks.ts'
import { nameless, nameOfFile, type Source, SourceError } from './source.ts'

/**
 * A line: the body of a new draft, and what an import adds. Without a source of its own it is of the file's. What an export says
 * besides is read over, but for what would not be true of what is made here: the id and the status.
 */
export const NdjsonLine = Type.Object(
  {
    ...Type.Partial(Type.Object(StandingMembers)).properties,
    ...DraftBody.properties,
    rank: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    source: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  },
  { additionalProperties: false },
)
type Body = Static<typeof NdjsonLine>

/** Where an export may be resumed, and at its end that it is whole. */
const Mark = Type.Object(
  {
    cursor: Type.String(),
    count: Type.Integer({ minimum: 0 }),
    end: Type.Optional(Type.Literal(true)),
  },
  { additionalProperties: false },
)
const mark = Compile(Mark)

const shape = openShape(NdjsonLine)
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Deeper JSON is no entry, and its parser should not be made to dig. */
const MAX_DEPTH = 32

/**
 * Ids of senses: a UUID is kept, since relations of other entries may name it; any other id is the source's key. A sense
 * without one is known by its gloss, so that an edit elsewhere in the entry leaves its id alone.
 */
const senseIds = (entry: string, senses: readonly EntrySenseInput[]): readonly string[] => {
  const times = new Map<string, number>()
  return senses.map(({ id, gloss }) => {
    if (id !== undefined) return uuid.test(id) ? id : importedSenseId(entry, id)
    const nth = (times.get(gloss) ?? 0) + 1
    times.set(gloss, nth)
    return importedSenseId(entry, `gloss:${gloss}:${nth}`)
  })
}

const contentOfBody = (entry: string, body: Body): EntryContent => {
  const given = body.senses ?? []
  const ids = senseIds(entry, given)
  const { etymology } = body
  return {
    variants: body.variants ?? [],
    senses: given.map((sense, i) => ({
      id: ids[i] ?? '',
      gloss: sense.gloss,
      labels: {
        register: sense.labels?.register ?? [],
        region: sense.labels?.region ?? [],
        domain: sense.labels?.domain ?? [],
      },
      examples: sense.examples ?? [],
      relations: sense.relations ?? [],
      translations: sense.translations ?? [],
    })),
    forms: (body.forms ?? []).map(({ form, tags }) => ({ form, tags: tags ?? [] })),
    pronunciations: body.pronunciations ?? [],
    ...defined({ etymology }),
    categories: body.categories ?? [],
  }
}

const whole = (code: string, detail: string): readonly Fault[] => [{ pointer: '', code, detail }]

/** The record, or all that is wrong with it. Faults quote nothing of the line but names: it may be long, and they go to a terminal. */
const parse = (
  text: string,
  defaults: { readonly source: string; readonly licence: string },
): SourceRecord | Static<typeof Mark> | readonly Fault[] => {
  if (depthOf(text) > MAX_DEPTH) return whole('json-too-deep', `The JSON is deeper than ${MAX_DEPTH} levels.`)
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    const where = /position \d+/.exec(error instanceof Error ? error.message : '')?.[0]
    return whole(
      'json-invalid',
      where === undefined ? 'The line is not JSON.' : `The line is not JSON: it breaks at ${where}.`,
    )
  }
  if (mark.Check(body)) return body
  if (!shape.fits(body)) return faultsOf(shape.errors(body))
  // An identity that cannot be is told with all that is wrong besides, by the check that every record passes.
  const sound = identityOf(body)
  const { language, lemma, partOfSpeech, homograph, id, status } = body
  const identity = isRefusal(sound) ? { language, lemma, partOfSpeech, homograph: homograph ?? 1 } : sound
  if (status !== undefined && status !== 'published')
    return [{ pointer: '/status', code: 'status', detail: `It is ${status}: only what is published is imported.` }]
  if (id !== undefined && !isRefusal(sound) && id.toLowerCase() !== entryId(sound))
    return [{ pointer: '/id', code: 'id', detail: `An entry of this identity has the id ${entryId(sound)}.` }]
  const source = body.source ?? defaults.source
  const content = contentOfBody(entryId(identity), body)
  return { identity, content, rank: body.rank ?? 0, licence: body.licence ?? defaults.licence, source }
}

type Read = SourceItem | { readonly kind: 'mark'; readonly line: number; readonly end: boolean }

const item = (line: Line, defaults: { readonly source: string; readonly licence: string }): Read | undefined => {
  if (!('text' in line)) return { kind: 'fault', line: line.line, reason: line.fault }
  if (line.text.trim() === '') return undefined
  const record = parse(line.text, defaults)
  if ('identity' in record) return { kind: 'record', line: line.line, record }
  return 'cursor' in record
    ? { kind: 'mark', line: line.line, end: record.end === true }
    : { kind: 'fault', line: line.line, reason: reasonOf(record), errors: record }
}

const BROKEN_OFF =
  'The export broke off: no line says {"end": true}. What came is imported; go on from the cursor in this line, or export again.'

export type NdjsonOptions = {
  /** What lines without a source are of; by default the file's name. */
  readonly source?: string
  /** What lines without a licence are under; by default that of people's own text. */
  readonly licence?: string
  readonly signal?: AbortSignal
}

/** Opens a file of lines of JSON. @throws {SourceError} when there is none. */
export const openNdjson = async (path: string, options: NdjsonOptions = {}): Promise<Source> => {
  const file = await stat(path).catch(() => undefined)
  if (!file || file.isDirectory()) throw new SourceError(`${path} is not a file that can be read.`)
  const name = options.source ?? nameOfFile(basename(path).replace(/\.(ndjson|jsonl?|txt)$/i, ''))
  if (!sourceName.test(name)) throw new SourceError(nameless(options.source, path), 'usage')
  const fault = await noTextFault(path)
  if (fault !== undefined) throw new SourceError(`${path} ${fault}.`)
  const defaults = { source: name, licence: options.licence ?? DEFAULT_LICENCE }
  let done = 0

  async function* items(): AsyncGenerator<SourceItem> {
    let last: Extract<Read, { kind: 'mark' }> | undefined
    let sound = false
    for await (const lines of readLines(path, options.signal))
      for (const line of lines) {
        done = line.offset + line.length
        const found = item(line, defaults)
        if (found?.kind === 'mark') last = found
        else if (found) yield found
        sound ||= found !== undefined && found.kind !== 'fault'
      }
    if (!sound) throw new SourceError(`${path} has no entry. ${await textLooksLike(path)}`)
    // A file with no marks at all is whole for all that anybody knows.
    if (last?.end === false) yield { kind: 'fault', line: last.line, reason: BROKEN_OFF }
  }

  return {
    name,
    licence: defaults.licence,
    items: items(),
    reading: () => ({ done, total: file.size }),
    close: async () => {},
  }
}
