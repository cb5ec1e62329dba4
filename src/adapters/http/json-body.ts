/** JSON bodies: strict UTF-8, 32 levels at most, each member once, no lone surrogates. */
import { isUtf8 } from 'node:buffer'
import { pointerMember } from '../../domain/json.ts'
import { ProblemError } from './problems.ts'

export const MAX_DEPTH = 32
/** Members of one object: none that is taken has thirty, and a body of 1 MiB holds 90,000. */
export const MAX_MEMBERS = 1_000

const QUOTE = 34
const BACKSLASH = 92
const COMMA = 44
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125
const OPEN_ARRAY = 91
const CLOSE_ARRAY = 93

const invalid = (detail: string): ProblemError => new ProblemError('json-invalid', detail)

const endOfString = (text: string, start: number): number => {
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH) at += 1
    else if (code === QUOTE) return at
  }
  throw invalid('The body is not JSON: a string does not end.')
}

/** The text that a key stands for; `JSON.parse` alone says what is an escape. */
const keyOf = (text: string, start: number, end: number): string => {
  const raw = text.slice(start, end)
  if (!raw.includes('\\')) return raw
  try {
    return String(JSON.parse(`"${raw}"`))
  } catch {
    throw invalid('The body is not JSON: a member has a broken escape.')
  }
}

/**
 * One pass over the text before it is parsed: depth and repeated members, which `JSON.parse` does not tell. Of a text that
 * is no JSON it says nothing; the parser does. Iterative: a hostile body nests as deep as it is long.
 */
const inspect = (text: string): void => {
  // A set for each open object, undefined for an open array.
  const open: (Set<string> | undefined)[] = []
  let keyNext = false
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at + 1)
        const keys = open.at(-1)
        if (keyNext && keys) {
          const key = keyOf(text, at + 1, end)
          if (key === '__proto__') throw invalid('A member may not be called __proto__.')
          if (keys.has(key))
            throw invalid(`The member ${JSON.stringify(key.slice(0, 100))} occurs twice in one object.`)
          if (keys.add(key).size > MAX_MEMBERS)
            throw new ProblemError(
              'validation',
              `The body is not what this route takes: an object has more than ${MAX_MEMBERS} members.`,
            )
          keyNext = false
        }
        at = end
        break
      }
      case OPEN_OBJECT:
      case OPEN_ARRAY: {
        const isObject = text.charCodeAt(at) === OPEN_OBJECT
        if (open.push(isObject ? new Set() : undefined) > MAX_DEPTH)
          throw new ProblemError('json-too-deep', `The body nests more than ${MAX_DEPTH} levels deep.`)
        keyNext = isObject
        break
      }
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        open.pop()
        keyNext = false
        break
      case COMMA:
        keyNext = open.at(-1) !== undefined
        break
      default:
    }
  }
}

/** Pointers (RFC 6901) of the strings and members with lone surrogates. */
const illFormed = (value: unknown, pointer: string): readonly string[] => {
  if (typeof value === 'string') return value.isWellFormed() ? [] : [pointer]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key.isWellFormed() ? illFormed(inner, `${pointer}/${pointerMember(key)}`) : [pointer || '/'],
  )
}

/** The body's value; an empty body is `{}`. @throws {ProblemError} json-invalid, json-too-deep, text-invalid. */
export const parseJsonBody = (bytes: Buffer): unknown => {
  if (bytes.length === 0) return {}
  if (!isUtf8(bytes)) throw invalid('The body is not valid UTF-8.')
  const text = bytes.toString('utf8')
  inspect(text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid('The body is not JSON.')
  }
  // Valid UTF-8 holds no surrogates, so only an escape can make one.
  const broken = /\\u[dD][89a-fA-F]/.test(text) ? illFormed(value, '') : []
  if (broken.length > 0)
    throw new ProblemError('text-invalid', 'Some text has a lone surrogate.', {
      errors: broken
        .slice(0, 20)
        .map(pointer => ({ pointer, code: 'text-invalid', detail: 'This has a lone surrogate.' })),
    })
  return value
}
