/** A change of address over three streams: races, processes that end between the streams, and the way back. */
import { randomBytes, randomUUID } from 'node:crypto'
import t from 'tap'
import { requestSignUp } from '../../src/commands/accounts.ts'
import * as moves from '../../src/commands/address-change.ts'
import { completeReclaim } from '../../src/commands/address-rotation.ts'
import { newTotp, recoveryHash, totpStep } from '../../src/commands/factor-codes.ts'
import { type From, makeLink } from '../../src/commands/identity.ts'
import { requestFor } from '../../src/commands/link-requests.ts'
import { accountStream, createAccount, setPassword } from '../../src/domain/account/account.ts'
import { confirmAddress, ownerOf, signUp } from '../../src/domain/address/address.ts'
import { REVERT_DAYS } from '../../src/domain/address/change-events.ts'
import { lives } from '../../src/domain/address/links.ts'
import type { Recorded } from '../../src/domain/event.ts'
import { claimIdentity, openIdStream } from '../../src/domain/openid/claim.ts'
import { identitiesStream, linkIdentity } from '../../src/domain/openid/linked-identities.ts'
import type { Refusal } from '../../src/domain/refusal.ts'
import { addPasskey, passkeysStream } from '../../src/domain/session/passkeys.ts'
import { confirmTotp, factorsStream, makeRecoveryCodes, offerTotp } from '../../src/domain/session/second-factor.ts'
import { addressMovesSubscriber } from '../../src/subscribers/address-moves.ts'
import { codeAt } from '../support/authenticator.ts'
import { fakeClock } from '../support/clocks.ts'
import { forgedOf } from '../support/forged.ts'
import { claimOf, identityNode, identitySecret, openIdentityLog } from '../support/identity.ts'

const clock = fakeClock()
const log = openIdentityLog(clock)
const [here, there] = [identityNode(log, clock), identityNode(log, clock)]
const from: From = { correlationId: 'r', agent: '' }
const HOUR = 60 * 60_000

const codeOf = (outcome: 'done' | Refusal): string => (outcome === 'done' ? outcome : outcome.refused)

const account = async (address: string): Promise<string> => {
  const [id, stream] = [randomUUID(), claimOf(address)]
  const by = () => ({
    commandId: randomUUID(),
    correlationId: 'r',
    at: clock.now(),
    actor: { kind: 'system' as const, id: 's' },
  })
  const given = { accountId: id, address, locale: 'en' as const }
  const password = 'hashed right'
  await here.addresses.run(stream, signUp({ ...given, linkHash: id, now: clock.now() }), by())
  await here.addresses.run(stream, confirmAddress(id, clock.now(), password), by())
  await here.accounts.run(accountStream(id), createAccount({ ...given, password, claim: stream }), by())
  return id
}
const request = async (id: string, email: string, password = 'right', deps = here): Promise<string> =>
  codeOf(await moves.requestAddressChange(deps, id, { email, password }, from))

/** The token that the mail about the last such event of an address has. */
const tokenOf = async (purpose: 'email' | 'revert', address: string): Promise<string> => {
  const type = purpose === 'email' ? 'AddressChangeRequested' : 'AddressLeft'
  let found: Recorded | undefined
  for await (const page of log.readStream(claimOf(address)))
    for (const event of page) if (event.type === type) found = event
  if (!found) throw new Error(`no ${type}`)
  return makeLink(identitySecret, purpose, claimOf(address), found.meta.commandId).token
}
/** What was counted before a password was looked at. */
const tries: (readonly [string, string | undefined])[] = []
const admit = async (claim: string, holder?: string): Promise<void> => void tries.push([claim, holder])
const confirm = async (token: string, deps: typeof there = there, proof: object = {}): Promise<string> =>
  codeOf(await moves.confirmAddressChange(deps, { token, password: 'right', ...proof }, from, admit))
