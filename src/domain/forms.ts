/** The forms that texts of the interface have: each a pattern for schemas, and what it is in words, since nobody reads a pattern. */

const HEX = '[0-9a-fA-F]'
/** An id as people write it, in either case (RFC 9562, 4). */
export const UUID = `^${HEX}{8}-${HEX}{4}-${HEX}{4}-${HEX}{4}-${HEX}{12}$`
/** A day as ISO 8601 has it; whether the calendar has it is another question. */
export const DAY = '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
/** A calendar year. */
export const YEAR = '^[0-9]{4}$'
/** A time by some clock, without an offset; whether that clock shows it is another question. */
export const LOCAL_TIME = '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?$'
/** The revision of an entry. */
export const REVISION = '^(0|[1-9][0-9]{0,14})$'
/** The name of a stream: its category and an id. */
export const STREAM = '^[a-z][a-z0-9]*-[A-Za-z0-9._~-]{1,150}$'
const id = UUID.slice(1, -1).replaceAll(HEX, '[0-9a-f]')
/** What a case is about, its kind and its id. */
export const CASE = `^(comment|story|chapter|entry|account)-${UUID.slice(1, -1)}$`
/** Who acted, as filters of the history name them. */
export const ACTOR = `^((account|service|import|system)|((account|service|import|system):)?${id})$`
/** Visible ASCII. */
export const VISIBLE = '^[!-~]{1,128}$'

/** Half a surrogate pair is no text, and could not be said again. */
export const WELL_FORMED = '^\\P{Cs}*$'

/** Not blank. */
export const SAID = '\\S'
/** What stands behind `address-` in the name of a stream: the version of a key, and a hash under it. */
export const ADDRESS_HASH = '^[0-9]{1,9}\\.[A-Za-z0-9_-]{43}$'

const words: ReadonlyMap<string, string> = new Map([
  [UUID, 'an id, such as 501a48e3-b4ec-5dec-be9f-e904d6447fe3'],
  [DAY, 'a day, such as 2026-11-23'],
  [YEAR, 'a year, such as 2026'],
  [LOCAL_TIME, 'a date and a time without an offset, such as 2026-12-24T18:00'],
  [REVISION, 'the number of a revision, such as 0 or 12'],
  [STREAM, 'the name of a stream, such as entry-501a48e3-b4ec-5dec-be9f-e904d6447fe3'],
  [CASE, 'the id of a case, such as comment-501a48e3-b4ec-5dec-be9f-e904d6447fe3'],
  [ACTOR, 'an id, a kind (account, service, import, system), or kind:id'],
  [WELL_FORMED, 'well-formed Unicode'],
  [SAID, 'more than blanks'],
  [ADDRESS_HASH, 'what stands behind address- in the name of a stream'],
  [VISIBLE, '1 to 128 visible ASCII characters'],
])

/** What a text of that form is, to follow "has to be". */
export const formOf = (pattern: unknown): string => words.get(String(pattern)) ?? 'of another form'
