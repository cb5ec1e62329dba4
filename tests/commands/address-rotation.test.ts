/** A new key for the streams of addresses, while people sign up, sign in, change and leave, on nodes that end in between. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { confirmEmail, createByOperator, requestSignUp, resetPassword } from '../../src/commands/accounts.ts'
import * as moves from '../../src/commands/address-change.ts'
import { completeReclaim, type RotationDeps, rotateAddressKey } from '../../src/commands/address-rotation.ts'
import { type From, makeLink } from '../../src/commands/identity.ts'
import { signIn } from '../../src/commands/sessions.ts'
import { accountStream } from '../../src/domain/account/account.ts'
import { beginErasure, finishErasure, requestErasure } from '../../src/domain/account/erasure.ts'
import { ownerOf, releaseAddress } from '../../src/domain/address/address.ts'
import { ADDRESS_KEYS_STREAM, RETIRE_AFTER_MS } from '../../src/domain/address/keys.ts'
import type { Recorded } from '../../src/domain/event.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { addressMovesSubscriber } from '../../src/subscribers/address-moves.ts'
import { fakeClock } from '../support/clocks.ts'
import { askForLink, claimOf, identityNode, identitySecret, openIdentityLog } from '../support/identity.ts'

const PASSWORD = 'correct horse staple'
const HOUR = 60 * 60_000
const from: From = { correlationId: 'r', agent: 'test' }

const open = () => {
  const clock = fakeClock()
  const log = openIdentityLog(clock)
  const [here, there] = [identityNode(log, clock), identityNode(log, clock)]
  const last = async (stream: string, type: string): Promise<Recorded> => {
    let found: Recorded | undefined
    for await (const page of log.readStream(stream)) found = page.findLast(each => each.type === type) ?? found
    if (!found) throw new Error(`no ${type} on ${stream}`)
    return found
  }
  const linkTo = async (purpose: 'verify' | 'reset' | 'email' | 'revert', stream: string, type: string) =>
    makeLink(identitySecret, purpose, stream, (await last(stream, type)).meta.commandId).token
  const signUp = (email: string, node = here) => requestSignUp(node, { email, locale: 'en' }, from)
  const verifyLink = (email: string, version = 1) => linkTo('verify', claimOf(email, version), 'SignUpReceived')
  const member = async (email: string, version = 1): Promise<string> => {
    t.equal(await signUp(email), 'done')
    t.match(await confirmEmail(here, { token: await verifyLink(email, version), password: PASSWORD }, from), {
      device: /./,
    })
    return String((await last(claimOf(email, version), 'AddressConfirmed')).data['accountId'])
  }
  const enter = async (email: string, node = there): Promise<string> => {
    const opened = await signIn(node, { email, password: PASSWORD, remember: false }, from, async () => {})
    return isRefusal(opened) ? opened.refused : opened.session.accountId
  }
  const accounts = async function* () {
    for await (const { events } of log.readAll(0n, { types: ['AccountCreated'] }))
      for (const { data } of events) yield String(data['accountId'])
  }
  const rotate = async (deps: RotationDeps = here) => {
    const rotation = await rotateAddressKey(deps, accounts, from)
    if (isRefusal(rotation)) throw new Error(rotation.detail)
    return rotation
  }
  /** What the subscriber does with the whole log, from the start once more. */
  const follow = async () => {
    const subscriber = addressMovesSubscriber({
      completeChange: async at => void (await moves.completeChange(there, at, from)),
      completeRevert: async at => void (await moves.completeRevert(there, at, from)),
      completeReclaim: async ({ stream, data }) => {
        const given = { accountId: String(data['accountId']), claim: stream, from: String(data['from']) }
        await completeReclaim(there, given, from)
      },
    })
    for await (const { events } of log.readAll(0n, { types: [...(subscriber.types ?? [])] }))
      await subscriber.handle(events, new AbortController().signal)
  }
  const claimedBy = async (email: string, version: number) =>
    ownerOf((await there.addresses.load(claimOf(email, version))).state)?.accountId
  const account = async (id: string) => (await there.accounts.load(accountStream(id))).state
  const keys = async () => (await there.addressKeys.load(ADDRESS_KEYS_STREAM)).state
  const state = { clock, log, here, there, signUp, verifyLink, linkTo, member, enter, rotate, follow }
  return { ...state, claimedBy, account, keys, last }
}

