/** The bound of what is derived from an entry, so that it can be found: keys of words and names, stems of glosses. */
import type { Fault } from '../refusal.ts'
import { keySize, LONGEST_WORD, words } from '../text/text.ts'
import type { EntryContent } from './content.ts'

/** Distinct words of all glosses: each has a place of its own in the index. A text of 200,000 letters has about 5,000. */
export const MAX_GLOSS_WORDS = 10_000
/** Characters of all keys together; one of a letter that is not in ASCII takes seven. */
export const MAX_KEYS = 400_000
/** Characters of a key at most that one UTF-16 unit becomes: U+FDFA is spelt out in 18 letters, none of them in ASCII. */
const MOST_OF_A_UNIT = 18 * 7

type Texts = { readonly pointer: string; readonly texts: readonly string[] }

const derivedFrom = ({ variants, forms, senses, categories }: EntryContent): readonly Texts[] => [
  // Of a form both a key and a stem are made, of a name a key that tells spellings apart.
  { pointer: '/variants', texts: variants },
  { pointer: '/forms', texts: forms.flatMap(({ form }) => [form, form]) },
  { pointer: '/categories', texts: categories.flatMap(name => [name, name]) },
  {
    pointer: '/senses',
    texts: senses.flatMap(({ labels }) =>
      [...labels.register, ...labels.region, ...labels.domain].flatMap(name => [name, name]),
    ),
  },
]

const fault = (pointer: string, detail: string): Fault => ({ pointer, code: 'too-many-keys', detail })

/** The first gloss words that are past the bound are not looked at. */
const glossWords = (glosses: readonly string[]): ReadonlySet<string> => {
  const found = new Set<string>()
  for (const gloss of glosses)
    for (const word of words(gloss)) {
      if (word.length <= 2 * LONGEST_WORD) found.add(word.toLowerCase())
      if (found.size > MAX_GLOSS_WORDS) return found
    }
  return found
}

/**
 * What is too much in the content to be found by; undefined when nothing is. Works no key out, and stops at the bound: a
 * request of some hundred kilobytes would be made into an index of eighty megabytes.
 */
export const derivedFault = (content: EntryContent): Fault | undefined => {
  const glosses = content.senses.map(({ gloss }) => gloss)
  const sources = derivedFrom(content)
  const given = [...glosses, ...sources.flatMap(({ texts }) => texts)].reduce((sum, text) => sum + text.length, 0)
  if (given * MOST_OF_A_UNIT <= MAX_KEYS) return undefined
  const found = glossWords(glosses)
  if (found.size > MAX_GLOSS_WORDS)
    return fault('/senses', `The glosses have more than ${MAX_GLOSS_WORDS.toLocaleString('en-US')} different words.`)
  let size = 0
  for (const { pointer, texts } of [...sources, { pointer: '/senses', texts: found }])
    for (const text of texts) {
      size += keySize(text)
      if (size > MAX_KEYS)
        return fault(
          pointer,
          `What the entry is found by takes more than ${MAX_KEYS.toLocaleString('en-US')} characters in the index, where a letter that is not in ASCII counts seven.`,
        )
    }
  return undefined
}
