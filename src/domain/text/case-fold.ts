/**
 * Full case folding (Unicode, 3.13, D145: canonical caseless matching): two texts are the same but for case where what this
 * gives is the same. Each code point by itself, so that no letter's neighbours count: a final sigma is a sigma.
 */

/** Has no other case outside of Turkish (CaseFolding.txt, status T), though its capital is that of another letter. */
const DOTLESS_I = 'ı'

const foldOne = (letter: string): string =>
  letter === DOTLESS_I ? letter : letter.toLowerCase().toUpperCase().toLowerCase()

/** In NFC. `Straße` and `STRASSE` are one, `ΟΔΟΣ` and `οδος` too. */
export const caseFold = (text: string): string =>
  [...text.normalize('NFD')]
    // Of one that becomes several each is folded by itself again: lower case of many would look at neighbours.
    .map(letter => [...foldOne(letter)].map(foldOne).join(''))
    .join('')
    .normalize('NFC')
