/** What somebody wants: language, time zone, which notices, who may see what. Sealed under the account's key. */
import Type, { type Static } from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Json, type JsonObject, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { sameJson } from '../json.ts'
import { markOf, NO_MARK } from '../mark.ts'
import { refuse } from '../refusal.ts'
import { canonicalLanguage, primaryOf } from '../text/languages.ts'
import { type StatedEdits, staleEdits } from './profile.ts'
import { readTimeZone } from './time-zones.ts'

/** What is refused of preferences. */
export type PreferencesRefusal = 'time-zone-unknown'

// Stream

export const preferencesCategory = 'preferences'
export const preferencesStream = (accountId: string): string => streamName(preferencesCategory, accountId)

// Events

const text = Type.String({ minLength: 1 })
const strict = { additionalProperties: false }

/** Who may see something: strangers too, whoever is signed in, or only oneself and those with `accounts:read`. */
export const audiences = ['everybody', 'members', 'nobody'] as const
export type Audience = (typeof audiences)[number]
const audience = Type.Enum([...audiences])

/** `privy`: it is about the reader, or they have to know whom they deal with. */
export const isShownTo = (to: Audience, reader: { readonly privy: boolean; readonly signedIn: boolean }): boolean =>
  reader.privy || to === 'everybody' || (to === 'members' && reader.signedIn)

/**
 * `language` is that of mails; `timeZone` an IANA name, in which clients show times. `notifications` switch off what the live
 * channel `me` tells of `roles` granted and taken, and what is told there and by mail of `chapters` of what one follows, and of
 * `comments` that answer or mention one, or are on one's stories, of one's `reports` and the cases that one has claimed, and of what became of
 * one's `proposals`. Mails about the account itself are sent whatever is chosen. `privacy`: who may see the profile, list what one contributed to, and read one's display name there.
 * `adult`: stories for adults are among those that one is shown.
 */
export const PreferencesSchema = Type.Object(
  {
    language: Type.Enum(['en', 'es']),
    timeZone: text,
    notifications: Type.Object(
      {
        roles: Type.Boolean(),
        chapters: Type.Boolean(),
        comments: Type.Boolean(),
        reports: Type.Boolean(),
        proposals: Type.Boolean(),
      },
      strict,
    ),
    privacy: Type.Object({ profile: audience, activity: audience, contributions: audience }, strict),
    adult: Type.Boolean(),
  },
  strict,
)
export type Preferences = Static<typeof PreferencesSchema>

/** What those have who chose before there was more to choose. */
const unasked = {
  notifications: { roles: true, chapters: true, comments: true, reports: true, proposals: true },
  privacy: { profile: 'members', activity: 'everybody', contributions: 'everybody' },
} as const

const withUnasked = (data: JsonObject): JsonObject => {
  const { preferences, ...clear } = data
  if (typeof preferences !== 'object' || preferences === null || Array.isArray(preferences)) return clear
  return { ...clear, preferences: { ...preferences, ...unasked } }
}

/** Mails about roles could be switched off once. */
const withoutMails = (data: JsonObject): JsonObject => {
  const { preferences } = data
  if (typeof preferences !== 'object' || preferences === null || !('email' in preferences)) return data
  const { email: _, ...rest } = preferences
  return { ...data, preferences: rest }
}

const isMembers = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Nobody was asked about stories. */
const withoutStories = (data: JsonObject): JsonObject => {
  const { preferences } = data
  if (!isMembers(preferences)) return data
  const { notifications } = preferences
  const told = { ...(isMembers(notifications) ? notifications : unasked.notifications), chapters: true }
  return { ...data, preferences: { ...preferences, notifications: told, adult: false } }
}

/** Nor about comments. */
const withoutComments = (data: JsonObject): JsonObject => {
  const { preferences } = data
  if (!isMembers(preferences) || !isMembers(preferences['notifications'])) return data
  const notifications = { ...preferences['notifications'], comments: true }
  return { ...data, preferences: { ...preferences, notifications } }
}

/** Nor about reports and proposals. */
const withoutReports = (data: JsonObject): JsonObject => {
  const { preferences } = data
  if (!isMembers(preferences) || !isMembers(preferences['notifications'])) return data
  const notifications = { ...preferences['notifications'], reports: true, proposals: true }
  return { ...data, preferences: { ...preferences, notifications } }
}

/** All preferences after a change of some. */
export const PreferencesSet = eventType(
  'PreferencesSet',
  Type.Object(
    {
      accountId: text,
      preferences: Type.Object(PreferencesSchema.properties, { seal: 'subject', additionalProperties: false }),
    },
    strict,
  ),
  {
    subject: data => String(data['accountId']),
    version: 6,
    upcasters: { 1: withUnasked, 2: withoutMails, 3: withoutStories, 4: withoutComments, 5: withoutReports },
  },
)
export const preferencesEvents = [PreferencesSet] as const
export type PreferencesEvent = EventOf<typeof PreferencesSet>

// Fold

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
  ...unasked,
  adult: false,
})

export const preferencesAggregate: Aggregate<PreferencesState, PreferencesEvent> = {
  category: preferencesCategory,
  events: preferencesEvents,
  initial: { edits: 0, mark: NO_MARK },
  evolve: ({ edits }, { id, meta, data, removed }: Recorded<PreferencesEvent>) => ({
    edits: edits + 1,
    mark: markOf(id, meta.at),
    accountId: data.accountId,
    ...defined({ chosen: removed ? undefined : data.preferences }),
  }),
  route: ({ accountId }) => ({ visibility: 'owner', ...defined({ owner: accountId }) }),
}

// Decide

/** A member that is absent stays as it is; null takes it back to what it was at first. */
export type PreferencesChange = {
  readonly language?: string | null
  readonly timeZone?: string | null
  readonly notifications?: GroupChange<Preferences['notifications']>
  readonly privacy?: GroupChange<Preferences['privacy']>
  readonly adult?: boolean | null
}
type GroupChange<Group> = { readonly [Member in keyof Group]?: Group[Member] | null } | null

/** The members of one group after its change. */
const changed = <Group extends Readonly<Record<string, Json>>>(
  change: GroupChange<Group> | undefined,
  { now, first }: { readonly now: Group; readonly first: Group },
): Group => {
  if (change === undefined) return now
  if (change === null) return first
  const stated = Object.entries(change).flatMap(([member, value]) =>
    value === undefined ? [] : [[member, value ?? first[member]]],
  )
  return { ...now, ...Object.fromEntries(stated) }
}

const unknown = (pointer: string, code: 'language-unknown' | 'time-zone-unknown', detail: string) =>
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
  ): Decide<PreferencesState, PreferencesEvent, PreferencesRefusal> =>
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
    const next: Preferences = {
      language: language ?? (change.language === null ? first : now).language,
      timeZone: timeZone ?? (change.timeZone === null ? first : now).timeZone,
      notifications: changed(change.notifications, { now: now.notifications, first: first.notifications }),
      privacy: changed(change.privacy, { now: now.privacy, first: first.privacy }),
      adult: change.adult === undefined ? now.adult : (change.adult ?? first.adult),
    }
    return sameJson(next, now) ? [] : [{ type: 'PreferencesSet', data: { accountId, preferences: next } }]
  }
