/**
 * A text as events carry it: a whole, or the splices that make it of the one before; deflated (RFC 1951) and in base64, in parts
 * where that is more than an event takes.
 */
import { hash } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { MOST_DIFFERENCES, MOST_TEXT, PART_LENGTH } from './limits.ts'
import { isSplices, spliced, splicesBetween } from './splices.ts'

/** SHA-256 in base64url. */
export const digestOf = (text: string): string => hash('sha256', text, 'base64url')

/** Level 3 takes 8 ms for the longest chapter, and makes it a sixth larger than 6 does, which takes 30. */
const LEVEL = 3
/** No code point takes more in UTF-8, or as an escape in the JSON of splices, of which each has a few numbers beside. */
const MOST_BYTES = 16 * MOST_TEXT

export const pack = (text: string): string => deflateRawSync(text, { level: LEVEL }).toString('base64')

/** undefined: it is none of ours, or more than any text. */
export const unpack = (packed: string): string | undefined => {
  try {
    return inflateRawSync(Buffer.from(packed, 'base64'), { maxOutputLength: MOST_BYTES }).toString('utf8')
  } catch {
    return undefined
  }
}

/** What events carry of a packed text: all of it, or in parts that come before, each named by its digest. */
export const partsOf = (packed: string): readonly string[] => {
  const parts: string[] = []
  for (let at = 0; at < packed.length; at += PART_LENGTH) parts.push(packed.slice(at, at + PART_LENGTH))
  return parts
}

/** One step from a text to the next. `base` is the digest of the text that splices are of. */
export type Step = {
  readonly form: 'whole' | 'splices'
  readonly base?: string
  readonly digest: string
  readonly packed: string
}

/** What is known of the steps before: how many characters the last whole takes packed, how many steps were splices since, and what these take. */
export type Since = { readonly whole: number; readonly differences: number; readonly size: number }

/** Splices are worth while below this part of a whole. */
const WORTH = 0.3

const wholeOf = (text: string, digest: string): Step => ({ form: 'whole', digest, packed: pack(text) })

/**
 * The step to a text: splices, or a whole where there is none before, splices take more than 30% of it, or all since the last one
 * more than it does. So any revision is read from two wholes at most, in bytes.
 */
export const stepTo = (
  text: string,
  digest: string,
  before?: { readonly text: string; readonly digest: string; readonly since: Since },
): Step => {
  if (!before || before.since.differences >= MOST_DIFFERENCES) return wholeOf(text, digest)
  const { whole, size } = before.since
  const packed = pack(JSON.stringify(splicesBetween(before.text, text)))
  if (packed.length > WORTH * whole || size + packed.length > whole) return wholeOf(text, digest)
  return { form: 'splices', base: before.digest, digest, packed }
}

const read = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/** The text after a step; undefined where it is not the one that the step names. */
export const stepped = (before: string | undefined, { form, digest, packed }: Step): string | undefined => {
  const content = unpack(packed)
  if (content === undefined) return undefined
  const splices = form === 'splices' ? read(content) : undefined
  const text =
    form === 'whole' ? content : before !== undefined && isSplices(splices) ? spliced(before, splices) : undefined
  return text !== undefined && digestOf(text) === digest ? text : undefined
}
