/**
 * Makes src/domain/profile/confusables.ts of the look-alikes of Unicode (UTS 39, 4), as JSON of a character to what it looks like:
 * `npm pack unhomoglyph`, then `node scripts/confusables.ts package/data.json`. What no name can have is left out.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const WIDTH = 110
const [, , path = ''] = process.argv
const data: Readonly<Record<string, string>> = JSON.parse(readFileSync(path, 'utf8'))

/** Names are of letters, marks and digits, and are normalised before they are compared. */
const inNames = (char: string): boolean => /^[\p{L}\p{M}\p{N}]$/u.test(char) && char.normalize('NFKC') === char
const hex = (text: string): string => Array.from(text, char => char.codePointAt(0)?.toString(16) ?? '').join('+')

const byTarget = new Map<string, string[]>()
for (const [from, to] of Object.entries(data)) {
  if (!inNames(from)) continue
  const target = hex(to.normalize('NFKC'))
  byTarget.set(target, [...(byTarget.get(target) ?? []), hex(from)])
}
const words = [...byTarget].map(([target, sources]) => `${target}:${sources.toSorted().join()}`).toSorted()
const lines: string[] = []
for (const word of words.flatMap(each => each.split(/(?<=,)/))) {
  const last = lines.at(-1)
  // A group goes on where its line ends with a comma.
  const gap = last?.endsWith(',') ? '' : ' '
  if (last !== undefined && last.length + gap.length + word.length <= WIDTH) lines[lines.length - 1] = last + gap + word
  else lines.push(word)
}

const header = `/**
 * Characters that look like others: confusables.txt of Unicode 13.0.0 (UTS 39, 4;
 * https://www.unicode.org/Public/security/13.0.0/confusables.txt), as unhomoglyph 1.0.6 (MIT) of npm has it, without what no display name can
 * have. Made by scripts/confusables.ts. Copyright 1991-2020 Unicode, Inc., https://www.unicode.org/terms_of_use.html.
 */
`
const text = `${header}
/** \`to:from,from\` in hexadecimal, \`+\` between the characters of one text. */
const groups = \`
${lines.join('\n')}
\`

const textOf = (codes: string): string =>
  String.fromCodePoint(...codes.split('+').map(code => Number.parseInt(code, 16)))

/** A character to what it looks like. */
export const confusables: ReadonlyMap<string, string> = new Map(
  groups
    .replaceAll(',\\n', ',')
    .trim()
    .split(/\\s+/)
    .flatMap(group => {
      const [to = '', from = ''] = group.split(':')
      return from.split(',').map((source): readonly [string, string] => [textOf(source), textOf(to)])
    }),
)
`
writeFileSync(new URL('../src/domain/profile/confusables.ts', import.meta.url), text)
