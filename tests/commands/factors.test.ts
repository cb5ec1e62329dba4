/** Proofs of who somebody is, over the streams that they are noted on, on two nodes. */
import { randomUUID } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import t from 'tap'
import { openMemoryCache } from '../../src/adapters/cache/memory.ts'
import { ProblemError } from '../../src/adapters/http/problems.ts'
import { granted } from '../../src/adapters/http/routes/account-edge.ts'
import { endForFactor } from '../../src/commands/factor-sessions.ts'
import type { From } from '../../src/commands/identity.ts'
import { CHALLENGE_MS } from '../../src/commands/passkey-challenges.ts'
import * as passkeys from '../../src/commands/passkeys.ts'
import * as second from '../../src/commands/second-factor.ts'
import { signIn, signInByPasskey } from '../../src/commands/sessions.ts'
import { countTry, type Trying } from '../../src/commands/sign-in-waits.ts'
import { requireFresh, requireFreshBesidePassword, stepUp } from '../../src/commands/step-up.ts'
import { accountStream, createAccount } from '../../src/domain/account/account.ts'
import { confirmAddress, signUp } from '../../src/domain/address/address.ts'
import { defined } from '../../src/domain/defined.ts'
import { isRefusal, type Refusal } from '../../src/domain/refusal.ts'
import { devicesStream, MOST_DEVICES } from '../../src/domain/session/devices.ts'
import { MOST_PASSKEYS, passkeysStream } from '../../src/domain/session/passkeys.ts'
import { factorsStream, OFFER_MS } from '../../src/domain/session/second-factor.ts'
import { FRESH_MS, ofEpoch, sessionStream } from '../../src/domain/session/session.ts'
import { factorChangesSubscriber } from '../../src/subscribers/factor-changes.ts'
import { openAuthenticator, type Spoilt } from '../support/authenticator.ts'
import { fakeClock } from '../support/clocks.ts'
import { claimOf, identityNode, identityOrigin, openIdentityLog } from '../support/identity.ts'

const clock = fakeClock()
const log = openIdentityLog(clock)
const [here, there] = [identityNode(log, clock), identityNode(log, clock)]
const from: From = { correlationId: 'r', agent: '' }
const admit = async (): Promise<void> => {}
const codeOf = (outcome: object | 'done'): string =>
  typeof outcome === 'string' ? outcome : isRefusal(outcome) ? outcome.refused : 'fine'

const member = async (address: string) => {
  const id = randomUUID()
  const claim = claimOf(address)
  const by = () => ({
    commandId: randomUUID(),
    correlationId: 'r',
    at: clock.now(),
    actor: { kind: 'system' as const, id: 's' },
  })
  const given = { accountId: id, address, locale: 'en' as const }
  const password = 'hashed right horse staple'
  await here.addresses.run(claim, signUp({ ...given, linkHash: id, now: clock.now() }), by())
  await here.addresses.run(claim, confirmAddress(id, clock.now(), password), by())
  await here.accounts.run(accountStream(id), createAccount({ ...given, password, claim }), by())
  const enter = async (deps = here) => {
    const opened = await signIn(deps, { email: address, password: 'right horse staple', remember: true }, from, admit)
    if (isRefusal(opened)) throw new Error(opened.detail)
    return { accountId: id, sessionId: opened.session.id }
  }
  return { id, claim, enter }
}