t.test('everybody moves, nobody notices, and eight days later the old key is retired', async t => {
  const { clock, member, enter, rotate, claimedBy, account, keys, signUp, here, there } = open()
  const [ada, bo] = [await member('ada@a.example'), await member('bo@a.example')]
  const first = await rotate()
  t.match(first, { version: 2, moved: 2, later: 0, taken: [], retired: undefined })
  t.equal(first.retireFrom, new Date(clock.now().getTime() + RETIRE_AFTER_MS).toISOString())
  t.same([await claimedBy('ada@a.example', 1), await claimedBy('ada@a.example', 2)], [undefined, ada])
  t.match(await account(ada), { claim: claimOf('ada@a.example', 2), address: 'ada@a.example' })
  t.same([await enter('ada@a.example'), await enter('bo@a.example', here)], [ada, bo])
  t.equal(await member('new@a.example', 2), await enter('new@a.example'), 'who is new is claimed under the new key')
  t.same(await keys(), { current: 2, before: 1, since: clock.now().toISOString() })

  t.match(await rotate(), { version: 2, moved: 0, retireFrom: first.retireFrom }, 'too early: nothing happens')
  clock.advance(RETIRE_AFTER_MS)
  t.match(await rotate(), { version: 2, moved: 0, retired: 1, retireFrom: undefined })
  t.same(await keys(), { current: 2 })
  t.same([await enter('ada@a.example'), await enter('new@a.example')], [ada, await enter('new@a.example')])
  t.equal(await signUp('ada@a.example', there), 'done')
  t.match(await rotate(), { version: 3, moved: 3 }, 'and once more')
  t.equal(await enter('bo@a.example'), bo)
})

t.test('before an account has moved: found, kept from others, and reset', async t => {
  const { clock, here, there, member, enter, log, last, linkTo, claimedBy, account, rotate } = open()
  const id = await member('ada@a.example')
  // The key stands, and the process ends before anybody is moved.
  await t.rejects(
    rotate({ ...there, accounts: { ...there.accounts, load: () => Promise.reject(new Error('killed')) } }),
  )
  t.equal(await enter('ada@a.example'), id)
  t.equal(await requestSignUp(there, { email: 'ada@a.example', locale: 'en' }, from), 'done')
  t.match((await last(claimOf('ada@a.example', 2), 'SignUpReceived')).data, { held: true }, 'its owner is told instead')
  t.equal(await askForLink(there, 'reset', 'ada@a.example', from), 'done')
  const reset = await linkTo('reset', claimOf('ada@a.example'), 'PasswordResetRequested')
  t.match(await rotate(), { moved: 0, later: 1 }, 'a link that leads to the old claim is waited for')
  clock.advance(20 * 60_000)
  t.match(await resetPassword(here, { token: reset, password: 'another horse staple' }, from), { device: /./ })
  const created = await createByOperator(here, {
    email: 'ada@a.example',
    role: 'admin',
    password: 'x',
    reason: 'A test.',
  })
  t.match(created, { accountId: id, password: undefined }, 'the command line finds it too')
  t.match(await rotate(), { moved: 1, later: 0 })
  t.equal(await claimedBy('ada@a.example', 2), id)
  t.match(await account(id), { claim: claimOf('ada@a.example', 2), former: [claimOf('ada@a.example')] })
  const addresses: string[] = []
  for await (const { events } of log.readAll(0n))
    for (const { type, data } of events) if (type === 'AddressRekeyed') addresses.push(JSON.stringify(data))
  t.notMatch(addresses.join(), 'ada')
})

t.test('who asks for a reset again and again keeps no account under the old key', async t => {
  const { clock, there, member, rotate, claimedBy } = open()
  const id = await member('ada@a.example')
  await askForLink(there, 'reset', 'ada@a.example', from)
  t.match(await rotate(), { moved: 0, later: 1 })
  for (let asked = 0; asked < 4; asked += 1) {
    clock.advance(16 * 60_000)
    await askForLink(there, 'reset', 'ada@a.example', from)
  }
  t.match(await rotate(), { moved: 1, later: 0 })
  t.equal(await claimedBy('ada@a.example', 2), id)
})

t.test('links that were on their way: they work, but not beside who has the address by now', async t => {
  const { clock, here, there, signUp, verifyLink, member, enter, rotate, linkTo } = open()
  await signUp('slow@a.example')
  await signUp('twice@a.example')
  const [slow, twice] = [await verifyLink('slow@a.example'), await verifyLink('twice@a.example')]
  await rotate()
  clock.advance(60_000)
  t.equal(await askForLink(there, 'verify', 'slow@a.example', from), 'done')
  const again = await linkTo('verify', claimOf('slow@a.example'), 'VerificationResent')
  t.not(again, slow, 'another link is of the sign-up that waits, under whichever key')
  t.match(await confirmEmail(there, { token: again, password: PASSWORD }, from), { device: /./ })
  const id = await enter('slow@a.example')
  t.match(await rotate(), { moved: 1 })
  t.equal(await enter('slow@a.example'), id)

  const owner = await member('twice@a.example', 2)
  const refused = await confirmEmail(here, { token: twice, password: PASSWORD }, from)
  t.equal(isRefusal(Object(refused)) && Object(refused).refused, 'link-invalid')
  t.equal(await enter('twice@a.example'), owner)
})

