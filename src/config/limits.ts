/** How much is taken of whom, and how what people write is looked at before others see it. */
import { resolve } from 'node:path'
import { defined } from '../domain/defined.ts'
import type { SettingName, SettingValue } from './settings.ts'

/** Requests a minute and account; `streams` is how many long answers at once. */
export type Limits = {
  readonly reads: number
  readonly suggest: number
  readonly search: number
  readonly writes: number
  readonly signIns: number
  readonly streams: number
  /** Units a minute of an address without an account, and of an account. */
  readonly addressWork: number
  readonly accountWork: number
  /** Comments of a new account within fifteen minutes. */
  readonly newComments: number
  /** Reports a day and account, of all and of what one other account wrote. */
  readonly reports: number
  readonly reportsAbout: number
}

/** Settings one by one; `required` has a default where nothing is said. */
type Reader = {
  readonly required: <Name extends SettingName>(name: Name, fallback: string) => SettingValue<Name>
  readonly optional: <Name extends SettingName>(name: Name) => SettingValue<Name> | undefined
}

export const readLimits = ({ required }: Reader): Limits => ({
  reads: required('LEXICHRON_LIMIT_READS', '600'),
  suggest: required('LEXICHRON_LIMIT_SUGGEST', '1200'),
  search: required('LEXICHRON_LIMIT_SEARCH', '120'),
  writes: required('LEXICHRON_LIMIT_WRITES', '60'),
  signIns: required('LEXICHRON_LIMIT_SIGN_INS', '10'),
  addressWork: required('LEXICHRON_LIMIT_WORK_ADDRESS', '6000'),
  accountWork: required('LEXICHRON_LIMIT_WORK_ACCOUNT', '30000'),
  streams: required('LEXICHRON_LIMIT_STREAMS', '2'),
  newComments: required('LEXICHRON_LIMIT_NEW_COMMENTS', '3'),
  reports: required('LEXICHRON_LIMIT_REPORTS', '20'),
  reportsAbout: required('LEXICHRON_LIMIT_REPORTS_ABOUT', '5'),
})

/**
 * `hideWeight`: what reports weigh that hide something; 0: none do. `newLinks`: links of a new account that are not looked at; `repeatMinutes`: for so long the same
 * is not said twice; 0: no limit. `words`: the file of the list, absolute.
 */
export type Moderation = {
  readonly hideWeight: number
  readonly newLinks: number
  readonly repeatMinutes: number
  readonly words?: string
}

export const readModeration = ({ required, optional }: Reader, cwd: string): Moderation => {
  const words = optional('LEXICHRON_WORDS')
  return {
    hideWeight: required('LEXICHRON_REPORTS_HIDE', '12'),
    newLinks: required('LEXICHRON_LIMIT_NEW_LINKS', '2'),
    repeatMinutes: required('LEXICHRON_REPEAT_MINUTES', '6'),
    ...defined({ words: words === undefined ? undefined : resolve(cwd, words) }),
  }
}
