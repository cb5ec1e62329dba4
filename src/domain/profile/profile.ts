/** What people say of themselves: display name, a few words, languages. All of it is sealed under the account's key. */
import Type from 'typebox'
import type { Aggregate, Decide } from '../decider.ts'
import { defined } from '../defined.ts'
import { type EventOf, eventType, type Recorded } from '../event.ts'
import { streamName } from '../ids.ts'
import { isStated, markOf, NO_MARK, type StatedRevision } from '../mark.ts'
import { type CommonRefusal, type Refusal, refuse, type TextRefusal } from '../refusal.ts'
import { NOT_A_LANGUAGE, registeredLanguage } from '../text/registered-languages.ts'
import { readText } from '../text/text.ts'

// Stream

export const profileCategory = 'profile'
export const profileStream = (accountId: string): string => streamName(profileCategory, accountId)

// Events

const text = Type.String({ minLength: 1 })
const sealed = { seal: 'subject' as const }

/** The profile as a whole after an edit. `claim` is the stream of the display name's claim; what is absent is not said. */
export const ProfileEdited = eventType(
  'ProfileEdited',
  Type.Object(
    {
      accountId: text,
      claim: Type.Optional(text),
      displayName: Type.Optional(Type.String({ minLength: 1, ...sealed })),
      bio: Type.Optional(Type.String({ minLength: 1, ...sealed })),
      languages: Type.Array(text, sealed),
    },
    { additionalProperties: false },
  ),
  { subject: data => String(data['accountId']) },
)
export const profileEvents = [ProfileEdited] as const
export type ProfileEvent = EventOf<typeof ProfileEdited>

// Fold

/** `edits` counts them, and `mark` is that of the last one: what If-Match states. */
export type Profile = {
  readonly edits: number
  readonly mark: string
  readonly accountId?: string
  readonly claim?: string
  readonly displayName?: string
  readonly bio?: string
  readonly languages: readonly string[]
}

const evolveProfile = ({ edits }: Profile, { id, meta, data, removed }: Recorded<ProfileEvent>): Profile => {
  const { accountId, claim } = data
  const known = { accountId, ...defined({ claim }), edits: edits + 1, mark: markOf(id, meta.at) }
  if (removed) return { ...known, languages: [] }
  const { displayName, bio, languages } = data
  return {
    ...known,
    languages,
    ...defined({ displayName, bio }),
  }
}

export const profileAggregate: Aggregate<Profile, ProfileEvent> = {
  category: profileCategory,
  events: profileEvents,
  initial: { edits: 0, mark: NO_MARK, languages: [] },
  evolve: evolveProfile,
  route: ({ accountId }) => ({ visibility: 'owner', ...defined({ owner: accountId }) }),
}

// Decide

/** How many edits the client has seen, and which was the last, one of these; absent: it does not say. */
export type StatedEdits = readonly StatedRevision[] | undefined

/** The refusal of an If-Match that names no current state. */
export const staleEdits = (
  stated: StatedEdits,
  { edits, mark }: { readonly edits: number; readonly mark: string },
): Refusal<CommonRefusal> | undefined =>
  stated === undefined || stated.some(each => isStated(each, BigInt(edits), mark))
    ? undefined
    : refuse('revision-stale', 'If-Match names a revision that is not the current one: read again and decide again.', {
        context: { currentRevision: String(edits) },
      })

/** A member that is absent stays as it is; null removes it. `claimed`: the claim of the name was made for this edit. */
export type ProfileChange = {
  readonly displayName?: { readonly name: string; readonly claim: string; readonly claimed: boolean } | null
  readonly bio?: string | null
  readonly languages?: readonly string[] | null
}

const BIO_LENGTH = 500
const MOST_LANGUAGES = 20

const at = (pointer: string, code: 'text-invalid' | 'language-unknown', detail: string): Refusal<TextRefusal> =>
  refuse(code, detail, { errors: [{ pointer, code: 'format', detail }] })

/** The words about oneself as they are kept: 500 characters, lines allowed. Blank ones are none. */
export const readBio = (given: string): string | null | Refusal<TextRefusal> => {
  if (given.trim() === '') return null
  const { text, fault } = readText(given.trim(), { max: BIO_LENGTH, multiline: true })
  return fault === undefined ? text : at('/bio', 'text-invalid', fault)
}

/** Canonical tags of registered languages, each once. */
export const readLanguages = (given: readonly string[]): readonly string[] | Refusal<TextRefusal> => {
  if (given.length > MOST_LANGUAGES)
    return at('/languages', 'text-invalid', `Name ${MOST_LANGUAGES} languages at most.`)
  const found = given.map(each => registeredLanguage(each))
  const wrong = found.indexOf(undefined)
  if (wrong >= 0) return at(`/languages/${wrong}`, 'language-unknown', NOT_A_LANGUAGE)
  return [...new Set(found.flatMap(each => each ?? []))]
}

const kept = <T>(change: T | null | undefined, now: T | undefined): T | undefined =>
  change === undefined ? now : (change ?? undefined)

/** Edits the profile. A name whose claim was not made anew has to be the one that the profile names. */
export const editProfile =
  (accountId: string, change: ProfileChange, stated: StatedEdits): Decide<Profile, ProfileEvent, never> =>
  now => {
    const stale = staleEdits(stated, now)
    if (stale) return stale
    const { displayName: name } = change
    if (name && !name.claimed && name.claim !== now.claim)
      return refuse('conflict', 'The name was changed at the same moment; try again.')
    const displayName = kept(name === null ? null : name?.name, now.displayName)
    const claim = kept(name === null ? null : name?.claim, now.claim)
    const bio = kept(change.bio, now.bio)
    const languages = change.languages === undefined ? now.languages : (change.languages ?? [])
    const same = displayName === now.displayName && bio === now.bio && languages.join() === now.languages.join()
    if (same) return []
    return [
      {
        type: 'ProfileEdited',
        data: {
          accountId,
          ...defined({ claim }),
          languages: [...languages],
          ...defined({ displayName, bio }),
        },
      },
    ]
  }
