/** How much is taken of whom, and how what people write is looked at before others see it. */
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

/** `hideWeight`: what reports weigh that hide something; 0: none do. */
export type Moderation = { readonly hideWeight: number }

export const readModeration = ({ required }: Reader): Moderation => ({
  hideWeight: required('LEXICHRON_REPORTS_HIDE', '12'),
})
