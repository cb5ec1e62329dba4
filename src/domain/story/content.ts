/** What people say of a story, from what they send to what is kept: normal form, characters, lengths, each tag once. */
import { defined } from '../defined.ts'
import { type CommonRefusal, type Fault, type Refusal, refuse } from '../refusal.ts'
import { MAX_FAULTS } from '../shape.ts'
import { ascii, caseKey, fromAscii, readText } from '../text/text.ts'
import { warnings as knownWarnings, type Rating, type StoryVisibility, storyLimits, type Warning } from './terms.ts'

/** As people send it; what is absent is not said, and null says that there is none. */
export type StoryInput = {
  readonly title?: string | null
  readonly summary?: string | null
  readonly tags?: readonly string[] | null
  readonly warnings?: readonly Warning[] | null
  readonly rating?: Rating | null
  readonly visibility?: StoryVisibility | null
}

/** What of it is kept. `summary`: null where a blank one, or none, was sent. */
export type StoryText = {
  readonly title?: string
  readonly summary?: string | null
  readonly tags?: readonly string[]
  readonly warnings?: readonly Warning[]
}

/** How tags are compared: without case, in ASCII, so that every engine finds and counts alike. */
export const tagKey = (tag: string): string => ascii(caseKey(tag, 'und'))

/** The tag as it is shown where it stands for all of its spellings. */
export const tagOf = (key: string): string => fromAscii(key)

type Faults = Fault[]
const add = (faults: Faults, fault: Fault): void => {
  if (faults.length < MAX_FAULTS) faults.push(fault)
}

const lineOf = (faults: Faults, given: string, pointer: string, max: number): string => {
  const { text, fault } = readText(given.trim(), { max, multiline: false, keyed: true })
  if (fault !== undefined) add(faults, { pointer, code: 'text-invalid', detail: fault })
  return text
}

const summaryOf = (faults: Faults, given: string): string | null => {
  if (given.trim() === '') return null
  const { text, fault } = readText(given.trim(), { max: storyLimits.summary, multiline: true })
  if (fault !== undefined) add(faults, { pointer: '/summary', code: 'text-invalid', detail: fault })
  return text
}

/** Each once, as it was written first. */
const tagsOf = (faults: Faults, given: readonly string[]): readonly string[] => {
  if (given.length > storyLimits.tags) {
    add(faults, { pointer: '/tags', code: 'too-many', detail: `A story has ${storyLimits.tags} tags at most.` })
    return []
  }
  const byKey = new Map<string, string>()
  for (const [i, tag] of given.entries()) {
    const text = lineOf(faults, tag, `/tags/${i}`, storyLimits.tag)
    const key = tagKey(text)
    if (!byKey.has(key)) byKey.set(key, text)
  }
  return [...byKey.values()]
}

/** In the order of the list. */
const warningsOf = (given: readonly Warning[]): readonly Warning[] =>
  knownWarnings.filter(warning => given.includes(warning))

/** The texts in stored form, or every fault with its pointer. */
export const readStory = ({ title, summary, tags, warnings }: StoryInput): StoryText | Refusal<CommonRefusal> => {
  const faults: Faults = []
  const text = {
    title: title === undefined ? undefined : lineOf(faults, title ?? '', '/title', storyLimits.title),
    summary: summary === undefined ? undefined : summaryOf(faults, summary ?? ''),
    tags: tags === undefined ? undefined : tagsOf(faults, tags ?? []),
    warnings: warnings === undefined ? undefined : warningsOf(warnings ?? []),
  }
  return faults.length === 0
    ? defined(text)
    : refuse('text-invalid', 'Some text is too long, blank, or has characters that are not allowed.', {
        errors: faults,
      })
}