const revert = async (token: string, deps: moves.MoveDeps = there): Promise<string> =>
  codeOf(await moves.revertAddressChange(deps, token, from, at => requestFor(there, 'reset', at, from)))
const stateOf = async (id: string) => (await there.accounts.load(accountStream(id))).state
const ownerAt = async (address: string) => ownerOf((await there.addresses.load(claimOf(address))).state)?.accountId

const subscriber = addressMovesSubscriber({
  completeChange: async at => void (await moves.completeChange(there, at, from)),
  completeReclaim: async ({ stream, data }) => {
    const given = { accountId: String(data['accountId']), claim: stream, from: String(data['from']) }
    await completeReclaim(there, given, from)
  },
  completeRevert: async at => void (await moves.completeRevert(there, at, from)),
})
/** What the subscriber does with the whole log, from the start once more. */
const follow = async (): Promise<void> => {
  for await (const { events } of log.readAll(0n))
    await subscriber.handle(
      events.filter(({ type }) => subscriber.types?.includes(type)),
      new AbortController().signal,
    )
}
const dying = (deps: typeof there, stream: 'accounts' | 'addresses', after = 0): typeof there => {
  let left = after
  const run = () => {
    left -= 1
    return left < 0 ? Promise.reject(new Error('killed')) : undefined
  }
  return {
    ...deps,
    ...(stream === 'accounts'
      ? { accounts: { ...deps.accounts, run: (...given) => run() ?? deps.accounts.run(...given) } }
      : { addresses: { ...deps.addresses, run: (...given) => run() ?? deps.addresses.run(...given) } }),
  }
}

t.test('asked for with the password, confirmed by the link, and the old address is left', async t => {
  const id = await account('one@a.example')
  t.equal(await request(id, 'two@a.example', 'wrong'), 'credentials-wrong')
  t.equal(await request(id, 'no address'), 'email-invalid')
  t.equal(await request(id, 'ONE@a.example'), 'email-invalid', 'it is that already')
  t.equal(await request('nobody', 'two@a.example'), 'account-not-found')
  t.equal(await request(id, 'two@a.example'), 'done')
  t.equal((await stateOf(id))?.address, 'one@a.example', 'nothing has changed yet')
  t.equal(await ownerAt('two@a.example'), undefined)
  const token = await tokenOf('email', 'two@a.example')
  t.equal(await confirm(forgedOf(token)), 'link-invalid')
  t.equal(await confirm(token), 'done')
  t.match(await stateOf(id), { address: 'two@a.example', claim: claimOf('two@a.example'), password: 'hashed right' })
  t.equal(await ownerAt('one@a.example'), undefined)
  t.equal(await confirm(token), 'link-used')
})