t.test('a proof is good for ten minutes, for its session alone, and on every node at once', async t => {
  const { id, claim, enter } = await member('step@words.example')
  const [one, two] = [await enter(), await enter()]
  t.equal(codeOf(await requireFresh(there, one)), 'done', 'a sign-in is a proof')
  clock.advance(FRESH_MS + 1)
  const stale = await requireFresh(there, one)
  t.equal(codeOf(stale), 'step-up-required')
  const told = (() => {
    try {
      return granted(stale)
    } catch (error) {
      return error
    }
  })()
  t.ok(told instanceof ProblemError)
  t.match(told, {
    headers: {
      'www-authenticate': 'Bearer realm="lexichron", error="insufficient_user_authentication", max_age=600',
    },
  })
  t.equal(codeOf(await stepUp(here, one, { password: 'wrong' }, from, admit)), 'credentials-wrong')
  t.equal(codeOf(await requireFresh(there, one)), 'step-up-required')
  const failed = []
  for await (const events of log.readStream(claim)) failed.push(...events.filter(each => each.type === 'SignInFailed'))
  t.match(failed, [{ data: { reason: 'step-up' }, meta: { actor: { kind: 'account', id } } }])
  t.equal(codeOf(await stepUp(here, one, { password: 'right horse staple' }, from, admit)), 'fine')
  t.equal(codeOf(await requireFresh(there, one)), 'done')
  t.equal(codeOf(await requireFresh(there, two)), 'step-up-required', 'the other session proved nothing')
  const foreign = { accountId: randomUUID(), sessionId: one.sessionId }
  t.equal(codeOf(await requireFresh(there, foreign)), 'session-ended')
  const refusing = async (): Promise<void> => {
    throw new Error('too many')
  }
  await t.rejects(stepUp(here, two, { password: 'right horse staple' }, from, refusing), { message: 'too many' })
  t.equal(codeOf(await requireFresh(there, two)), 'step-up-required')
})

const eventsOf = async (stream: string) => {
  const found = []
  for await (const events of log.readStream(stream)) found.push(...events)
  return found
}
const codeAt = (secret: string, ms = 0): string =>
  TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: clock.now().getTime() + ms })
const STEP_MS = 30_000

const withTotp = async (address: string) => {
  const person = await member(address)
  const by = await person.enter()
  const offer = await second.offerOwnTotp(here, by, from)
  if (isRefusal(offer)) throw new Error(offer.detail)
  t.equal(codeOf(await second.confirmOwnTotp(here, by, codeAt(offer.secret), from)), 'done')
  const tryIn = (code?: string, deps = here, password = 'right horse staple') =>
    signIn(deps, { email: address, password, remember: false, ...defined({ code }) }, from, admit)
  return { ...person, by, secret: offer.secret, tryIn }
}

t.test('an authenticator: on by its first code, each code once, one step of drift', async t => {
  const { by, secret, tryIn, id, claim } = await withTotp('totp@words.example')
  t.equal(codeOf(await second.offerOwnTotp(here, by, from)), 'factor-on')
  t.equal(codeOf(await second.confirmOwnTotp(here, by, codeAt(secret), from)), 'factor-on')
  t.equal(codeOf(await tryIn(codeAt(secret))), 'code-wrong', 'the code that turned it on is used')
  await clock.advance(5 * STEP_MS)
  t.equal(codeOf(await tryIn()), 'second-factor-required')
  t.equal(codeOf(await tryIn(undefined, here, 'wrong')), 'credentials-wrong', 'never without the password')
  t.equal(codeOf(await tryIn(codeAt(secret), here, 'wrong')), 'credentials-wrong')
  for (const [code, why] of [
    ['', 'empty'],
    ['000 000 000', 'too long'],
    ['١٢٣٤٥٦', 'other digits'],
    [codeAt(secret, 2 * STEP_MS), 'two steps ahead'],
    [codeAt(secret, -2 * STEP_MS), 'two steps behind'],
  ] as const)
    t.equal(codeOf(await tryIn(code)), 'code-wrong', why)
  const spaced = codeAt(secret, -STEP_MS).replace(/^(...)/, '$1 ')
  t.equal(codeOf(await tryIn(spaced)), 'fine', 'one step behind')
  t.equal(codeOf(await tryIn(codeAt(secret, STEP_MS))), 'fine', 'one step ahead')
  t.equal(codeOf(await tryIn(codeAt(secret))), 'code-wrong', 'an older one than was used')
  await clock.advance(5 * STEP_MS)
  const code = codeAt(secret)
  const at = [here, there, here, there, here, there].map(deps => tryIn(code, deps))
  const together = (await Promise.all(at)).map(codeOf).toSorted()
  t.same(together, [...Array.from({ length: 5 }, () => 'code-wrong'), 'fine'], 'one of six at once, on two nodes')
  const types = (await eventsOf(factorsStream(id))).map(each => each.type)
  t.equal(types.filter(each => each === 'CodeUsed').length, 3)
  t.equal(types.filter(each => each === 'CodeRefused').length, 12)
  t.match((await eventsOf(claim)).at(-1)?.data, { reason: 'credentials' })
  const [offered] = await eventsOf(factorsStream(id))
  t.match(offered, { type: 'TotpOffered', data: { secret: /^1\.[\w-]{64}$/ } }, 'encrypted before it is sealed')
})

