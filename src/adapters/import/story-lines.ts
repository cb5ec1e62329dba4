/** Stories as lines of JSON: docs/stories.md. */
import Type, { type Static } from 'typebox'
import type { StoryRecord } from '../../commands/import-stories.ts'
import { StoryBody } from '../../commands/stories.ts'
import { defined } from '../../domain/defined.ts'
import { reasonOf } from '../../domain/entry/import.ts'
import type { Fault } from '../../domain/refusal.ts'
import { faultsOf, openShape } from '../../domain/shape.ts'
import { depthOf } from './json-depth.ts'
import { type Line, readLines } from './lines.ts'
import type { StoryDefaults, StoryItem } from './story-source.ts'

/** Bytes of a line: a long story stands in one. */
const MOST_LINE = 40_000_000
const MOST_DEPTH = 8

const key = Type.Optional(Type.String({ minLength: 1, maxLength: 200 }))
const strict = { additionalProperties: false }
export const StoryLine = Type.Object(
  {
    ...StoryBody.properties,
    id: key,
    published: Type.Optional(Type.Boolean()),
    completed: Type.Optional(Type.Boolean()),
    chapters: Type.Array(
      Type.Object(
        {
          id: key,
          title: Type.String(),
          note: Type.Optional(Type.Union([Type.String(), Type.Null()])),
          text: Type.String(),
        },
        strict,
      ),
      { maxItems: 10_000 },
    ),
  },
  strict,
)
const shape = openShape(StoryLine)

const recordOf = (line: Static<typeof StoryLine>, defaults: StoryDefaults): StoryRecord => {
  const { id, published, completed, chapters, ...about } = line
  return {
    key: id ?? `title ${about.language} ${about.title}`,
    about: { ...about, ...defined({ visibility: about.visibility ?? defaults.visibility }) },
    isPublished: published ?? defaults.isPublished,
    isCompleted: completed === true,
    chapters: chapters.map(({ id: own, title, note, text }, n) => ({
      key: own ?? String(n + 1),
      title,
      ...defined({ note }),
      text,
    })),
  }
}

const fault = (line: number, reason: string, errors?: readonly Fault[]): StoryItem => ({
  kind: 'fault',
  line,
  reason,
  ...defined({ errors }),
})

const itemOf = (line: Line, defaults: StoryDefaults): StoryItem | undefined => {
  if (!('text' in line)) return fault(line.line, line.fault)
  if (line.text.trim() === '') return undefined
  if (depthOf(line.text) > MOST_DEPTH) return fault(line.line, `The JSON is deeper than ${MOST_DEPTH} levels.`)
  let body: unknown
  try {
    body = JSON.parse(line.text)
  } catch {
    return fault(line.line, 'The line is not JSON.')
  }
  if (!shape.fits(body)) {
    const errors = faultsOf(shape.errors(body))
    return fault(line.line, reasonOf(errors), errors)
  }
  return { kind: 'record', line: line.line, record: recordOf(body, defaults) }
}

export async function* storyLines(
  path: string,
  defaults: StoryDefaults,
  told: { readonly signal?: AbortSignal; readonly onRead: (bytes: number) => void },
): AsyncGenerator<StoryItem> {
  for await (const lines of readLines(path, told.signal, MOST_LINE))
    for (const line of lines) {
      told.onRead(line.offset + line.length)
      const item = itemOf(line, defaults)
      if (item) yield item
    }
}
