/** Is a text of one script, as its readers would say? (UTS 39, 5.1 and 5.2) */

/** Scripts in use today: the recommended and the limited ones of UAX 31, tables 5 and 7. Those that are history alone are none of a name. */
const names = [
  'Adlam',
  'Arabic',
  'Armenian',
  'Balinese',
  'Bamum',
  'Batak',
  'Bengali',
  'Bopomofo',
  'Canadian_Aboriginal',
  'Chakma',
  'Cham',
  'Cherokee',
  'Cyrillic',
  'Devanagari',
  'Ethiopic',
  'Georgian',
  'Greek',
  'Gujarati',
  'Gurmukhi',
  'Han',
  'Hangul',
  'Hanifi_Rohingya',
  'Hebrew',
  'Hiragana',
  'Javanese',
  'Kannada',
  'Katakana',
  'Kayah_Li',
  'Khmer',
  'Lao',
  'Latin',
  'Lepcha',
  'Limbu',
  'Lisu',
  'Malayalam',
  'Mandaic',
  'Meetei_Mayek',
  'Miao',
  'Mongolian',
  'Myanmar',
  'New_Tai_Lue',
  'Newa',
  'Nko',
  'Nyiakeng_Puachue_Hmong',
  'Ol_Chiki',
  'Oriya',
  'Osage',
  'Saurashtra',
  'Sinhala',
  'Sundanese',
  'Syloti_Nagri',
  'Syriac',
  'Tai_Le',
  'Tai_Tham',
  'Tai_Viet',
  'Tamil',
  'Telugu',
  'Thaana',
  'Thai',
  'Tibetan',
  'Tifinagh',
  'Vai',
  'Wancho',
  'Yi',
] as const
const scripts = names.map(name => ({ name, has: new RegExp(`\\p{Script_Extensions=${name}}`, 'u') }))

/** Writing systems that mix scripts (UTS 39, table 1a). */
const systems: ReadonlyMap<string, readonly string[]> = new Map([
  ['Han', ['Hanb', 'Jpan', 'Kore']],
  ['Hiragana', ['Jpan']],
  ['Katakana', ['Jpan']],
  ['Hangul', ['Kore']],
  ['Bopomofo', ['Hanb']],
])

/** Digits, signs and marks of every script. */
const anywhere = /[\p{Script_Extensions=Common}\p{Script_Extensions=Inherited}]/u

/** The augmented script set of a character; undefined: it goes with every script. */
const setOf = (char: string): ReadonlySet<string> | undefined => {
  if (anywhere.test(char)) return undefined
  const found = scripts.flatMap(({ name, has }) => (has.test(char) ? name : []))
  return new Set(found.flatMap(name => [name, ...(systems.get(name) ?? [])]))
}

/** Scripts that every character of the text is of; undefined: any. */
const resolved = (chars: readonly string[]): ReadonlySet<string> | undefined =>
  chars.reduce<ReadonlySet<string> | undefined>((common, char) => {
    const set = setOf(char)
    return set === undefined ? common : common === undefined ? set : common.intersection(set)
  }, undefined)

/**
 * Of one script, by Script_Extensions and with the writing systems of Chinese, Japanese and Korean as one script each; or of one of
 * these three with Latin beside it, which nobody takes for one another: what UTS 39 calls highly restrictive.
 */
export const isOfOneScript = (text: string): boolean => {
  const chars = [...text]
  const whole = resolved(chars)
  if (whole === undefined || whole.size > 0) return true
  const rest = resolved(chars.filter(char => !/\p{Script=Latin}/u.test(char)))
  return rest !== undefined && ['Hanb', 'Jpan', 'Kore'].some(system => rest.has(system))
}