t.test('an offer lapses, and another one takes its place', async t => {
  const { enter } = await member('offer@words.example')
  const by = await enter()
  t.equal(codeOf(await second.confirmOwnTotp(here, by, '000000', from)), 'factor-off')
  const [first, next] = [await second.offerOwnTotp(here, by, from), await second.offerOwnTotp(there, by, from)]
  if ('refused' in first || 'refused' in next) throw new Error('refused')
  t.match(next.uri, /^otpauth:\/\/totp\/Lexichron:offer%40words\.example\?issuer=Lexichron&secret=[A-Z2-7]{32}&/)
  t.equal(codeOf(await second.confirmOwnTotp(here, by, codeAt(first.secret), from)), 'code-wrong')
  // The second offer on the stream is of the millisecond after the first.
  await clock.advance(OFFER_MS + 2)
  t.equal(codeOf(await second.confirmOwnTotp(here, by, codeAt(next.secret), from)), 'factor-off')
  t.equal(codeOf(await second.makeOwnRecoveryCodes(here, by, from)), 'factor-off')
  t.equal(codeOf(await second.removeOwnTotp(here, by, from)), 'done', 'already true')
})

t.test('recovery codes are good once each, as typed by hand, and the last ones made alone', async t => {
  const { by, id, secret, tryIn } = await withTotp('paper@words.example')
  const old = await second.makeOwnRecoveryCodes(here, by, from)
  const codes = await second.makeOwnRecoveryCodes(here, by, from)
  if ('refused' in old || 'refused' in codes) throw new Error('refused')
  t.equal(new Set(codes).size, 10)
  t.ok(codes.every(each => /^[a-km-np-z2-9]{4}(-[a-km-np-z2-9]{4}){3}$/.test(each)))
  const [one = '', two = ''] = codes
  t.equal(codeOf(await tryIn(old[0])), 'code-wrong')
  const together = (await Promise.all([here, there, here, there].map(deps => tryIn(one, deps)))).map(codeOf)
  t.same(together.toSorted(), ['code-wrong', 'code-wrong', 'code-wrong', 'fine'])
  t.equal(codeOf(await tryIn(two.toUpperCase().replaceAll('-', ' '))), 'fine')
  const text = JSON.stringify(await eventsOf(factorsStream(id)), (_, each) => (typeof each === 'bigint' ? '' : each))
  for (const code of codes) t.notMatch(text, code.replaceAll('-', ''))
  t.match(await eventsOf(factorsStream(id)).then(events => events.at(-1)), { data: { left: 8, purpose: 'sign-in' } })
  t.equal(codeOf(await second.removeOwnTotp(here, by, from)), 'done')
  t.equal(codeOf(await tryIn()), 'fine')
  t.equal(codeOf(await stepUp(here, by, { password: 'right horse staple', code: codeAt(secret) }, from, admit)), 'fine')
})

