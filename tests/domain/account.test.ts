/** Accounts, addresses and sessions as they decide: accept, refuse, repeat. */

import { readFileSync } from 'node:fs'
import t from 'tap'
import { type AccountEvent, accountAggregate, createAccount, setPassword } from '../../src/domain/account/account.ts'
import { contextOf, isShort, normalPassword, passwordFault } from '../../src/domain/account/password-rules.ts'
import { endSessions, endSessionsFor } from '../../src/domain/account/session-ends.ts'
import {
  addressAggregate,
  confirmAddress,
  endSignUp,
  failSignIn,
  releaseAddress,
  requestReset,
  resend,
  signUp,
  useReset,
} from '../../src/domain/address/address.ts'
import type { AddressEvent } from '../../src/domain/address/address-events.ts'
import { readEmail } from '../../src/domain/address/email.ts'
import {
  endSession,
  endSessionFor,
  FRESH_MS,
  isFresh,
  isLive,
  ofEpoch,
  refreshSession,
  type SessionState,
  sessionAggregate,
  startSession,
  stepUpSession,
} from '../../src/domain/session/session.ts'
import { type Given, scenario } from '../support/scenario.ts'

const now = new Date('2026-01-01T00:00:00.000Z')
const after = (ms: number): Date => new Date(now.getTime() + ms)
const HOUR = 3_600_000
const addresses = scenario(addressAggregate)
const accounts = scenario(accountAggregate)
const sessions = scenario(sessionAggregate)

const request = {
  accountId: 'a-1',
  address: 'a@b.example',
  locale: 'en' as const,
  linkHash: 'h-1',
  now,
}
const { now: _, ...asked } = request
const received = {
  type: 'SignUpReceived' as const,
  data: { ...asked, expiresAt: after(24 * HOUR).toISOString(), held: false, quiet: false },
}
const confirmed = { type: 'AddressConfirmed' as const, data: { accountId: 'a-1', linkHash: 'h-1', password: 'kept' } }

t.test('an address: one event whether or not it is held, confirmed once by the last link', async t => {
  addresses.given().when(signUp(request)).thenEvents(received)
  addresses
    .given(received, confirmed)
    .when(signUp({ ...request, accountId: 'a-2', linkHash: 'h-2' }))
    .then('SignUpReceived')
    .thenState(({ holder, pending }) => t.same([holder?.accountId, pending], ['a-1', []]))
  addresses
    .given(received)
    .when(confirmAddress('h-1', now, 'kept'))
    .thenEvents(confirmed)
  addresses.given(received).when(confirmAddress('h-2', now)).thenRefused('link-invalid')
  addresses
    .given(received)
    .when(confirmAddress('h-1', after(24 * HOUR)))
    .thenRefused('link-expired')
  addresses.given(received, confirmed).when(confirmAddress('h-1', now)).thenRefused('link-used')
  addresses.given().when(confirmAddress('h-1', now)).thenRefused('link-invalid')
  for (const link of ['h-1', 'h-3'])
    addresses
      .given(received)
      .when(resend('h-3', after(HOUR)))
      .then('VerificationResent')
      .again(confirmAddress(link, after(HOUR)))
      .then('AddressConfirmed')
      .again()
      .thenRefused('link-used')
  addresses
    .given()
    .when(resend('h-3', now))
    .then('VerificationResent')
    .again(confirmAddress('h-3', now))
    .thenRefused('link-invalid')
  addresses.given(received, confirmed).when(releaseAddress('a-2')).thenNothing()
  addresses.given(received, confirmed).when(releaseAddress('a-1')).then('AddressReleased').again().thenNothing()
  addresses.given().when(failSignIn('d', 'credentials')).then('SignInFailed')
  t.notOk(addresses.given({ ...received, removed: true }).state.pending[0]?.address, 'erased')
  t.notOk(addresses.given(received, { ...confirmed, removed: true }).state.holder?.password, 'erased')
})

