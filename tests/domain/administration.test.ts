/** What is decided about other people's accounts: accept, refuse, repeat; and where an account is at its end. */
import t from 'tap'
import { type AccountEvent, accountAggregate, moveAddress, moveBack, rekey } from '../../src/domain/account/account.ts'
import { type Administering, grantRole, reinstate, suspend, takeRole } from '../../src/domain/account/administration.ts'
import { grantsOf, rightsOf } from '../../src/domain/account/grants.ts'
import { endSessionsFor } from '../../src/domain/account/session-ends.ts'
import { staysAdministrator } from '../../src/domain/account/standing.ts'
import { addressAggregate, releaseAddress } from '../../src/domain/address/address.ts'
import { confirmChange, requestChange, revertChange } from '../../src/domain/address/change.ts'
import { defined } from '../../src/domain/defined.ts'
import { refuse } from '../../src/domain/refusal.ts'
import { permissionsIn, permitsSomewhere, type Role } from '../../src/domain/roles.ts'
import { begun, created, erased, person, wished } from '../support/account-events.ts'
import { roleRights } from '../support/roles.ts'
import { scenario } from '../support/scenario.ts'

const now = new Date('2026-01-01T00:00:00.000Z')
const after = (ms: number): Date => new Date(now.getTime() + ms)
const HOUR = 3_600_000
const accounts = scenario(accountAggregate)
const addresses = scenario(addressAggregate)
const boss: Administering = { by: 'boss', now, reason: 'Why.' }
const own: Administering = { by: 'a-1', now, reason: 'Why.' }

const suspended = { type: 'AccountSuspended' as const, data: { accountId: 'a-1', by: 'boss', reason: 'Spam.' } }
const granted = (role: Role, expiresAt?: string): AccountEvent => ({
  type: 'RoleGranted',
  data: expiresAt === undefined ? { role, by: 'boss' } : { role, by: 'boss', expiresAt },
})

t.test('roles: granted once, end by themselves, taken back where they are held', async t => {
  const friday = after(HOUR).toISOString()
  accounts
    .given(created)
    .when(grantRole({ role: 'editor', expiresAt: friday }, boss))
    .then('RoleGranted')
    .thenState(account => {
      t.same(grantsOf(account?.grants ?? [], now), [{ role: 'contributor' }, { role: 'editor', expiresAt: friday }])
      t.same(grantsOf(account?.grants ?? [], after(HOUR)), [{ role: 'contributor' }])
    })
    .again()
    .thenNothing()
    .again(takeRole('editor', { ...boss, now: after(HOUR) }))
    .thenRefused('role-not-held')
    .again(takeRole('editor', boss))
    .then('RoleTaken')
    .again()
    .thenRefused('role-not-held')
  accounts.given(created).when(takeRole('auditor', boss)).thenRefused('role-not-held')
  for (const role of ['reader', 'contributor'] as const)
    for (const decide of [grantRole({ role }, boss), takeRole(role, boss)])
      accounts.given(created, granted(role)).when(decide).thenRefused('role-basic')
  for (const expiresAt of [now.toISOString(), '2020-01-01T00:00:00.000Z', 'friday'])
    accounts
      .given(created)
      .when(grantRole({ role: 'editor', expiresAt }, boss))
      .thenRefused('grant-past')
})

t.test('roles in languages: for those whose work is on entries, in these and what they cover', async t => {
  for (const role of ['admin', 'auditor'] as const)
    accounts
      .given(created)
      .when(grantRole({ role, languages: ['es'] }, boss))
      .thenRefused('grant-languages')
  accounts
    .given(created)
    .when(grantRole({ role: 'editor', languages: ['es', 'gl'] }, boss))
    .then('RoleGranted')
    .thenState(account => {
      const rights = rightsOf(grantsOf(account?.grants ?? [], now), roleRights)
      const publishes = (language?: string) => permissionsIn(rights, language).has('entries:publish')
      t.ok(publishes('es') && publishes('es-MX') && publishes('gl'))
      t.notOk(publishes('en') || publishes('est') || publishes('e') || publishes('__proto__') || publishes())
      t.ok(permissionsIn(rights, 'en').has('entries:draft'), 'and is a contributor everywhere')
      t.ok(permitsSomewhere(rights, 'entries:publish'))
      t.notOk(permitsSomewhere(rights, 'accounts:manage'))
    })
    .again()
    .thenNothing()
    .again(grantRole({ role: 'editor' }, boss))
    .then('RoleGranted')
    .thenState(account =>
      t.ok(rightsOf(account?.grants ?? [], roleRights).permissions.has('entries:publish'), 'everywhere now'),
    )
    .again(grantRole({ role: 'editor', languages: ['es'] }, boss))
    .then('RoleGranted')
})