t.test('changes of address: to one that somebody has under the old key, and one that was asked for before', async t => {
  const { clock, here, there, member, enter, rotate, linkTo, last, claimedBy, account } = open()
  const [ada, bo] = [await member('ada@a.example'), await member('bo@a.example')]
  await t.rejects(
    rotate({ ...there, accounts: { ...there.accounts, load: () => Promise.reject(new Error('killed')) } }),
  )
  const change = (id: string, email: string) =>
    moves.requestAddressChange(here, id, { email, password: PASSWORD }, from)
  t.match(await change(ada, 'ada@a.example'), { refused: 'email-invalid' }, 'its own, under whichever key')
  t.equal(await change(ada, 'bo@a.example'), 'done')
  t.match((await last(claimOf('bo@a.example', 2), 'AddressChangeRequested')).data, { held: true })
  t.equal(await change(ada, 'ada@b.example'), 'done')
  const link = await linkTo('email', claimOf('ada@b.example', 2), 'AddressChangeRequested')
  t.equal(await moves.confirmAddressChange(there, { token: link, password: PASSWORD }, from, async () => {}), 'done')
  t.equal(await enter('ada@b.example'), ada)
  t.match(await rotate(), { moved: 1 }, 'only who still has an address under the old key')
  t.equal(await claimedBy('bo@a.example', 2), bo)

  const back = await linkTo('revert', claimOf('ada@a.example'), 'AddressLeft')
  t.equal(await moves.revertAddressChange(here, back, from, async () => 'done'), 'done', 'the way back leads there too')
  t.match(await account(ada), { claim: claimOf('ada@a.example') })
  clock.advance(RETIRE_AFTER_MS)
  t.match(await rotate(), { moved: 1, retired: 1 }, 'and it moves as well')
  t.equal(await claimedBy('ada@a.example', 2), ada)
})

t.test('a process that ends between any two streams leaves nothing that is not mended', async t => {
  for (const [kind, after] of [
    ['addresses', 1],
    ['accounts', 0],
    ['addresses', 0],
  ] as const) {
    const { here, member, enter, rotate, follow, claimedBy, account } = open()
    const id = await member('ada@a.example')
    let left: number = after
    const run = () => {
      left -= 1
      return left < 0 ? Promise.reject(new Error('killed')) : undefined
    }
    const dying: RotationDeps =
      kind === 'addresses'
        ? { ...here, addresses: { ...here.addresses, run: (...given) => run() ?? here.addresses.run(...given) } }
        : { ...here, accounts: { ...here.accounts, run: (...given) => run() ?? here.accounts.run(...given) } }
    await t.rejects(rotate(dying), /killed/)
    t.equal(await enter('ada@a.example'), id, `${kind} ${after}: in between`)
    await follow()
    t.match(await rotate(), { taken: [], later: 0 })
    t.match(await account(id), { claim: claimOf('ada@a.example', 2) })
    t.same([await claimedBy('ada@a.example', 1), await claimedBy('ada@a.example', 2)], [undefined, id])
    t.equal(await enter('ada@a.example'), id, `${kind} ${after}: afterwards`)
  }
})

t.test('who leaves meanwhile: an erasure that is wanted waits, one that is done leaves the address free', async t => {
  const { clock, here, there, member, rotate, follow, claimedBy } = open()
  const id = await member('ada@a.example')
  const by = () => ({
    commandId: randomUUID(),
    correlationId: 'r',
    at: clock.now(),
    actor: { kind: 'account' as const, id },
  })
  // The move was begun, and the account is erased before it can follow.
  const killed = { ...here.accounts, run: () => Promise.reject(new Error('killed')) }
  await t.rejects(rotate({ ...here, accounts: killed }), /killed/)
  const decided = async (decide: ReturnType<typeof beginErasure>) =>
    t.notOk(isRefusal(await there.accounts.run(accountStream(id), decide, by())))
  await decided(requestErasure('anonymised', 'x', clock.now()))
  t.match(await rotate(), { later: 1, retired: undefined })
  clock.advance(25 * HOUR)
  await decided(beginErasure(clock.now(), undefined))
  const claims = [claimOf('ada@a.example')]
  for (const claim of claims) await there.addresses.run(claim, releaseAddress(id), by())
  await decided(finishErasure(claims))
  t.equal(await claimedBy('ada@a.example', 2), id, 'nobody else could have it')
  await follow()
  t.equal(await claimedBy('ada@a.example', 2), undefined)
  t.not(await member('ada@a.example', 2), id, 'and now they can')
})

t.test('an address that two have, which no order leads to, is told and moved for neither', async t => {
  const { here, member, rotate, enter } = open()
  const id = await member('ada@a.example')
  await t.rejects(rotate({ ...here, accounts: { ...here.accounts, load: () => Promise.reject(new Error('killed')) } }))
  const by = {
    commandId: randomUUID(),
    correlationId: 'r',
    at: new Date(),
    actor: { kind: 'system' as const, id: 's' },
  }
  await here.addresses.run(
    claimOf('ada@a.example', 2),
    () => [
      {
        type: 'AddressReclaimed',
        data: { accountId: 'other', from: 'x', address: 'ada@a.example', locale: 'en', linkHash: 'x' },
      },
    ],
    by,
  )
  t.match(await rotate(), { moved: 0, taken: [id] })
  t.not(await enter('ada@a.example'), id)
})
