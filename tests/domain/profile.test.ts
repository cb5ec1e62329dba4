/** Display names, profiles and preferences as they decide: accept, refuse, repeat. */
import t from 'tap'
import { isDisplayName, readDisplayName } from '../../src/domain/profile/display-name.ts'
import { claimName, nameAggregate } from '../../src/domain/profile/name-claim.ts'
import {
  audiences,
  defaultPreferences,
  isShownTo,
  PreferencesSet,
  preferencesAggregate,
  setPreferences,
} from '../../src/domain/profile/preferences.ts'
import {
  editProfile,
  profileAggregate,
  readBio,
  readLanguages,
  type StatedEdits,
} from '../../src/domain/profile/profile.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { scenario } from '../support/scenario.ts'

/** Without the mark of the last edit, which differs as its id does. */
const bare = ({ mark: _, ...state }: { readonly mark: string }): object => state

const keyOf = (name: string): string => {
  const read = readDisplayName(name)
  return isDisplayName(read) ? read.key : `refused: ${read.detail}`
}

t.test('names that readers would take for one another are one', async t => {
  for (const other of ['paul', 'PAÚL', 'Pau1', 'PauI', ' Paul ', 'P.a-u_l', 'Ｐａｕｌ'])
    t.equal(keyOf(other), keyOf('Paul'), other)
  t.equal(keyOf('Сосо'), keyOf('Coco'), 'all of it Cyrillic')
  t.equal(keyOf('ΑΒΒΑ'), keyOf('abba'), 'all of it Greek')
  t.equal(keyOf('Arno'), keyOf('Amo'))
  for (const [other, name] of [
    ['Ƥaul Clay', 'Paul Clay'],
    ['ꜱcope', 'scope'],
    ['ᏚᎳ', 'SW'],
    ['ꓢꓳꓑꓰ', 'sope'],
    ['ᑯᑯ', 'dd'],
    ['ꮪꮃ', 'ᏚᎳ'],
    ['ʀoot beer', 'Root Beer'],
  ] as const)
    t.equal(keyOf(other), keyOf(name), other)
  t.not(keyOf('hat'), keyOf('nat'))
  t.not(keyOf('Νίκος'), keyOf('Μίκος'))
  t.not(keyOf('Paula'), keyOf('Paul'))
  t.not(keyOf('Мария'), keyOf('Марина'))
  for (const good of [
    'María José',
    "O'Brien",
    '山田太郎',
    'ज्ञान',
    'ada_99',
    'J. R. R. T.',
    'أحمد',
    'Ada山田',
    'カタかな漢',
    '한글漢',
    'Ada가',
  ])
    t.ok(isDisplayName(readDisplayName(good)), good)
})

t.test('what is no name is refused', async t => {
  const bad = [
    'a',
    '',
    '   ',
    '...',
    '-ada',
    'ada--- b',
    'x'.repeat(41),
    'x'.repeat(9999),
    'ad\u0000a',
    'a\nb',
    'ada\ud800',

    'ada\u202egnp',
    'a\u2066b',
    'a\u200bda',
    'a\u200dda',
    'a\u00adda',
    'ada\ufe0f',
    'a\u3164da',
    'ada\u{e0041}',
    '😀😀',

    'Pаul',
    'Aδa',
    'ꓑaul Clay',
    'ꮪcope',
    'ꓢcope',
    'Aᑯa',
    'Аdа',
    'Moderator2',
    'M0derator 77',
    'Security',
    'ꜱecurity',
    '5taff',
    '𐌰𐌳𐌰',
    'Adaあ가',
    `a${'\u0301'.repeat(9)}da`,
    'Admin',
    'ＡＤＭＩＮ',
    'аԁміn',
    'lex.i-chron',
    '<b>ada</b>',
    'a@b.example',
  ]
  for (const each of bad) t.notOk(isDisplayName(readDisplayName(each)), JSON.stringify(each))
})

const names = scenario(nameAggregate)
const claimed = { type: 'NameClaimed' as const, data: { accountId: 'a-1' }, at: new Date('2026-01-01T00:00:00.000Z') }
const minutes = (count: number): Date => new Date(claimed.at.getTime() + count * 60_000)

