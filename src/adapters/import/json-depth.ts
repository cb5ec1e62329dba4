/** How deep a JSON text nests, before a parser is made to dig. */
export const depthOf = (text: string): number => {
  let deepest = 0
  let level = 0
  let quoted = false
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i)
    if (quoted) {
      if (code === 92) i += 1
      else if (code === 34) quoted = false
    } else if (code === 34) quoted = true
    else if (code === 123 || code === 91) {
      level += 1
      if (level > deepest) deepest = level
    } else if (code === 125 || code === 93) level -= 1
  }
  return deepest
}
