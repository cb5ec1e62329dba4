/** A lemma: what names an entry, as it is written. */
import { type Refusal, refuse, type TextRefusal } from '../refusal.ts'
import { readText } from '../text/text.ts'

/** Code points at most. */
export const MAX_LEMMA = 200

// What displays nothing by itself (UAX 44), but for the joiners and variation selectors, which scripts are spelt with.
const unspelt = /(?!\u200c|\u200d|\p{Variation_Selector})[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/u
// Joiners and selectors that have nothing to act on: at the start, after a space, twice. A final ZWNJ parts nothing.
const idle = /(?:^|\s)(?:\u200c|\u200d|\p{Variation_Selector})|(?:\u200c|\u200d){2}|\p{Variation_Selector}{2}|\u200c$/u

// The blank of Braille is a space there, and looks like one anywhere else.
const strayBlank = /(?<![\u2801-\u28ff])\u2800|\u2800(?![\u2801-\u28ff])/u

/** Nobody sees it, and it would be another entry: an identity has nothing that does not show. */
const unseenInLemma = (lemma: string): string | undefined => {
  if (lemma !== lemma.trim() || /\s{2}|[^\S ]/u.test(lemma))
    return 'It begins or ends with a space, or has other spaces than single plain ones.'
  // What they stand for is agreed on between few, by a font: for all others it is an empty box (Unicode, 23.5).
  if (/\p{Co}/u.test(lemma)) return 'It has a character for private use, which means nothing to others.'
  const found = unspelt.exec(lemma) ?? idle.exec(lemma) ?? strayBlank.exec(lemma)
  if (!found) return undefined
  const codes = [...found[0].trim()].map(
    char => `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`,
  )
  return `It has ${codes.join(' ')} where it shows nothing.`
}

/** A lemma in normal form, or what is wrong with it. */
export const checkLemma = (lemma: string): string | Refusal<TextRefusal> => {
  const { text: normal, fault } = readText(lemma, { max: MAX_LEMMA, multiline: false, keyed: true })
  const problem = fault ?? unseenInLemma(normal)
  return problem
    ? refuse('text-invalid', `The lemma cannot be taken: ${problem}`, {
        errors: [{ pointer: '/lemma', code: 'text-invalid', detail: problem }],
      })
    : normal
}