t.test("a claim is one account's until it lapsed", async t => {
  names
    .given()
    .when(claimName('a-1', minutes(0)))
    .thenEvents({ type: 'NameClaimed', data: { accountId: 'a-1' } })
  const held = names.given(claimed)
  held.when(claimName('a-1', minutes(1))).then('NameClaimed')
  held.when(claimName('a-2', minutes(60))).thenRefused('name-taken')
  const id = held.state.holder?.id ?? ''
  t.ok(id)
  held.when(claimName('a-2', minutes(14), id)).thenRefused('name-taken')
  held.when(claimName('a-2', minutes(15), 'another')).thenRefused('name-taken')
  held
    .when(claimName('a-2', minutes(15), id))
    .then('NameClaimed')
    .thenState(({ holder }) => t.equal(holder?.accountId, 'a-2'))
})

const profiles = scenario(profileAggregate)
const edited = {
  type: 'ProfileEdited' as const,
  data: { accountId: 'a-1', claim: 'name-1.x', displayName: 'Ada', bio: 'Hello.', languages: ['en'] },
}

t.test('a profile: merged, held to what was seen, without its text once the key is gone', async t => {
  const ada = { name: 'Ada', claim: 'name-1.x', claimed: true }
  const change = { displayName: ada, bio: 'Hello.', languages: ['en'] }
  profiles
    .given()
    .when(editProfile('a-1', change, [{ revision: 0n }]))
    .thenEvents(edited)
    .again(editProfile('a-1', change, undefined))
    .thenNothing()
  profiles
    .given(edited)
    .when(editProfile('a-1', { bio: 'x' }, [{ revision: 0n }]))
    .thenRefused('revision-stale')
  profiles
    .given(edited)
    .when(editProfile('a-1', { bio: 'x' }, [{ revision: 1n, mark: 'another.' }]))
    .thenRefused('revision-stale')
  profiles
    .given(edited)
    .when(editProfile('a-1', { bio: null }, [{ revision: 0n }, { revision: 1n }]))
    .thenState(state => {
      t.same(bare(state), { edits: 2, accountId: 'a-1', claim: 'name-1.x', displayName: 'Ada', languages: ['en'] })
    })
  profiles
    .given(edited)
    .when(editProfile('a-1', { displayName: null, languages: null }, undefined))
    .thenState(state => {
      t.same(bare(state), { edits: 2, accountId: 'a-1', bio: 'Hello.', languages: [] })
    })
  const unclaimed = { displayName: { name: 'Bea', claim: 'name-1.y', claimed: false } }
  profiles
    .given(edited)
    .when(editProfile('a-1', unclaimed, undefined))
    .thenRefused('conflict')
  t.same(bare(profiles.given({ ...edited, removed: true }).state), {
    edits: 1,
    accountId: 'a-1',
    claim: 'name-1.x',
    languages: [],
  })
  t.equal(readBio(' \n '), null)
  t.match(readBio('x'.repeat(501)), { refused: 'text-invalid' })
  t.match(readBio('a\u202eb'), { refused: 'text-invalid' })
  t.same(readLanguages(['EN', 'eng', 'es-mx']), ['en', 'es-MX'])
  for (const bad of [['xx'], ['en', 'zzz'], ['not a tag'], Array.from({ length: 21 }, () => 'en')])
    t.ok(isRefusal(readLanguages(bad)), bad.join())
})

const preferences = scenario(preferencesAggregate)

