/** What people write in a chapter, from what they send to what is kept: normal form, characters, lengths. */
import { defined } from '../defined.ts'
import { type CommonRefusal, type Fault, type Refusal, refuse } from '../refusal.ts'
import { readText } from '../text/text.ts'
import { MOST_NESTING, MOST_TEXT, NOTE_LENGTH, TITLE_LENGTH } from './limits.ts'
import { isDeeperThan } from './nesting.ts'
import type { ChapterRefusal } from './refusals.ts'

export type ChapterInput = { readonly title: string; readonly note?: string | null; readonly text: string }
/** As it is kept. */
export type ChapterContent = { readonly title: string; readonly note?: string; readonly text: string }

type Read = { readonly text: string; readonly fault?: string }

/** Blank is nothing, and may be. */
const orEmpty = (given: string, max: number): Read =>
  given.trim() === '' ? { text: '' } : readText(given, { max, multiline: true })

const faultsOf = (read: Readonly<Record<string, Read>>): readonly Fault[] =>
  Object.entries(read).flatMap(([name, { fault }]) =>
    fault === undefined ? [] : [{ pointer: `/${name}`, code: 'text-invalid', detail: fault }],
  )

const invalid = (errors: readonly Fault[]): Refusal<CommonRefusal> =>
  refuse('text-invalid', 'Some text is too long, blank, or has characters that are not allowed.', { errors })

const readTitle = (given: string): Read => readText(given.trim(), { max: TITLE_LENGTH, multiline: false })

export const checkTitle = (given: string): string | Refusal<CommonRefusal> => {
  const title = readTitle(given)
  return title.fault === undefined ? title.text : invalid(faultsOf({ title }))
}

/** The draft in stored form, or every fault with its pointer. */
export const readChapter = (given: ChapterInput): ChapterContent | Refusal<ChapterRefusal | CommonRefusal> => {
  const title = readTitle(given.title)
  const note = orEmpty((given.note ?? '').trim(), NOTE_LENGTH)
  const text = orEmpty(given.text, MOST_TEXT)
  const errors = faultsOf({ title, note, text })
  if (errors.length > 0) return invalid(errors)
  if (isDeeperThan(text.text, MOST_NESTING))
    return refuse('markup-too-deep', `The markup nests more than ${MOST_NESTING} levels deep.`, {
      errors: [{ pointer: '/text', code: 'too-deep', detail: 'Quotes, lists, brackets or emphasis nest too deep.' }],
    })
  return { title: title.text, text: text.text, ...defined({ note: note.text === '' ? undefined : note.text }) }
}
