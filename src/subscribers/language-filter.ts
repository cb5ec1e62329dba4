/** The member of channels by which what is in a language is chosen. */
import type { FilterMember } from '../core/live/filter-members.ts'
import { registeredLanguage } from '../domain/text/registered-languages.ts'

export const languageMember: FilterMember = {
  judge: value => registeredLanguage(value) ?? { has: 'to be a BCP 47 tag of a registered language' },
  fits: ({ meta }, value) => meta.route.language?.toLowerCase() === value.toLowerCase(),
}