t.test('a link that went astray moves nobody: it takes the password too, and the code where there is one', async t => {
  const id = await account('typist@a.example')
  await request(id, 'mistyped@a.example')
  const token = await tokenOf('email', 'mistyped@a.example')
  const before = tries.length
  t.equal(await confirm(token, there, { password: 'guessed' }), 'credentials-wrong')
  t.equal((await stateOf(id))?.address, 'typist@a.example')
  t.same(
    tries.slice(before).map(([claim]) => claim),
    [claimOf('typist@a.example')],
  )
  t.match(tries.at(-1)?.[1], /^link /, 'by the link, which nobody else has')
  let noted: Recorded | undefined
  for await (const page of log.readStream(claimOf('typist@a.example'))) noted = page.at(-1)
  t.match(noted, { type: 'SignInFailed', data: { reason: 'step-up' } }, 'the owner finds it')
  t.equal(await confirm(forgedOf(token), there, { password: 'guessed' }), 'link-invalid')
  t.equal(tries.length, before + 1, 'a link that is none counts no try')
  const refused = async () => Promise.reject(new Error('too many tries'))
  const proof = { token, password: 'right' }
  await t.rejects(moves.confirmAddressChange(there, proof, from, refused), { message: 'too many tries' })

  // The owner changes the password that the other one knows: the link that is on its way is good for nothing.
  const by = { commandId: randomUUID(), correlationId: 'r', at: clock.now(), actor: { kind: 'account' as const, id } }
  await here.accounts.run(accountStream(id), setPassword('hashed another', 'changed'), by)
  t.equal(await confirm(token), 'credentials-wrong')

  const [secret, factor] = [newTotp(identitySecret, id, 'typist@a.example', randomBytes), factorsStream(id)]
  const enable = () => ({ ...by, commandId: randomUUID(), at: clock.now() })
  await here.factors.run(factor, offerTotp(id, secret.kept), enable())
  const given = codeAt(clock.now(), secret.secret)
  await here.factors.run(
    factor,
    confirmTotp('s', totpStep(identitySecret, id, given, clock.now()), clock.now()),
    enable(),
  )
  await clock.advance(30_000)
  const code = codeAt(clock.now(), secret.secret)
  t.equal(await confirm(token, there, { password: 'another' }), 'second-factor-required')
  t.equal(await confirm(token, there, { password: 'another', code: '000000' }), 'code-wrong')
  t.equal((await stateOf(id))?.address, 'typist@a.example')
  t.equal(await confirm(token, there, { password: 'another', code }), 'done')
  t.equal((await stateOf(id))?.address, 'mistyped@a.example')
})

t.test('links stay good until their own end, whoever asks for others', async t => {
  const [id, other] = [await account('old@a.example'), await account('pest@a.example')]
  const ask = async (who: string): Promise<string> => {
    await request(who, 'new@a.example')
    return tokenOf('email', 'new@a.example')
  }
  const first = await ask(id)
  const theirs = await ask(other)
  t.not(theirs, first, 'one account takes no mail from another one')
  t.equal(await confirm(await ask(other)), 'link-invalid', 'one mail a minute: this one has no link')
  await clock.advance(HOUR)
  await clock.advance(lives.change - HOUR)
  t.equal(await confirm(first), 'link-expired')
  t.equal((await stateOf(id))?.address, 'old@a.example')
  const second = await ask(id)
  t.equal(await confirm(second), 'done')
  t.equal(await confirm(theirs), 'link-invalid')
  t.equal((await stateOf(id))?.address, 'new@a.example')
})

t.test('an address that somebody has is not moved to, and the log says the same of both cases', async t => {
  const [id] = [await account('mine@a.example'), await account('theirs@a.example')]
  t.equal(await request(id, 'theirs@a.example'), 'done')
  t.equal(await confirm(await tokenOf('email', 'theirs@a.example')), 'link-invalid')
  const types: string[] = []
  for await (const page of log.readStream(claimOf('theirs@a.example'))) types.push(...page.map(each => each.type))
  t.equal(types.at(-1), 'AddressChangeRequested')
})

t.test('two accounts and one address: one has it', async t => {
  const [a, b] = [await account('racer-a@a.example'), await account('racer-b@a.example')]
  await Promise.all([request(a, 'prize@a.example', 'right', here), request(b, 'prize@a.example', 'right', there)])
  const token = await tokenOf('email', 'prize@a.example')
  const outcomes = await Promise.all([confirm(token, here), confirm(token, there), confirm(token, here)])
  t.equal(outcomes.filter(each => each === 'done').length, 1)
  const owner = await ownerAt('prize@a.example')
  for (const id of [a, b])
    t.equal((await stateOf(id))?.address, id === owner ? 'prize@a.example' : `racer-${id === a ? 'a' : 'b'}@a.example`)
})