t.test('a proof needs the factor too, and a password alone changes nothing then', async t => {
  const { by, secret } = await withTotp('both@words.example')
  await clock.advance(FRESH_MS + 1)
  t.equal(codeOf(await requireFreshBesidePassword(here, by, admit)), 'step-up-required')
  t.equal(codeOf(await stepUp(here, by, { password: 'right horse staple' }, from, admit)), 'second-factor-required')
  t.equal(codeOf(await stepUp(here, by, { password: 'right horse staple', code: '000000' }, from, admit)), 'code-wrong')
  t.equal(codeOf(await requireFresh(here, by)), 'step-up-required')
  t.equal(codeOf(await stepUp(here, by, { password: 'right horse staple', code: codeAt(secret) }, from, admit)), 'fine')
  t.equal(codeOf(await requireFreshBesidePassword(there, by, admit)), 'done')
  const { enter } = await member('alone@words.example')
  const alone = await enter()
  await clock.advance(FRESH_MS + 1)
  t.equal(codeOf(await requireFreshBesidePassword(here, alone, admit)), 'done', 'without a factor the password will do')
})

t.test('a changed factor ends every other session once, also where the process ended before it could', async t => {
  const { id, enter } = await member('ends@words.example')
  const [by, other] = [await enter(), await enter()]
  const offer = await second.offerOwnTotp(here, by, from)
  if (isRefusal(offer)) throw new Error(offer.detail)
  const dying = { ...here, accounts: { ...here.accounts, run: () => Promise.reject(new Error('killed')) } }
  await t.rejects(second.confirmOwnTotp(dying, by, codeAt(offer.secret), from), { message: 'killed' })
  const [changed] = (await eventsOf(factorsStream(id))).filter(each => each.type === 'TotpConfirmed')
  if (!changed) throw new Error('not confirmed')
  const follow = factorChangesSubscriber({
    endSessions: async (whose, { meta }) => {
      await endForFactor(here, whose, { ...meta, at: clock.now() })
    },
  })
  await follow.handle([changed], new AbortController().signal)
  await follow.handle([changed], new AbortController().signal)
  const { state } = await here.accounts.load(accountStream(id))
  t.match(state, { epoch: 1, spared: by.sessionId })
  const sessions = await Promise.all([by, other].map(each => here.sessions.load(sessionStream(each.sessionId))))
  t.same(
    sessions.map(each => each.state && state && ofEpoch(each.state, state)),
    [true, false],
  )
  t.equal(codeOf(await second.removeOwnTotp(here, by, from)), 'done')
  t.equal((await here.accounts.load(accountStream(id))).state?.epoch, 2)
})

t.test('a device is known by its token from its first sign-in on, to one account each', async t => {
  const ada = await member('device@words.example')
  const eve = await member('other@words.example')
  const tried: (string | undefined)[] = []
  const enter = (email: string, device?: string, password = 'right horse staple') =>
    signIn(here, { email, password, remember: false }, { ...from, ...defined({ device }) }, async (_, known) => {
      tried.push(known)
    })
  const token = async (email: string, device?: string): Promise<string> => {
    const opened = await enter(email, device)
    return isRefusal(opened) ? opened.refused : (opened.device ?? '')
  }
  const given = await token('device@words.example')
  t.match(given, /^[\w-]{43}$/)
  t.equal(await token('device@words.example', given), given)
  t.equal(await token('other@words.example', given), given, 'one browser, two people')
  for (const odd of ['', 'x', `${given}x`, given.slice(1), `${given.slice(1)} `])
    t.not(await token('device@words.example', odd), odd)
  const [first, known, theirs, ...strange] = tried
  t.same([first, theirs, ...strange], [undefined, undefined, undefined, undefined, undefined, undefined, undefined])
  t.match(known, /^[\w-]{22}$/)
  const added = await eventsOf(devicesStream(ada.id))
  t.same(
    added.map(each => each.data['first']),
    [true, false, false, false, false, false],
  )
  t.equal(added[0]?.data['device'], known)
  t.not((await eventsOf(devicesStream(eve.id)))[0]?.data['device'], known, 'nothing tells that it is the same one')
  t.equal(codeOf(await enter('device@words.example', given, 'wrong')), 'credentials-wrong')
  t.match((await eventsOf(ada.claim)).at(-1), { type: 'SignInFailed', data: { device: String(known) } })
  for (let n = 0; n < MOST_DEVICES; n += 1) await token('device@words.example')
  tried.length = 0
  await token('device@words.example', given)
  t.same(tried, [undefined], 'the oldest is forgotten')
})

