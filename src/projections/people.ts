/**
 * Display names, and who may see what of whom, in this node's memory. A name that is changed, hidden or erased is so in
 * every answer from the moment that this node hears of it, since names are put into answers as these are sent and kept nowhere else.
 * The token follower feeds it, with the accounts that it reads anyway.
 */
import type { Reader } from '../core/query/define.ts'
import { AccountErased, ErasureBegun } from '../domain/account/erasure-events.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import { idOf } from '../domain/ids.ts'
import {
  defaultPreferences,
  isShownTo,
  type Preferences,
  PreferencesSet,
  preferencesCategory,
} from '../domain/profile/preferences.ts'
import { ProfileEdited, profileCategory } from '../domain/profile/profile.ts'

/** Beside those of accounts. */
export const peopleCategories: readonly string[] = [profileCategory, preferencesCategory]

type Choices = Pick<Preferences, 'privacy' | 'notifications' | 'adult'>
/** `gone`: erased, or about to be. The name is then the one that stays with what was written, if any does. */
type Person = { readonly name?: string; readonly choices?: Choices; readonly gone?: true }

export type People = {
  /** Folds one event; any other kind is passed over. */
  apply(event: Recorded): void
  /** The display name, where this reader may see it beside what the person contributed. */
  nameFor(id: string, reader: Reader): string | undefined
  /** May this reader list what the person contributed to? */
  listsFor(id: string, reader: Reader): boolean
  /** Is the person told of this on the live feed? */
  wants(id: string, notice: keyof Preferences['notifications']): boolean
  /** Does the person want to be shown what is for adults? */
  wantsAdult(id: string): boolean
  /** Those of whom something is kept. */
  count(): number
}

const standard: Choices = defaultPreferences('en')

/** Who looks at what is about the account `id`. Who is suspended is no member meanwhile. */
export const onlookerAt = (id: string, { actor, permissions }: Reader) => ({
  privy: actor?.id === id || permissions.has('accounts:read'),
  signedIn: permissions.has('account:use'),
})

export const foldPeople = (): People => {
  const people = new Map<string, Person>()
  const choicesOf = (id: string): Choices => people.get(id)?.choices ?? standard

  const put = (id: string, person: Person): void => {
    // Most people have said nothing: nothing is kept of them.
    if (Object.keys(person).length > 0) people.set(id, person)
    else people.delete(id)
  }
  const change = ({ type, stream, data, removed }: Recorded): void => {
    const id = idOf(stream)
    const known = people.get(id) ?? {}
    if (type === ErasureBegun.type || type === AccountErased.type) {
      const { attribution } = data
      put(id, { gone: true, ...defined({ name: typeof attribution === 'string' ? attribution : undefined }) })
    } else if (known.gone) {
      // What comes late changes nothing.
    } else if (type === ProfileEdited.type) {
      const { name: _, ...rest } = known
      const { displayName } = data
      put(id, { ...rest, ...defined({ name: typeof displayName === 'string' ? displayName : undefined }) })
    } else {
      const { choices: _, ...rest } = known
      put(id, { ...rest, ...defined({ choices: removed ? undefined : choicesIn(data) }) })
    }
  }

  return {
    apply: event => {
      if (types.has(event.type)) change(event)
    },
    nameFor: (id, reader) => {
      const person = people.get(id)
      if (person?.name === undefined) return undefined
      const seen = person.gone === true || isShownTo(choicesOf(id).privacy.contributions, onlookerAt(id, reader))
      return seen ? person.name : undefined
    },
    listsFor: (id, reader) => isShownTo(choicesOf(id).privacy.activity, onlookerAt(id, reader)),
    wants: (id, notice) => choicesOf(id).notifications[notice],
    wantsAdult: id => choicesOf(id).adult,
    count: () => people.size,
  }
}

const types: ReadonlySet<string> = new Set([
  ProfileEdited.type,
  PreferencesSet.type,
  ErasureBegun.type,
  AccountErased.type,
])

const isSet = (data: Recorded['data']): data is Recorded['data'] & { readonly preferences: Preferences } =>
  typeof data['preferences'] === 'object'

const choicesIn = (data: Recorded['data']): Choices | undefined => {
  if (!isSet(data)) return undefined
  const { privacy, notifications, adult } = data.preferences
  return { privacy, notifications, adult }
}