t.test('nobody does it to themselves, and a suspension has a reason', async () => {
  for (const decide of [grantRole({ role: 'admin' }, own), takeRole('admin', own), suspend(own), reinstate(own)])
    accounts.given(created, granted('admin')).when(decide).thenRefused('own-role')
  const held = accounts.given(created, granted('editor'), suspended)
  for (const [reason, code] of [
    [' ', 'reason-required'],
    ['a\u202e', 'text-invalid'],
    ['x'.repeat(501), 'text-invalid'],
  ] as const) {
    const why = { ...boss, reason }
    for (const decide of [grantRole({ role: 'auditor' }, why), takeRole('editor', why), suspend(why), reinstate(why)])
      held.when(decide).thenRefused(code)
  }
  const because = { accountId: 'a-1', by: 'boss', reason: 'Why.' }
  held.when(takeRole('editor', boss)).thenEvents({ type: 'RoleTaken', data: { role: 'editor', ...because } })
  held.when(reinstate({ ...boss, reason: ' Why. ' })).thenEvents({ type: 'AccountReinstated', data: because })
  accounts
    .given(created)
    .when(suspend(boss))
    .then('AccountSuspended', 'SessionsEnded')
    .again()
    .thenNothing()
    .again(grantRole({ role: 'editor' }, boss))
    .thenRefused('grant-suspended')
    .again(reinstate(boss))
    .then('AccountReinstated')
    .again()
    .thenNothing()
  accounts.given(created, granted('editor'), suspended).when(takeRole('editor', boss)).then('RoleTaken')
})

t.test('nobody makes an administrator beyond the end of their own grant', async () => {
  const until = after(HOUR).toISOString()
  const bounded = { ...boss, until }
  const admin = (expiresAt?: string) =>
    grantRole(expiresAt === undefined ? { role: 'admin' } : { role: 'admin', expiresAt }, bounded)
  accounts.given(created).when(admin(until)).then('RoleGranted')
  for (const end of [undefined, after(HOUR + 1).toISOString()])
    accounts.given(created).when(admin(end)).thenRefused('grant-beyond-own')
  accounts
    .given(created)
    .when(grantRole({ role: 'editor' }, bounded))
    .then('RoleGranted')
})

t.test('nothing is decided about an account at its end', async () => {
  const all = [
    grantRole({ role: 'editor' }, boss),
    takeRole('editor', boss),
    suspend(boss),
    reinstate(boss),
    endSessionsFor('boss', 'Stolen.'),
  ]
  const story = [created, granted('editor'), wished] as const
  for (const decide of all) {
    accounts.given().when(decide).thenRefused('account-not-found')
    accounts
      .given(...story, begun)
      .when(decide)
      .thenRefused('erasure-begun')
    accounts
      .given(...story, begun, erased)
      .when(decide)
      .thenRefused('account-erased')
  }
  accounts
    .given(...story)
    .when(suspend(boss))
    .then('AccountSuspended', 'SessionsEnded')
})

t.test('who is an administrator that stays', async t => {
  const stays = (...events: readonly AccountEvent[]) => staysAdministrator(accounts.given(created, ...events).state)
  t.ok(stays(granted('admin')))
  for (const events of [
    [],
    [granted('editor')],
    [granted('admin', after(HOUR).toISOString())],
    [granted('admin'), suspended],
    [granted('admin'), wished, begun],
    [granted('admin'), wished, begun, erased],
  ])
    t.notOk(stays(...events), events.map(({ type }) => type).join())
})