t.test('waits grow with the tries; a known device waits for its own tries alone', async t => {
  const cache = openMemoryCache({ clock, max: 1000 })
  const MINUTE = 60_000
  const try_ = async (times: number, trying: Trying): Promise<number | undefined> => {
    let wait: number | undefined
    for (let n = 0; n < times; n += 1) wait = await countTry(cache, trying)
    return wait
  }
  const at = (place: string): Trying => ({ claim: 'c', place })
  t.equal(await try_(10, at('a')), undefined)
  t.equal(await try_(5, at('a')), 15 * MINUTE)
  t.equal(await try_(1, at('b')), undefined, 'from elsewhere')
  t.equal(await try_(1, { claim: 'd', place: 'a' }), undefined, 'at another account')
  await clock.advance(15 * MINUTE)
  t.equal(await try_(10, at('a')), undefined)
  await clock.advance(15 * MINUTE)
  t.equal(await try_(10, at('a')), undefined)
  await clock.advance(15 * MINUTE)
  t.equal(await try_(1, at('a')), (6 * 60 - 45) * MINUTE, 'the wait has grown')
  await clock.advance((6 * 60 - 45) * MINUTE)
  for (const _ of [1, 2, 3]) {
    t.equal(await try_(10, at('a')), undefined)
    await clock.advance(15 * MINUTE)
  }
  await clock.advance(6 * 60 * MINUTE)
  t.equal(await try_(1, at('a')), (24 * 60 - 12 * 60 - 45) * MINUTE, 'and grows on')

  let open = 0
  for (let place = 0; place < 20; place += 1)
    for (let n = 0; n < 10; n += 1)
      if ((await countTry(cache, { claim: 'e', place: `${place}` })) === undefined) open += 1
  t.equal(open, 50, 'guesses from many places are counted together')
  t.ok(await try_(1, { claim: 'e', place: 'its owner, on a new device' }))
  t.equal(await try_(10, { claim: 'e', device: 'its owner' }), undefined)
  t.equal(await try_(1, { claim: 'e', device: 'its owner' }), 15 * MINUTE)
  t.equal(await try_(1, { claim: 'e', device: 'another of theirs' }), undefined)
  const broken = { hit: () => Promise.reject(new Error('away')) }
  t.equal(await countTry(broken, at('a')), undefined)
})

const asked = (options: { readonly challenge: string; readonly user?: { readonly id: string } } | Refusal) => {
  if (isRefusal(options)) throw new Error(options.detail)
  return options
}
const withPasskey = async (address: string, counter = 0) => {
  const person = await member(address)
  const by = await person.enter()
  const key = openAuthenticator(identityOrigin)
  const answer = key.create(asked(await passkeys.registrationOptions(here, by)), { counter })
  const added = await passkeys.addOwnPasskey(here, by, { name: 'Key', answer }, from)
  if (isRefusal(added)) throw new Error(added.detail)
  const enterBy = (spoilt: Spoilt = {}, deps = here) =>
    signInByPasskey(
      deps,
      { passkey: key.get(asked(passkeys.assertionOptions(here, 'sign-in', '')), spoilt), remember: false },
      from,
    )
  return { ...person, by, key, passkeyId: added.id, enterBy }
}

