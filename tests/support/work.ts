/** Work that is counted instead of timed: the same on a busy machine. */
import MarkdownIt from 'markdown-it'

/** UTF-16 units of all texts that were normalised meanwhile: what is normalised costs up to the square of its length. */
export const unitsNormalised = async (work: () => Promise<void>): Promise<number> => {
  const { normalize } = String.prototype
  let units = 0
  String.prototype.normalize = function (this: string, form?: string): string {
    units += this.length
    return normalize.call(this, form)
  }
  try {
    await work()
  } finally {
    String.prototype.normalize = normalize
  }
  return units
}

/** Texts whose markup this thread has parsed meanwhile. */
export const markupParsed = async (work: () => Promise<void>): Promise<number> => {
  const { parse } = MarkdownIt.prototype
  let texts = 0
  MarkdownIt.prototype.parse = function (src, env) {
    texts += 1
    return parse.call(this, src, env)
  }
  try {
    await work()
  } finally {
    MarkdownIt.prototype.parse = parse
  }
  return texts
}
