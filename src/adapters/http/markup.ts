/** Text in XML: what Atom feeds and EPUB books are written with. */

// XML 1.0 (2.2) has no place for C0 controls but TAB, LF and CR, for halves of surrogate pairs, for U+FFFE and U+FFFF.
const unfit = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

const entities: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
])

/** The text as it stands in an element or an attribute; what XML cannot hold is left out. */
export const escaped = (text: string): string =>
  text.replaceAll(unfit, '').replaceAll(/[&<>"']/g, char => entities.get(char) ?? char)

/** An element with text alone. `attributes` in the order given; those that are undefined are left out. */
export const element = (
  name: string,
  text: string,
  attributes: Readonly<Record<string, string | undefined>> = {},
): string => `${opening(name, attributes)}>${escaped(text)}</${name}>`

/** An element with nothing in it. */
export const emptyElement = (name: string, attributes: Readonly<Record<string, string | undefined>>): string =>
  `${opening(name, attributes)}/>`

const opening = (name: string, attributes: Readonly<Record<string, string | undefined>>): string => {
  let text = `<${name}`
  for (const [attribute, value] of Object.entries(attributes))
    if (value !== undefined) text += ` ${attribute}="${escaped(value)}"`
  return text
}