t.test('a passkey is added by an honest answer of its own page, challenge and session, once', async t => {
  const { id, enter } = await member('passkey@words.example')
  const [by, other] = [await enter(), await enter()]
  const key = openAuthenticator(identityOrigin)
  const add = async (spoilt: Spoilt, whose = by, name = 'Key') => {
    const answer = key.create(asked(await passkeys.registrationOptions(here, whose)), spoilt)
    return codeOf(await passkeys.addOwnPasskey(here, by, { name, answer }, from))
  }
  const elsewhere = asked(passkeys.assertionOptions(here, 'sign-in', '')).challenge
  for (const spoilt of [
    { origin: 'https://words.example.evil' },
    { origin: 'http://words.example' },
    { rpId: 'evil' },
    { type: 'webauthn.get' },
    { challenge: elsewhere },
    { challenge: 'AAAA' },
    { format: 'fido-u2f' },
  ])
    t.equal(await add(spoilt), 'passkey-wrong', JSON.stringify(spoilt))
  t.equal(await add({}, other), 'passkey-wrong', 'the challenge of another session')
  for (const name of ['', ' ', 'x'.repeat(65), 'a\u202eb', 'a\nb']) t.equal(await add({}, by, name), 'text-invalid')
  for (const junk of [
    {},
    { id: 'x' },
    { id: 'x', rawId: 'x', type: 'public-key', response: { clientDataJSON: 'e30' } },
  ])
    t.equal(codeOf(await passkeys.addOwnPasskey(here, by, { name: 'n', answer: junk }, from)), 'passkey-wrong')
  const late = key.create(asked(await passkeys.registrationOptions(here, by)))
  await clock.advance(CHALLENGE_MS)
  t.equal(codeOf(await passkeys.addOwnPasskey(here, by, { name: 'Key', answer: late }, from)), 'passkey-wrong')
  t.same(await eventsOf(passkeysStream(id)), [], 'and nothing was written')
  const answer = key.create(asked(await passkeys.registrationOptions(here, by)))
  const twice = [here, there].map(deps => passkeys.addOwnPasskey(deps, by, { name: 'Key', answer }, from))
  t.same((await Promise.all(twice)).map(codeOf).toSorted(), ['fine', 'passkey-wrong'], 'one of two at once')
  t.equal(await add({}), 'passkey-refused', 'one of yours already')
  t.equal((await here.accounts.load(accountStream(id))).state?.epoch, 1, 'other sessions have ended')
  const fresh = await enter()
  for (let n = 1; n < MOST_PASSKEYS; n += 1) {
    const more = openAuthenticator(identityOrigin).create(asked(await passkeys.registrationOptions(here, fresh)))
    t.equal(codeOf(await passkeys.addOwnPasskey(here, fresh, { name: `Key ${n}`, answer: more }, from)), 'fine')
  }
  const more = openAuthenticator(identityOrigin).create(asked(await passkeys.registrationOptions(here, fresh)))
  t.equal(
    codeOf(await passkeys.addOwnPasskey(here, fresh, { name: 'one more', answer: more }, from)),
    'passkey-refused',
  )
  const { webAuthn: _, ...nowhere } = here
  t.equal(codeOf(passkeys.assertionOptions(nowhere, 'sign-in', '')), 'passkeys-off')
})