t.test('two sign-ups of one address: either link begins the account, with the password of who opened it', async t => {
  const second = { ...received, data: { ...received.data, accountId: 'a-2', linkHash: 'h-2' } }
  const both = addresses.given(received, second)
  for (const [link, accountId] of [
    ['h-1', 'a-1'],
    ['h-2', 'a-2'],
  ] as const)
    both
      .when(confirmAddress(link, after(HOUR), `set by ${link}`))
      .then('AddressConfirmed')
      .thenState(({ holder, pending }) =>
        t.match({ holder, pending }, { holder: { accountId, password: `set by ${link}` }, pending: [] }),
      )
      .again(confirmAddress(link === 'h-1' ? 'h-2' : 'h-1', after(HOUR)))
      .thenRefused('link-invalid')
  both.when(confirmAddress('h-1', after(24 * HOUR))).thenRefused('link-expired')
})

t.test('mails to one address: one a minute, five a day, then one for each half of the life of a link', async t => {
  const MINUTE = 60_000
  for (const [kind, decide, half] of [
    ['PasswordResetRequested', requestReset, 15 * MINUTE],
    ['VerificationResent', resend, 12 * HOUR],
  ] as const)
    for (const held of [[], [received, confirmed]]) {
      // The sign-up has had its mail a day before.
      const facts: Given<AddressEvent>[] = held.map(each => ({ ...each, at: after(-25 * HOUR) }))
      const ask = (ms: number): boolean => {
        const at = after(ms)
        const [event] = addresses
          .given(...facts)
          .when(decide(`h-${ms}`, at))
          .then(kind).events
        if (event?.type !== kind) return false
        facts.push({ ...event, at })
        return !event.data.quiet
      }
      t.ok(ask(0))
      t.notOk(ask(MINUTE - 1))
      for (let sent = 1; sent < 5; sent += 1) t.ok(ask(sent * MINUTE), `${kind} ${sent}`)
      t.notOk(ask(4 * MINUTE + half - 1))
      t.ok(ask(4 * MINUTE + half))
      t.notOk(ask(5 * MINUTE + half), 'five have gone within the day')
      t.ok(ask(4 * MINUTE + 24 * HOUR + half), 'and a day later it is as it was')
    }
})

t.test('who asks in the name of others takes no link from them', async () => {
  const wanted = (linkHash: string, ms: number, quiet: boolean) => ({
    type: 'PasswordResetRequested' as const,
    data: { accountId: 'a-1', linkHash, expiresAt: after(ms + HOUR / 2).toISOString(), quiet },
    at: after(ms),
  })
  const story = addresses.given(received, confirmed, wanted('own', 0, false), wanted('pest', 60_000, false))
  for (const link of ['own', 'pest'])
    story
      .when(useReset(link, after(120_000)))
      .then('PasswordResetUsed')
      .again(useReset(link === 'own' ? 'pest' : 'own', after(120_000)))
      .thenRefused('link-invalid')
  addresses
    .given(received, confirmed, wanted('none', 0, true))
    .when(useReset('none', after(1)))
    .thenRefused('link-invalid')
})

t.test('a sign-up that nobody confirms ends a week after its last link, and not before', async t => {
  const ended = { type: 'SignUpEnded' as const, data: { accountId: 'a-1' } }
  const due = 8 * 24 * HOUR
  addresses
    .given(received)
    .when(endSignUp('a-1', after(due - 1)))
    .thenNothing()
  addresses
    .given(received)
    .when(endSignUp('a-1', after(due)))
    .thenEvents(ended)
    .again(confirmAddress('h-1', now))
    .thenRefused('link-invalid')
  addresses
    .given(received, confirmed)
    .when(endSignUp('a-1', after(due)))
    .thenNothing()
  // Another link was asked for on the seventh day.
  addresses
    .given(received)
    .when(resend('h-3', after(7 * 24 * HOUR)))
    .then('VerificationResent')
    .again(endSignUp('a-1', after(due)))
    .thenNothing()
  // One that an account or a later sign-up has made void ends by itself, and leaves the other one alone.
  addresses
    .given(received, confirmed)
    .when(endSignUp('a-2', after(due)))
    .thenEvents({ type: 'SignUpEnded', data: { accountId: 'a-2' } })
    .thenState(({ holder }) => t.equal(holder?.accountId, 'a-1'))
  addresses
    .given(received)
    .when(endSignUp('a-0', after(due)))
    .then('SignUpEnded')
    .thenState(({ pending }) => t.equal(pending[0]?.accountId, 'a-1'))
})

