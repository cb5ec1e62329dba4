/** Is a text well-formed XML 1.0, as far as documents go that have no DTD? What is wrong with it is thrown. */
const token =
  /<\?xml[^?]*\?>|<!--[\s\S]*?-->|<(\/?)([A-Za-z_][\w.:-]*)((?:\s+[A-Za-z_][\w.:-]*="[^"<]*")*)\s*(\/?)>|[^<]+|</g
const reference = /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)/
const unfit = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

/** The names of its elements, in the order in which they open. @throws {Error} when it is not well-formed. */
export const elementsOf = (xml: string): readonly string[] => {
  const fault = (what: string): Error => new Error(`not well-formed: ${what} in ${xml.slice(0, 2_000)}`)
  if (unfit.test(xml)) throw fault('a character that is none of XML')
  if (reference.test(xml)) throw fault(`a reference to nothing: ${reference.exec(xml)?.index}`)
  const open: string[] = []
  const names: string[] = []
  let roots = 0
  for (const [whole, end, name, attributes = '', empty] of xml.matchAll(token)) {
    if (whole === '<') throw fault('a bare <')
    if (name === undefined) {
      if (!whole.startsWith('<') && open.length === 0 && whole.trim() !== '') throw fault('text outside the root')
      continue
    }
    if (end) {
      if (open.pop() !== name) throw fault(`</${name}>`)
      continue
    }
    const given = [...attributes.matchAll(/\s([\w.:-]+)=/g)].map(([, attribute]) => attribute)
    if (new Set(given).size < given.length) throw fault(`an attribute twice in <${name}>`)
    if (open.length === 0) roots += 1
    names.push(name)
    if (!empty) open.push(name)
  }
  if (open.length > 0) throw fault(`<${open.at(-1)}> is not closed`)
  if (roots !== 1) throw fault(`${roots} roots`)
  return names
}
