/**
 * Questions for a reverse dictionary: definitions of another dictionary, whose lemma is the answer. They come from the GNU
 * Collaborative International Dictionary of English as Debian's package dict-gcide installs it, in the dict format (index of
 * base-64 offsets, RFC 2229's server dictd), and are read where they are: its text is under the GPL, and none of it is kept here.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const INDEX = '/usr/share/dictd/gcide.index'
const TEXT = '/usr/share/dictd/gcide.dict.dz'
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const MOST_WORDS = 10
const LEAST_WORDS = 5

export type Question = { readonly lemma: string; readonly asked: string }

const numberOf = (digits: string): number => [...digits].reduce((sum, digit) => sum * 64 + DIGITS.indexOf(digit), 0)

const WEBSTER = '\u0001'

/** Without what stands in brackets, which may be nested: pronunciations, etymologies, marks; that a sense is Webster's stays. */
const withoutBrackets = (article: string): string => {
  let open = 0
  let kept = ''
  for (const part of article.split(/(\[1913 Webster\]|[[\]])/)) {
    if (part === '[1913 Webster]' && open === 0) kept += WEBSTER
    else if (part === '[') open += 1
    else if (part === ']') open = Math.max(0, open - 1)
    else if (open === 0) kept += part
  }
  return kept
}

/**
 * The first sense of an article, ten words of it. Undefined: it is not Webster's own (WordNet's would be found by themselves), it is
 * out of use, too short to say anything, or names its lemma.
 */
const questionOf = (lemma: string, article: string): string | undefined => {
  if (article.includes('[Obs.]') || article.includes('[R.]')) return undefined
  const [, sense] =
    /\n {3}(?:1\. )?(?:\([^)]*\) )?([A-Z][a-z]*[ ,][^\u0001]*?)\u0001/.exec(withoutBrackets(article)) ?? []
  const [said = ''] = (sense ?? '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\([^)]*\)/g, ' ')
    .split(/--|;|: as|\. [A-Z]|Note:| n\.;/)
  const words = said.replaceAll(/[{}]/g, '').match(/[A-Za-z][A-Za-z'-]*/g) ?? []
  const asked = words.slice(0, MOST_WORDS).join(' ').toLowerCase()
  const isOwn = words.length >= LEAST_WORDS && !/^(?:see|same as|pertaining|of or) /.test(asked)
  return isOwn && !asked.includes(lemma.slice(0, 5)) ? asked : undefined
}

const drawn = (lemma: string): string => createHash('sha256').update(lemma).digest('hex')

/** The same questions in every run, of lemmas that are `known`; undefined where the dictionary is not installed. */
export const gcideQuestions = (known: ReadonlySet<string>, most: number): readonly Question[] | undefined => {
  if (!existsSync(INDEX) || !existsSync(TEXT)) return undefined
  const text = gunzipSync(readFileSync(TEXT))
  const questions: Question[] = []
  const lemmas = new Set<string>()
  for (const line of readFileSync(INDEX, 'utf8').split('\n')) {
    const [word = '', at = '', length = ''] = line.split('\t')
    if (!/^[a-z]{4,}$/.test(word.toLowerCase()) || !known.has(word.toLowerCase()) || lemmas.has(word.toLowerCase()))
      continue
    lemmas.add(word.toLowerCase())
    const asked = questionOf(word.toLowerCase(), text.toString('utf8', numberOf(at), numberOf(at) + numberOf(length)))
    if (asked !== undefined) questions.push({ lemma: word.toLowerCase(), asked })
  }
  return questions.toSorted((a, b) => (drawn(a.lemma) < drawn(b.lemma) ? -1 : 1)).slice(0, most)
}