t.test('a reset: asked for by anybody, used once by the holder', async () => {
  const wanted = addresses.given(received, confirmed).when(requestReset('r-1', now)).then('PasswordResetRequested')
  wanted
    .again(useReset('r-1', after(29 * 60_000)))
    .then('PasswordResetUsed')
    .again()
    .thenRefused('link-used')
  wanted.again(useReset('r-1', after(30 * 60_000))).thenRefused('link-expired')
  wanted.again(useReset('r-2', now)).thenRefused('link-invalid')
  addresses
    .given()
    .when(requestReset('r-1', now))
    .then('PasswordResetRequested')
    .again(useReset('r-1', now))
    .thenRefused('link-invalid')
})

const { linkHash: _l, ...person } = { ...asked, password: 'kept', claim: 'address-1.x' }
const created = { type: 'AccountCreated' as const, data: person }

t.test('an account begins once, and of none nothing is decided', async () => {
  accounts.given().when(createAccount(person)).thenEvents(created).again().thenNothing()
  for (const decide of [endSessions('all'), endSessionsFor('boss', 'Stolen.'), setPassword('k', 'changed')])
    accounts.given().when(decide).thenRefused('account-not-found')
})

const start = { sessionId: 's-1', accountId: 'a-1', epoch: 0, device: 'd', agent: 'Test', remember: false, now }
const { now: _n, ...begun } = start
const started = { type: 'SessionStarted' as const, data: { ...begun, endsAt: after(24 * HOUR).toISOString() }, at: now }

t.test('what ends sessions: an epoch, but for the one that is spared', async t => {
  const session = sessions.given(started).state
  const account = (...events: readonly AccountEvent[]) => accounts.given(created, ...events).state
  const ended = (except?: string): AccountEvent => ({
    type: 'SessionsEnded',
    data: except === undefined ? {} : { except },
  })
  const holds = (...events: readonly AccountEvent[]): boolean => {
    const known = account(...events)
    return session !== undefined && known !== undefined && ofEpoch(session, known)
  }
  t.ok(holds())
  t.notOk(holds(ended()))
  t.ok(holds(ended('s-1')))
  t.notOk(holds(ended('s-1'), ended('s-2')))
  t.notOk(holds(ended('s-1'), ended()))
  accounts
    .given(created)
    .when(setPassword('k', 'changed', { except: 's-1', device: 'd' }))
    .thenEvents(
      { type: 'PasswordSet', data: { accountId: 'a-1', password: 'k', reason: 'changed' } },
      { type: 'SessionsEnded', data: { cause: 'password-changed', except: 's-1', device: 'd' } },
    )
  accounts
    .given(created)
    .when(setPassword('k', 'reset', { device: 'd' }))
    .thenEvents(
      { type: 'PasswordSet', data: { accountId: 'a-1', password: 'k', reason: 'reset' } },
      { type: 'SessionsEnded', data: { cause: 'reset', device: 'd' } },
    )
  accounts
    .given(created)
    .when(endSessionsFor('boss', 'Stolen.'))
    .thenEvents({
      type: 'SessionsEnded',
      data: { accountId: 'a-1', cause: 'administrator', by: 'boss', reason: 'Stolen.' },
    })
  accounts.given(created).when(endSessionsFor('boss', ' ')).thenRefused('reason-required')
  accounts.given(created).when(setPassword('k', 'rehashed')).then('PasswordSet')
})

