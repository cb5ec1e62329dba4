/** What a dictd dictionary says of itself in its header articles and its name: languages and licence. */

import { defined } from '../../domain/defined.ts'
import { canonicalLanguage } from '../../domain/text/languages.ts'

/** Header articles: `00-database-short`, in an index without punctuation `00databaseshort`. */
export const headerName = (word: string): string | undefined => /^00-?database-?(.*)$/.exec(word)?.[1]

export type Languages = { readonly language: string; readonly target?: string }

/** `eng-spa` at the end of a file's name: from English to Spanish. */
const fromName = (name: string): Languages | undefined => {
  const [, from = '', to = ''] = /(?:^|[^a-z])([a-z]{2,3})-([a-z]{2,3})$/.exec(name.toLowerCase()) ?? []
  const language = canonicalLanguage(from)
  const target = canonicalLanguage(to)
  return language === undefined || target === undefined ? undefined : { language, target }
}

/** Languages with a two-letter code, by their English names. */
const namedLanguages = (): ReadonlyMap<string, string> => {
  const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' })
  const letters = [...'abcdefghijklmnopqrstuvwxyz']
  const codes = letters.flatMap(first => letters.map(second => first + second))
  return new Map(codes.flatMap(code => [[names.of(code) ?? '', code] as const]).filter(([name]) => name !== ''))
}

/** "English-Spanish FreeDict Dictionary", "Dictionary of English": the languages in the order they are named. */
const fromTitle = (title: string): Languages | undefined => {
  const named = namedLanguages()
  const found = [...title.matchAll(/\p{Lu}\p{L}+/gu)].flatMap(([word]) => named.get(word) ?? [])
  const [language, target] = [...new Set(found)].flatMap(code => canonicalLanguage(code) ?? [])
  return language === undefined ? undefined : { language, ...defined({ target }) }
}

export const languagesOf = (name: string, title: string): Languages | undefined => fromName(name) ?? fromTitle(title)

/** The licence by its SPDX name where the dictionary's notice names one that is known; undefined asks for it to be stated. */
export const licenceOf = (notice: string): string | undefined => {
  const text = notice.replace(/\s+/g, ' ')
  const creative = /Creative Commons Attribution(-| )?(Share-?Alike)?\D{0,40}?(\d\.\d)/i.exec(text)
  if (creative) return `CC-BY${creative[2] === undefined ? '' : '-SA'}-${creative[3]}`
  if (/GNU Free Documentation License/i.test(text)) return 'GFDL-1.1-or-later'
  const gpl = /GNU General Public License/i.test(text)
  const affero = /GNU Affero General Public License/i.test(text)
  if (!gpl && !affero) return undefined
  const version = /(?:version|ver\.?|v)\s*(\d)(?:\.\d)?/i.exec(text.slice(text.search(/General Public License/i)))?.[1]
  const later = /any later\s+version|or later|\(?at your option\)? any later/i.test(text) ? '-or-later' : ''
  const numbered = (licence: string) => `${licence}-${version ?? '2'}.0${version === undefined ? '-or-later' : later}`
  return [...(gpl ? [numbered('GPL')] : []), ...(affero ? [numbered('AGPL')] : [])].join(' AND ')
}