t.test('preferences: what is unknown is refused, null goes back to the beginning', async t => {
  const about = { accountId: 'a-1', locale: 'es' } as const
  const set = (change: Parameters<typeof setPreferences>[1], stated: StatedEdits = undefined) =>
    setPreferences(about, change, stated)
  const chosen = {
    ...defaultPreferences('en'),
    timeZone: 'Europe/Madrid',
    notifications: { roles: false, chapters: true, comments: true, reports: true, proposals: true },
    privacy: { profile: 'nobody', activity: 'everybody', contributions: 'members' },
  } as const
  const given = { type: 'PreferencesSet' as const, data: { accountId: 'a-1', preferences: chosen } }
  preferences
    .given()
    .when(
      set(
        {
          language: 'en-GB',
          timeZone: 'europe/madrid',
          notifications: { roles: false, chapters: true },
          privacy: { profile: 'nobody', contributions: 'members' },
        },
        [{ revision: 0n }],
      ),
    )
    .thenEvents(given)
    .again(set({ timeZone: 'Europe/Madrid' }))
    .thenNothing()
  preferences
    .given()
    .when(set({ language: 'es', notifications: null, privacy: { profile: 'members', activity: null } }))
    .thenNothing()
  preferences
    .given(given)
    .when(set({ privacy: { profile: null, activity: 'nobody' }, notifications: {} }))
    .thenState(({ chosen: now }) =>
      t.same(now, { ...chosen, privacy: { profile: 'members', activity: 'nobody', contributions: 'members' } }),
    )
  preferences
    .given(given)
    .when(set({ timeZone: 'UTC' }, [{ revision: 0n }]))
    .thenRefused('revision-stale')
  for (const timeZone of ['Mars/Olympus', '+01:00', '', 'Europe/Madrid\n', 'x'.repeat(999), '../../etc/passwd'])
    preferences.given().when(set({ timeZone })).thenRefused('time-zone-unknown')
  for (const language of ['fr', 'xx', '', 'englisch?'])
    preferences.given().when(set({ language })).thenRefused('language-unknown')
  preferences
    .given(given)
    .when(set({ language: null, timeZone: null, notifications: { roles: null }, privacy: null }))
    .thenState(state => {
      t.same(state.chosen, defaultPreferences('es'))
    })
  t.same(bare(preferences.given({ ...given, removed: true }).state), { edits: 1, accountId: 'a-1' })
})

t.test('who chose before there was more to choose has what everybody has at first', async t => {
  const lift = PreferencesSet.upcasters[1]
  const { notifications, privacy, ...old } = { ...defaultPreferences('es'), email: { roles: false } }
  t.same(lift?.({ accountId: 'a-1', preferences: old }), {
    accountId: 'a-1',
    preferences: { ...old, notifications, privacy },
  })
  t.same(lift?.({ accountId: 'a-1' }), { accountId: 'a-1' }, 'of who was erased there is nothing to lift')
  const without = PreferencesSet.upcasters[2]
  const chosen = defaultPreferences('es')
  const then = { ...chosen, email: { roles: false } }
  t.same(without?.({ accountId: 'a-1', preferences: then }), { accountId: 'a-1', preferences: chosen })
  t.same(without?.({ accountId: 'a-1' }), { accountId: 'a-1' })
  const asked = PreferencesSet.upcasters[3]
  const { adult, ...before } = chosen
  t.same(asked?.({ accountId: 'a-1', preferences: before }), { accountId: 'a-1', preferences: { ...before, adult } })
  t.same(asked?.({ accountId: 'a-1' }), { accountId: 'a-1' })
  const told = PreferencesSet.upcasters[4]
  const { comments, ...unasked } = chosen.notifications
  t.same(told?.({ accountId: 'a-1', preferences: { ...chosen, notifications: unasked } }), {
    accountId: 'a-1',
    preferences: { ...chosen, notifications: { ...unasked, comments } },
  })
  t.same(told?.({ accountId: 'a-1' }), { accountId: 'a-1' })
  const reported = PreferencesSet.upcasters[5]
  const { reports, proposals, ...early } = chosen.notifications
  t.same(reported?.({ accountId: 'a-1', preferences: { ...chosen, notifications: early } }), {
    accountId: 'a-1',
    preferences: { ...chosen, notifications: { ...early, reports, proposals } },
  })
  t.same(reported?.({ accountId: 'a-1' }), { accountId: 'a-1' })
})

t.test('stories for adults are shown to who says so, and to nobody else', async t => {
  const about = { accountId: 'a-1', locale: 'en' } as const
  const set = (adult: boolean | null) => setPreferences(about, { adult }, undefined)
  preferences.given().when(set(false)).thenNothing()
  const wanted = preferences
    .given()
    .when(set(true))
    .thenState(({ chosen }) => t.equal(chosen?.adult, true))
  wanted.again(set(true)).thenNothing()
  wanted.again(set(null)).thenState(({ chosen }) => t.equal(chosen?.adult, false))
})

t.test('an audience is everybody, those who are signed in, or who has to know', async t => {
  const readers = { stranger: [false, false], member: [false, true], privy: [true, true] } as const
  const seen = audiences.map(to =>
    Object.entries(readers).flatMap(([name, [privy, signedIn]]) => (isShownTo(to, { privy, signedIn }) ? [name] : [])),
  )
  t.same(seen, [['stranger', 'member', 'privy'], ['member', 'privy'], ['privy']])
})