t.test('a session: refreshed by the last token, repeated for ten seconds, ended by an older one', async t => {
  sessions.given().when(startSession(start)).then('SessionStarted').again().thenNothing()
  sessions
    .given(started)
    .when(refreshSession(0, after(1000)))
    .then('SessionRefreshed')
  const refreshed = (generation: number, ms: number) => ({
    type: 'SessionRefreshed' as const,
    data: { generation },
    at: after(ms),
  })
  const twice = sessions.given(started, refreshed(1, 1000), refreshed(2, 2000))
  twice.when(refreshSession(1, after(12_000))).thenNothing()
  twice.when(refreshSession(1, after(12_001))).then('SessionEnded')
  twice.when(refreshSession(0, after(2001))).then('SessionEnded')
  twice.when(refreshSession(3, after(2001))).thenRefused('session-ended')
  sessions
    .given(started)
    .when(refreshSession(0, after(2 * HOUR)))
    .thenRefused('session-ended')
  sessions.given(started).when(endSession('a-2', 'ended')).thenRefused('session-not-found')
  sessions
    .given(started)
    .when(endSession('a-1', 'signed-out'))
    .thenEvents({ type: 'SessionEnded', data: { cause: 'signed-out', by: 'a-1', device: 'd' } })
    .again()
    .thenNothing()
  sessions
    .given(started)
    .when(endSessionFor('a-1', 'boss', 'Stolen.'))
    .thenEvents({
      type: 'SessionEnded',
      data: { cause: 'administrator', by: 'boss', device: 'd', accountId: 'a-1', reason: 'Stolen.' },
    })
    .again()
    .thenNothing()
  sessions
    .given(started)
    .when(endSessionFor('a-1', 'boss', ' '))
    .thenRefused('reason-required')
  sessions
    .given(started)
    .when(endSessionFor('a-2', 'boss', 'Stolen.'))
    .thenRefused('session-not-found')
  const { state } = sessions.given(started, refreshed(1, 23 * HOUR))
  t.ok(state && isLive(state, after(24 * HOUR - 1)))
  t.notOk(state && isLive(state, after(24 * HOUR)), 'used or not, it ends')
})

t.test('a session: fresh for ten minutes after its sign-in, and again after a proof', async t => {
  const fresh = ({ state }: { readonly state: SessionState }, ms: number) => state && isFresh(state, after(ms))
  t.ok(fresh(sessions.given(started), FRESH_MS))
  t.notOk(fresh(sessions.given(started), FRESH_MS + 1))
  const proof = { type: 'SessionSteppedUp' as const, data: { by: 'password' as const }, at: after(HOUR) }
  t.ok(fresh(sessions.given(started, proof), HOUR + FRESH_MS))
  t.notOk(fresh(sessions.given(started, proof), HOUR + FRESH_MS + 1))
  sessions
    .given(started)
    .when(stepUpSession('a-1', 'password', now))
    .then('SessionSteppedUp')
  sessions
    .given(started)
    .when(stepUpSession('a-2', 'password', now))
    .thenRefused('session-ended')
  sessions
    .given(started)
    .when(stepUpSession('a-1', 'password', after(2 * HOUR)))
    .thenRefused('session-ended')
  sessions
    .given()
    .when(stepUpSession('a-1', 'password', now))
    .thenRefused('session-ended')
})