t.test('two changes of one account on their way: the second link leads nowhere and keeps no address', async t => {
  const id = await account('fork@a.example')
  await request(id, 'left@a.example')
  await request(id, 'right@a.example')
  const [left, right] = [await tokenOf('email', 'left@a.example'), await tokenOf('email', 'right@a.example')]
  t.equal(await confirm(left), 'done')
  t.equal(await confirm(right), 'link-invalid')
  // Both at the same moment: neither saw the other.
  const other = await account('knife@a.example')
  await request(other, 'edge-1@a.example')
  await request(other, 'edge-2@a.example')
  const tokens = [await tokenOf('email', 'edge-1@a.example'), await tokenOf('email', 'edge-2@a.example')]
  await Promise.all(tokens.map((token, at) => confirm(token, at === 0 ? here : there)))
  await follow()
  const address = (await stateOf(other))?.address
  t.match(address, /^edge-[12]@a\.example$/)
  const lost = address === 'edge-1@a.example' ? 'edge-2@a.example' : 'edge-1@a.example'
  t.equal(await ownerAt(lost), undefined)
  t.equal(codeOf(await requestSignUp(there, { email: lost, locale: 'en' }, from)), 'done')
  t.ok((await there.addresses.load(claimOf(lost))).state.pending.length > 0, 'anybody may have it')
})

t.test(
  'a process that ends between the streams is finished for by the subscriber, and once more does nothing',
  async t => {
    const id = await account('crash@a.example')
    await request(id, 'after@a.example')
    const token = await tokenOf('email', 'after@a.example')
    await t.rejects(confirm(token, dying(there, 'accounts')), { message: 'killed' })
    t.equal((await stateOf(id))?.address, 'crash@a.example')
    await follow()
    t.equal((await stateOf(id))?.address, 'after@a.example')
    t.equal(await ownerAt('crash@a.example'), undefined, 'and the old one is left')

    await request(id, 'third@a.example')
    await t.rejects(confirm(await tokenOf('email', 'third@a.example'), dying(there, 'addresses', 1)), {
      message: 'killed',
    })
    t.equal((await stateOf(id))?.address, 'third@a.example')
    t.equal(await ownerAt('after@a.example'), id, 'not left yet')
    await follow()
    t.equal(await ownerAt('after@a.example'), undefined)
    const head = await log.head()
    await follow()
    t.equal(await log.head(), head)

    await t.rejects(revert(await tokenOf('revert', 'crash@a.example'), dying(there, 'accounts')), { message: 'killed' })
    await follow()
    t.match(await stateOf(id), { address: 'crash@a.example', epoch: 1 })
    t.equal(await ownerAt('third@a.example'), undefined)
  },
)

t.test('who was robbed of an account takes it back, and the intruder has no way in', async t => {
  const id = await account('victim@a.example')
  for (const to of ['evil-1@a.example', 'evil-2@a.example']) {
    await request(id, to)
    t.equal(await confirm(await tokenOf('email', to)), 'done')
  }
  const [back, theirs] = [await tokenOf('revert', 'victim@a.example'), await tokenOf('revert', 'evil-1@a.example')]
  t.equal(await revert(back), 'done')
  const state = await stateOf(id)
  t.match(state, { address: 'victim@a.example', epoch: 1 }, 'every session has ended')
  t.equal(state?.password, undefined, 'and the password that the intruder knows is none')
  t.equal(await revert(theirs), 'link-invalid', 'their own way back is closed')
  t.equal(await revert(back), 'link-used')
  t.equal(await ownerAt('evil-2@a.example'), undefined)
  t.ok(
    (await there.addresses.load(claimOf('victim@a.example'))).state.resets.length > 0,
    'a mail to set a password is on its way',
  )
  await follow()
  t.equal((await stateOf(id))?.address, 'victim@a.example', 'what happened before is not done again')
})

/** A recovery code of whoever has an authenticator here. */
const CODE = 'abcd-efgh-jkmn-pqrs'