t.test(
  'a passkey signs in alone, once an answer on all nodes, and never by a copy whose counter went back',
  async t => {
    const { id, key, enterBy, by, passkeyId } = await withPasskey('alone@passkeys.example', 5)
    const eve = await withPasskey('eve@passkeys.example')
    t.equal(codeOf(await enterBy()), 'fine')
    for (const spoilt of [
      { origin: 'https://evil.example' },
      { rpId: 'evil.example' },
      { type: 'webauthn.create' },
      { verified: false },
      { userHandle: Buffer.from(eve.id.replaceAll('-', ''), 'hex').toString('base64url') },
      { userHandle: 'AAAA' },
      { userHandle: '' },
      { challenge: asked(passkeys.assertionOptions(here, 'step-up', '')).challenge },
      { challenge: asked(passkeys.assertionOptions(here, 'sign-in', 'another device')).challenge },
    ])
      t.equal(codeOf(await enterBy(spoilt)), 'passkey-wrong', JSON.stringify(spoilt))
    const answer = key.get(asked(passkeys.assertionOptions(here, 'sign-in', '')))
    const all = [here, there, here, there].map(deps =>
      signInByPasskey(deps, { passkey: answer, remember: false }, from),
    )
    const wrong = 'passkey-wrong'
    t.same((await Promise.all(all)).map(codeOf).toSorted(), ['fine', wrong, wrong, wrong], 'one of four at once')
    const [forged, , tail] = [{ ...answer, response: { ...answer.response, signature: 'AAAA' } }, 0, eve.key.id]
    t.equal(codeOf(await signInByPasskey(here, { passkey: forged, remember: false }, from)), wrong)
    t.equal(
      codeOf(await signInByPasskey(here, { passkey: { ...answer, id: tail, rawId: tail }, remember: false }, from)),
      wrong,
    )
    const failed = (await eventsOf(passkeysStream(id))).filter(each => each.type === 'PasskeyFailed')
    t.equal(failed.length, 8, 'what came in its name and was wrong is noted')
    t.equal(codeOf(await enterBy({ counter: 5 })), wrong, 'the counter went back')
    const last = (await eventsOf(passkeysStream(id))).at(-1)
    t.match(last, { type: 'PasskeyRefused', data: { passkeyId, counter: 5 } }, 'and it is noted')
    t.equal(codeOf(await enterBy({ counter: 1000 })), 'fine')
    t.equal(codeOf(await eve.enterBy({ counter: 0 })), 'fine', 'one that does not count')
    t.equal(codeOf(await eve.enterBy({ counter: 0 })), 'fine')
    const kept = (await here.passkeys.load(passkeysStream(id))).state.answered.size
    await clock.advance(CHALLENGE_MS + 1)
    t.equal(codeOf(await enterBy({ counter: 2000 })), 'fine')
    t.ok(
      kept > 1 && (await here.passkeys.load(passkeysStream(id))).state.answered.size === 1,
      'what ran out is dropped',
    )
    t.equal(codeOf(await passkeys.removeOwnPasskey(here, by, eve.passkeyId, from)), 'passkey-not-found')
    t.equal(codeOf(await passkeys.removeOwnPasskey(here, by, passkeyId, from)), 'done')
    t.equal(codeOf(await enterBy({ counter: 3000 })), wrong)
  },
)

t.test('a passkey takes the place of a code, and proves its holder to a session', async t => {
  const { by, id } = await withTotp('place@passkeys.example')
  const key = openAuthenticator(identityOrigin)
  const answer = key.create(asked(await passkeys.registrationOptions(here, by)))
  t.equal(codeOf(await passkeys.addOwnPasskey(here, by, { name: 'Key', answer }, from)), 'fine')
  const both = (password: string, spoilt: Spoilt = {}) =>
    signIn(
      here,
      {
        email: 'place@passkeys.example',
        password,
        remember: false,
        passkey: key.get(asked(passkeys.assertionOptions(here, 'sign-in', '')), spoilt),
      },
      from,
      admit,
    )
  t.equal(codeOf(await both('wrong')), 'credentials-wrong')
  t.equal(codeOf(await both('right horse staple', { verified: false })), 'fine', 'beside a password no PIN is needed')
  t.equal(codeOf(await both('right horse staple', { origin: 'https://evil.example' })), 'passkey-wrong')
  t.equal((await eventsOf(factorsStream(id))).at(-1)?.type, 'CodeRefused')
  await clock.advance(FRESH_MS + 1)
  const prove = (spoilt: Spoilt, holder = by.sessionId, more: object = {}) => {
    const passkey = key.get(asked(passkeys.assertionOptions(here, 'step-up', holder)), spoilt)
    return stepUp(here, by, { passkey, ...more }, from, admit)
  }
  t.equal(codeOf(await prove({ verified: false })), 'passkey-wrong')
  t.equal(codeOf(await prove({}, 'another session')), 'passkey-wrong')
  const foreign = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')
  t.equal(codeOf(await prove({ userHandle: foreign })), 'passkey-wrong', 'a passkey of another account')
  t.equal(codeOf(await requireFresh(here, by)), 'step-up-required')
  t.equal(codeOf(await prove({})), 'fine')
  t.equal(codeOf(await requireFresh(there, by)), 'done')
  t.equal(codeOf(await prove({ verified: false }, by.sessionId, { password: 'right horse staple' })), 'fine')
})
