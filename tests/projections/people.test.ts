/** Names and who may see them, folded twice: the same events lead to the same, and what was erased is gone. */
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import type { Recorded } from '../../src/domain/event.ts'
import { defaultPreferences } from '../../src/domain/profile/preferences.ts'
import { foldPeople } from '../../src/projections/people.ts'
import { anonymousPermissions, permissionsOf } from '../support/roles.ts'

const stranger = { permissions: anonymousPermissions }
const member = { actor: { kind: 'account', id: 'bea' }, permissions: permissionsOf('contributor') }
const self = { actor: { kind: 'account', id: 'ada' }, permissions: permissionsOf('contributor') }
const moderator = { actor: { kind: 'account', id: 'mod' }, permissions: permissionsOf('moderator') }

const event = (type: string, stream: string, data: Recorded['data'], removed = false): Recorded => ({
  id: `${type} ${stream}`,
  type,
  stream,
  revision: 0n,
  position: 1n,
  recordedAt: '2026-01-05T10:00:00.000Z',
  data,
  meta: {
    actor: { kind: 'account', id: 'ada' },
    commandId: 'c',
    correlationId: 'c',
    causationId: 'c',
    at: '2026-01-05T10:00:00.000Z',
    schema: 1,
    route: { visibility: 'owner' },
  },
  ...defined({ removed: removed ? (true as const) : undefined }),
})
const named = (displayName?: string) =>
  event('ProfileEdited', 'profile-ada', { accountId: 'ada', displayName, languages: [] })
const hidden = (contributions: 'everybody' | 'members' | 'nobody') => {
  const { privacy, ...rest } = defaultPreferences('en')
  const preferences = {
    ...rest,
    notifications: { roles: false, chapters: true, comments: true, reports: true, proposals: true },
    privacy: { ...privacy, contributions },
  }
  return event('PreferencesSet', 'preferences-ada', { accountId: 'ada', preferences })
}

/** Who sees which name, after the events, each of them heard twice. */
const seenAfter = (...events: readonly Recorded[]) => {
  const people = foldPeople()
  for (const each of events) for (const again of [each, each]) people.apply(again)
  return [stranger, member, self, moderator].map(reader => people.nameFor('ada', reader))
}

t.test('a name is shown to whom it is for, and changes with what was heard last', async t => {
  t.strictSame(seenAfter(), [undefined, undefined, undefined, undefined])
  t.strictSame(seenAfter(named('Ada')), ['Ada', 'Ada', 'Ada', 'Ada'])
  t.strictSame(seenAfter(named('Ada'), named('Ida')), ['Ida', 'Ida', 'Ida', 'Ida'])
  t.strictSame(seenAfter(named('Ada'), named()), [undefined, undefined, undefined, undefined])
  t.strictSame(seenAfter(hidden('members'), named('Ada')), [undefined, 'Ada', 'Ada', 'Ada'])
  t.strictSame(seenAfter(named('Ada'), hidden('nobody')), [undefined, undefined, 'Ada', 'Ada'])
  t.strictSame(seenAfter(named('Ada'), hidden('nobody'), hidden('everybody')), ['Ada', 'Ada', 'Ada', 'Ada'])
})

t.test('of who was erased only the name is left that was to stay', async t => {
  const begun = (attribution?: string) => event('ErasureBegun', 'account-ada', { accountId: 'ada', attribution })
  const erased = event('AccountErased', 'account-ada', { accountId: 'ada', content: 'kept', claims: [] })
  const none = [undefined, undefined, undefined, undefined]
  t.strictSame(seenAfter(named('Ada'), begun()), none)
  t.strictSame(seenAfter(named('Ada'), hidden('nobody'), begun('Ada')), ['Ada', 'Ada', 'Ada', 'Ada'])
  t.strictSame(seenAfter(named('Ada'), begun('Ada'), erased), none)
  t.strictSame(seenAfter(erased, named('Ada')), none)
  const removed = event('ProfileEdited', 'profile-ada', { accountId: 'ada' }, true)
  t.strictSame(seenAfter(removed), none, 'a node that starts later reads what was left')
  const people = foldPeople()
  people.apply(event('PreferencesSet', 'preferences-ada', { accountId: 'ada' }, true))
  t.ok(people.wants('ada', 'roles'))
})

t.test('notices are told until they are switched off', async t => {
  const people = foldPeople()
  t.ok(people.wants('ada', 'roles'))
  people.apply(hidden('everybody'))
  t.notOk(people.wants('ada', 'roles'))
  t.ok(people.wants('bea', 'roles'))
})

t.test('who wants to be shown what is for adults', async t => {
  const people = foldPeople()
  t.notOk(people.wantsAdult('ada'), 'nobody is asked')
  const choose = (adult: boolean) =>
    people.apply(
      event('PreferencesSet', 'preferences-ada', {
        accountId: 'ada',
        preferences: { ...defaultPreferences('en'), adult },
      }),
    )
  choose(true)
  t.ok(people.wantsAdult('ada'))
  choose(false)
  t.notOk(people.wantsAdult('ada'))
})