t.test('an account that nobody acts by does not follow to another address', async () => {
  const to = { claim: 'address-1.y', from: person.claim, address: 'c@d.example' }
  const change = { accountId: 'a-1', from: person.claim, address: to.address, locale: 'en' as const, linkHash: 'h-2' }
  const moved = { type: 'AddressChanged' as const, data: { ...to, accountId: 'a-1', reverted: false } }
  accounts.given(created).when(moveAddress(to)).then('AddressChanged')
  const ends: readonly (readonly AccountEvent[])[] = [[suspended], [wished, begun], [wished, begun, erased]]
  for (const end of ends)
    accounts
      .given(created, ...end)
      .when(moveAddress(to))
      .thenNothing()
  for (const end of ends.slice(1)) {
    accounts
      .given(created, moved, ...end)
      .when(moveBack(person.claim, person.address))
      .thenNothing()
    accounts
      .given(created, ...end)
      .when(rekey({ claim: 'address-2.x', from: person.claim }))
      .thenNothing()
  }
  accounts
    .given(created, moved, suspended)
    .when(moveBack(person.claim, person.address))
    .then('AddressChanged', 'SessionsEnded')

  const fault = refuse('erasure-begun', 'The erasure has begun.')
  const requested = addresses
    .given()
    .when(requestChange({ ...change, now }))
    .then('AddressChangeRequested')
  requested.again(confirmChange({ linkHash: 'h-2', now, owner: 'a-1', fault })).thenRefused('erasure-begun')
  requested.again(confirmChange({ linkHash: 'h-1', now, owner: 'a-1', fault })).thenRefused('link-invalid')
  for (const owner of ['a-2', undefined])
    requested.again(confirmChange({ linkHash: 'h-2', now, ...defined({ owner }) })).thenRefused('link-invalid')
  const confirmed = requested
    .again(confirmChange({ linkHash: 'h-2', now, owner: 'a-1' }))
    .then('AddressChangeConfirmed')
  confirmed.again(releaseAddress('a-1')).then('AddressReleased').again().thenNothing()
  const left = {
    type: 'AddressLeft' as const,
    data: { accountId: 'a-1', linkHash: 'r', freeFrom: after(HOUR).toISOString() },
  }
  const requestedFor = { ...change, expiresAt: left.data.freeFrom, held: false, quiet: false }
  addresses
    .given(
      { type: 'AddressChangeRequested', data: requestedFor },
      { type: 'AddressChangeConfirmed', data: { accountId: 'a-1', linkHash: 'h-2' } },
      left,
    )
    .when(revertChange('r', now, fault))
    .thenRefused('erasure-begun')
})

t.test('what was wanted of an address is given up, and what others wait for stays', async t => {
  const change = {
    accountId: 'a-1',
    from: person.claim,
    address: 'c@d.example',
    locale: 'en' as const,
    linkHash: 'h-2',
  }
  addresses
    .given()
    .when(requestChange({ ...change, now }))
    .then('AddressChangeRequested')
    .again(releaseAddress('a-2'))
    .thenNothing()
    .again(releaseAddress('a-1'))
    .then('AddressReleased')
    .thenState(({ holder, changes }) => t.same([holder, changes], [undefined, []]))
    .again(confirmChange({ linkHash: 'h-2', now, owner: 'a-1' }))
    .thenRefused('link-invalid')
  const signUp = {
    type: 'SignUpReceived' as const,
    data: {
      accountId: 'a-2',
      address: 'c@d.example',
      locale: 'en' as const,
      linkHash: 's',
      expiresAt: 'x',
      held: false,
      quiet: false,
    },
  }
  addresses
    .given(signUp)
    .when(requestChange({ ...change, now }))
    .then('AddressChangeRequested')
    .again(releaseAddress('a-1'))
    .then('AddressReleased')
    .thenState(({ pending }) =>
      t.same(
        pending.map(({ accountId }) => accountId),
        ['a-2'],
      ),
    )
})
