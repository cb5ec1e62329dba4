/** What is said of links in mails that are no good: the same of a wrong one, whatever its address is. */
import { type Refusal, refuse } from '../refusal.ts'

export const linkInvalid = (): Refusal =>
  refuse('link-invalid', 'This link was not made here, is copied only in part, or a later mail has taken its place.')
export const linkExpired = (): Refusal => refuse('link-expired', 'This link is too old: ask for another one.')
