/**
 * How much there is to read of a text, by letters alone: a segmenter of words takes 229 ms for a tenth of the longest chapter
 * (reference/stories.md, 0), and this is counted with each save.
 */

// Scripts that set no spaces: each letter counts, as elsewhere (AO3, config.CHARACTER_COUNT_SCRIPTS). All others: a run of letters, marks
// and digits, with what joins them inside of a word.
const counted =
  /(?!\p{M})[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}])[\p{L}\p{N}][\p{M}'’]*)+/gu
// Texts of the first 768 code points and of Greek and Cyrillic have none of those scripts: a cheaper pattern counts the same.
const plain = /[\p{L}\p{N}][\p{L}\p{N}\p{M}'’]*/gu
const unspaced =
  /[\u0e00-\u0e7f\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u{16fe0}-\u{16fff}\u{1aff0}-\u{1b16f}\u{1f200}-\u{1f2ff}\u{20000}-\u{3ffff}]/u

export const countWords = (text: string): number => {
  const pattern = new RegExp(unspaced.test(text) ? counted : plain)
  let words = 0
  while (pattern.test(text)) words += 1
  return words
}

/** Words a minute, read silently: Brysbaert 2019, 238 on the average. */
const WORDS_A_MINUTE = 240

/** Whole minutes; a text that has words takes one at least. */
export const readingMinutes = (words: number): number => Math.ceil(words / WORDS_A_MINUTE)

/** Code points of a well-formed text, counted without a copy of it. */
export const lengthOf = (text: string): number => {
  let units = text.length
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit >= 0xd800 && unit < 0xdc00) units -= 1
  }
  return units
}
