/** The small tables beside WordNet's data: how often each sense is tagged in text, and irregular forms. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { EntryContent } from '../../domain/entry/content.ts'
import { readLines } from './lines.ts'
import { type WordnetFile, wordnetFiles } from './wordnet-format.ts'

const present = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** How often lemmas (as the index has them: lower case, underscores) are tagged in text. */
export type TagCounts = {
  /** Of the nth sense. */
  of(file: WordnetFile, lemma: string, sense: number): number
  /** Of all senses together. */
  total(file: WordnetFile, lemma: string): number
}

/** Types 3 and 5, adjective and satellite, share a file and its sense numbers. */
const fileOfNumber = ['', 'noun', 'verb', 'adj', 'adv', 'adj']

/**
 * Tag counts by lemma and sense number, from `index.sense` or else `cntlist.rev`: senseidx(5WN), cntlist(5WN). Only
 * tagged senses are kept, one in six. Without either file every count is 0.
 */
export const readTagCounts = async (dir: string): Promise<TagCounts> => {
  const counts = new Map<string, number>()
  const totals = new Map<string, number>()
  const path = (await present(join(dir, 'index.sense'))) ? join(dir, 'index.sense') : join(dir, 'cntlist.rev')
  if (await present(path))
    for await (const lines of readLines(path))
      for (const line of lines) {
        // Both end in "sense_number tag_cnt"; a line that does not says nothing about how often.
        if (!('text' in line) || line.text.endsWith(' 0')) continue
        const parts = line.text.trimEnd().split(' ')
        const key = parts[0] ?? ''
        const percent = key.lastIndexOf('%')
        const file = fileOfNumber[Number(key[percent + 1])]
        const count = Number(parts.at(-1))
        if (percent < 1 || file === undefined || parts.length < 3 || !Number.isSafeInteger(count)) continue
        const lemma = `${file} ${key.slice(0, percent)}`
        counts.set(`${lemma} ${parts.at(-2)}`, count)
        totals.set(lemma, (totals.get(lemma) ?? 0) + count)
      }
  return {
    of: (file, lemma, sense) => counts.get(`${file} ${lemma} ${sense}`) ?? 0,
    total: (file, lemma) => totals.get(`${file} ${lemma}`) ?? 0,
  }
}

type Forms = EntryContent['forms']
/** The irregular forms of a lemma as written. */
export type Exceptions = (file: WordnetFile, lemma: string) => Forms

/** What an irregular form is, as far as its file and its ending tell. */
const tagsOf = (file: WordnetFile, form: string): string[] => {
  if (file === 'noun') return ['plural', 'irregular']
  if (file === 'verb') return form.endsWith('ing') ? ['present participle', 'irregular'] : ['irregular']
  return form.endsWith('est') ? ['superlative', 'irregular'] : ['comparative', 'irregular']
}

/** The exception lists (morphy(7WN)): "form base [base...]". They are optional, and small. */
export const readExceptions = async (dir: string): Promise<Exceptions> => {
  const forms = new Map<string, Forms>()
  for (const file of wordnetFiles) {
    const path = join(dir, `${file}.exc`)
    if (!(await present(path))) continue
    for await (const lines of readLines(path))
      for (const line of lines) {
        if (!('text' in line)) continue
        const [written = '', ...bases] = line.text.trim().split(' ')
        const form = written.replaceAll('_', ' ')
        for (const base of bases) {
          const lemma = base.replaceAll('_', ' ')
          if (form === '' || lemma === form) continue
          const known = forms.get(`${file} ${lemma}`) ?? []
          if (!known.some(each => each.form === form))
            forms.set(`${file} ${lemma}`, [...known, { form, tags: tagsOf(file, form) }])
        }
      }
  }
  return (file, lemma) => forms.get(`${file} ${lemma.toLowerCase()}`) ?? []
}