/** A passkey, an authenticator with a code to recover by, and an identity at a provider, whose names begin so. */
const addWaysIn = async (id: string, name: string): Promise<void> => {
  const by = () => ({
    commandId: randomUUID(),
    correlationId: 'r',
    at: clock.now(),
    actor: { kind: 'account' as const, id },
  })
  const passkey = { accountId: id, passkeyId: name, sessionId: 's', credentialId: name, publicKey: 'k', name }
  const answered = { counter: 0, backedUp: false, nonce: name, nonceUntil: clock.now().toISOString() }
  await here.passkeys.run(passkeysStream(id), addPasskey({ ...passkey, ...answered }), by())
  await here.factors.run(factorsStream(id), offerTotp(id, name), by())
  await here.factors.run(
    factorsStream(id),
    confirmTotp('s', () => 1, clock.now()),
    by(),
  )
  const hash = recoveryHash(identitySecret, id, CODE) ?? ''
  await here.factors.run(factorsStream(id), makeRecoveryCodes(id, [hash]), by())
  const claim = openIdStream(1, name)
  await here.claims.run(claim, claimIdentity(id, undefined), by())
  const { state } = await here.claims.load(claim)
  const claimId = state.holder?.id ?? ''
  const identity = { accountId: id, claim, claimId, provider: 'p', issuer: 'https://p.example', subject: name }
  await here.linked.run(identitiesStream(id), linkIdentity(identity), by())
}
const waysIn = async (id: string) => ({
  passkeys: (await there.passkeys.load(passkeysStream(id))).state.items.map(each => each.id),
  totp: (await there.factors.load(factorsStream(id))).state.totp !== undefined,
  identities: (await there.linked.load(identitiesStream(id))).state.items.map(each => each.subject),
})

t.test('what an intruder added to sign in with goes, what was there before stays', async t => {
  const [id, other] = [await account('owner@a.example'), await account('bare@a.example')]
  await addWaysIn(id, 'own')
  await clock.advance(3 * 24 * HOUR)
  for (const [each, to] of [
    [id, 'thief@a.example'],
    [other, 'thief-2@a.example'],
  ] as const) {
    await request(each, to)
    await addWaysIn(each, `first-${to}`)
    await clock.advance(HOUR)
    t.equal(await confirm(await tokenOf('email', to), there, { code: CODE }), 'done')
    await addWaysIn(each, `theirs-${to}`)
  }
  await clock.advance(HOUR)
  t.equal(await revert(await tokenOf('revert', 'owner@a.example')), 'done')
  t.same(await waysIn(id), { passkeys: ['own'], totp: true, identities: ['own'] })
  t.notOk((await there.claims.load(openIdStream(1, 'theirs-thief@a.example'))).state.holder, 'free for its owner')

  await t.rejects(revert(await tokenOf('revert', 'bare@a.example'), dying(there, 'addresses', 1)), {
    message: 'killed',
  })
  await follow()
  t.same(await waysIn(other), { passkeys: [], totp: false, identities: [] })

  await clock.advance(HOUR)
  await addWaysIn(other, 'mine-again')
  await follow()
  t.same(
    await waysIn(other),
    { passkeys: ['mine-again'], totp: true, identities: ['mine-again'] },
    'and once more it takes nothing of what came after',
  )
})

t.test('an address that was left is kept for a week, then anybody may have it', async t => {
  const id = await account('week@a.example')
  await request(id, 'elsewhere@a.example')
  await confirm(await tokenOf('email', 'elsewhere@a.example'))
  const back = await tokenOf('revert', 'week@a.example')
  const asked = async () => {
    await requestSignUp(here, { email: 'week@a.example', locale: 'en' }, from)
    return (await there.addresses.load(claimOf('week@a.example'))).state.pending.length > 0
  }
  t.notOk(await asked(), 'not while its owner may come back')
  await requestFor(here, 'reset', claimOf('week@a.example'), from)
  t.equal(
    (await there.addresses.load(claimOf('week@a.example'))).state.resets.at(-1)?.accountId,
    undefined,
    'no way in by it',
  )
  await clock.advance(REVERT_DAYS * 24 * HOUR)
  t.equal(await revert(back), 'link-expired')
  t.ok(await asked())
})
