/** What was asked for, for those who keep answers: an address, and whether there are people's words in it. */
import { isObject } from '../../domain/json.ts'
/** One shared answer that was asked for. `typed`: with words that somebody wrote. */
export type Asked = { readonly path: string; readonly query: unknown; readonly typed: boolean }

/** A subtag of one character begins what nobody has registered (RFC 5646, 2.2.6 and 2.2.7): the rest is anybody's words. */
const PRIVATE = /(^|-)[a-z0-9](-|$)/i

/** Has the query none but these parameters, and no language with private words in it? */
export const isClosed = (closed: readonly string[] = [], query: unknown): boolean =>
  !isObject(query) ||
  Object.entries(query).every(
    ([name, value]) => closed.includes(name) && (typeof value !== 'string' || !PRIVATE.test(value)),
  )
