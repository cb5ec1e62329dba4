/** How somebody wants to be written to: language, time zone, which mails. Sealed under the account's key. */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { markOf, NO_MARK } from '../mark.ts'
import { type Refusal, refuse } from '../refusal.ts'
import { canonicalLanguage, primaryOf } from '../text/languages.ts'
import { type StatedEdits, staleEdits } from './profile.ts'
import { readTimeZone } from './time-zones.ts'

// Stream

export const preferencesCategory = 'preferences'
export const preferencesStream = (accountId: string): string => streamName(preferencesCategory, accountId)

// Events

const text = Type.String({ minLength: 1 })
const Preferences = Type.Object(
  {
    language: Type.Enum(['en', 'es']),
    timeZone: text,
    email: Type.Object({ roles: Type.Boolean() }, { additionalProperties: false }),
  },
  { additionalProperties: false },
)

/** All preferences after a change of some. */
export const PreferencesSet = eventType(
  'PreferencesSet',
  Type.Object(
    {
      accountId: text,
      preferences: Type.Object(Preferences.properties, { seal: 'subject', additionalProperties: false }),
    },
    { additionalProperties: false },
  ),
  { subject: data => String(data['accountId']) },
)
export const preferencesEvents = [PreferencesSet] as const
export type PreferencesEvent = EventOf<typeof PreferencesSet>

// Fold

/**
 * `language` is that of mails; `timeZone` an IANA name, in which clients show times; `email.roles`: a mail when roles are
 * granted or taken. What concerns the safety of the account is mailed whatever is chosen.
 */
export type Preferences = {
  readonly language: 'en' | 'es'
  readonly timeZone: string
  readonly email: { readonly roles: boolean }
}
export type PreferencesState = {
  readonly edits: number
  /** Of the last edit (src/domain/mark.ts). */
  readonly mark: string
  readonly accountId?: string
  readonly chosen?: Preferences
}

/** Until somebody chooses: the language of the sign-up. */
export const defaultPreferences = (locale: 'en' | 'es'): Preferences => ({
  language: locale,
  timeZone: 'UTC',
  email: { roles: true },
})

export const preferencesAggregate: Aggregate<PreferencesState, PreferencesEvent> = {
  category: preferencesCategory,
  events: preferencesEvents,
  initial: { edits: 0, mark: NO_MARK },
  evolve: ({ edits }, { id, meta, data, removed }: Recorded<PreferencesEvent>) => ({
    edits: edits + 1,
    mark: markOf(id, meta.at),
    accountId: data.accountId,
    ...(!removed && { chosen: data.preferences }),
  }),
  route: ({ accountId }) => ({ visibility: 'owner', ...defined({ owner: accountId }) }),
}

// Decide

/** A member that is absent stays as it is; null takes it back to what it was at first. */
export type PreferencesChange = {
  readonly language?: string | null
  readonly timeZone?: string | null
  readonly email?: { readonly roles?: boolean | null } | null
}

const unknown = (pointer: string, code: 'language-unknown' | 'time-zone-unknown', detail: string): Refusal =>
  refuse(code, detail, { errors: [{ pointer, code: 'unknown', detail }] })

const languageOf = (given: string): 'en' | 'es' | undefined => {
  const language = primaryOf(canonicalLanguage(given) ?? '')
  return language === 'en' || language === 'es' ? language : undefined
}

export const setPreferences =
  (
    { accountId, locale }: { readonly accountId: string; readonly locale: 'en' | 'es' },
    change: PreferencesChange,
    stated: StatedEdits,
  ): Decide<PreferencesState, PreferencesEvent> =>
  ({ edits, mark, chosen }) => {
    const stale = staleEdits(stated, { edits, mark })
    if (stale) return stale
    const first = defaultPreferences(locale)
    const now = chosen ?? first
    const language = typeof change.language === 'string' ? languageOf(change.language) : (change.language ?? undefined)
    if (typeof change.language === 'string' && !language)
      return unknown('/language', 'language-unknown', 'Mails are written in en and es.')
    const timeZone = typeof change.timeZone === 'string' ? readTimeZone(change.timeZone) : undefined
    if (typeof change.timeZone === 'string' && timeZone === undefined)
      return unknown(
        '/timeZone',
        'time-zone-unknown',
        'The time zone is none of the IANA table, such as Europe/Madrid.',
      )
    const roles = change.email === null ? first.email.roles : change.email?.roles
    const next: Preferences = {
      language: language ?? (change.language === null ? first : now).language,
      timeZone: timeZone ?? (change.timeZone === null ? first : now).timeZone,
      email: { roles: roles ?? (change.email?.roles === null ? first : now).email.roles },
    }
    const same =
      next.language === now.language && next.timeZone === now.timeZone && next.email.roles === now.email.roles
    return same ? [] : [{ type: 'PreferencesSet', data: { accountId, preferences: next } }]
  }