t.test('addresses: one key for one mailbox', async t => {
  const key = (text: string) => {
    const read = readEmail(text)
    return 'key' in read ? read.key : read.refused
  }
  t.equal(key('Ada@EXAMPLE.org'), 'ada@example.org')
  for (const [one, other] of [
    ['Straße@example.org', 'STRASSE@example.org'],
    ['ΟΔΟΣ@example.org', 'οδος@example.org'],
    ['οδοσ@example.org', 'οδος@example.org'],
    ['ΣΑΣ.ΣΑΣ@example.org', 'σας.σασ@example.org'],
    ['ẞ@example.org', 'ss@example.org'],
    ['e\u0301a@example.org', 'ÉA@example.org'],
    ['ada@BÜCHER.example', 'ada@xn--bcher-kva.example'],
    ['ada@ｅｘａｍｐｌｅ.org', 'ada@example.org'],
  ] as const)
    t.equal(key(one), key(other), `${one} ${other}`)
  for (const [one, other] of [
    ['ＡＤＡ@example.org', 'ada@example.org'],
    ['ﬁn²@example.org', 'fin2@example.org'],
    ['ılgaz@example.org', 'ilgaz@example.org'],
    ['ada+a@example.org', 'ada@example.org'],
  ] as const)
    t.not(key(one), key(other), `${one} ${other}`)
  const typed = readEmail(' Jose\u0301.Straße@Bücher.EXAMPLE ')
  t.match(typed, { address: 'José.Straße@xn--bcher-kva.example', key: 'josé.strasse@xn--bcher-kva.example' })
  t.equal(key('ada@bücher.example'), key('ada@xn--bcher-kva.example'))
  t.not(key('a.da@example.org'), key('ada@example.org'))
  for (const bad of [
    'a..b@c.example',
    '.a@c.example',
    'a@c',
    'a@c.example.',
    'a@b/c.example',
    'a@c.example:80',
    'a\n@c.example',
  ])
    t.equal(key(bad), 'email-invalid', bad)
})

t.test(
  'the list of common passwords: 10,000 or more that the rule of length lets pass, in the form they are looked up',
  async t => {
    const file = new URL('../../src/adapters/passwords/common-passwords.txt', import.meta.url)
    const all = readFileSync(file, 'utf8').split('\n').filter(Boolean)
    t.ok(all.length >= 10_000 && new Set(all).size === all.length, `${all.length}, each once`)
    const unfit = all.filter(each => [...each].length < 8 || normalPassword(each).toLowerCase() !== each)
    t.same(unfit, [])
  },
)

t.test('passwords: length after normalisation, the common ones, and what follows from address and name', async t => {
  const rules = {
    isCommon: (password: string) => ['password1', 'abcdefghijklmnopq'].includes(password),
    context: contextOf('ada.lovelace@engine.example', 'Zebra Finch'),
  }
  const fault = (password: string, factor = false) => passwordFault(password, { ...rules, factor })?.refused
  for (const good of [
    'correct horse staple',
    '密码学很有趣而且很难破解的一句话',
    `${'e\u0301'.repeat(64)}${'x'.repeat(64)}`,
    'my zebra likes grapes',
    'ada lives by the harbour',
  ])
    t.equal(fault(good), undefined, good)
  for (const bad of [
    'x'.repeat(14),
    `${'e\u0301x'.repeat(7)}`,
    'correct horse ',
    `${'x1'.repeat(64)}y`,
    'Abcdefghijklmnopq',
    'password1password1',
    'abcabcabcabcabc',
    'lexichronlexichron',
    'zebrafinchlexichron',
    'Finch-Lovelace-2024',
    'ada.lovelace!!!!!',
    'engine.example engine',
    ' '.repeat(20),
  ])
    t.equal(fault(bad), 'password-weak', bad)
  t.equal(fault('grape 17', true), undefined, 'beside a second factor')
  for (const bad of ['grape 1', 'Lovelace1', 'password1', 'aaaaaaaaaa']) t.equal(fault(bad, true), 'password-weak', bad)
  const { errors } = passwordFault('short', { ...rules, pointer: '/newPassword' }) ?? {}
  t.match(errors, [{ pointer: '/newPassword' }])
  t.same(['x'.repeat(14), 'x'.repeat(15), 'e\u0301'.repeat(14)].map(isShort), [true, false, true])
})
