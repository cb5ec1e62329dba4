/** The port of passwords as it is in earnest: what is kept, hashed anew where it is too cheap, and how many at once. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { openPasswords } from '../../src/adapters/passwords/argon2.ts'
import { changePassword, confirmEmail, requestSignUp } from '../../src/commands/accounts.ts'
import { type From, makeLink } from '../../src/commands/identity.ts'
import { signIn } from '../../src/commands/sessions.ts'
import { accountStream } from '../../src/domain/account/account.ts'
import type { Recorded } from '../../src/domain/event.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { PasswordsBusyError } from '../../src/ports/passwords.ts'
import { fakeClock } from '../support/clocks.ts'
import { claimOf, identityNode, identitySecret, openIdentityLog } from '../support/identity.ts'

const pepper = new Uint8Array(32).fill(7)
const cheap = { memoryCost: 64, timeCost: 1, parallelism: 1 }
const dear = { memoryCost: 128, timeCost: 2, parallelism: 1 }
const from: From = { correlationId: 'r', agent: 'test' }
const email = 'ada@a.example'
const password = 'correct horse staple'

t.test('a hash that is too cheap today is made anew at the sign-in, and nobody is signed out', async t => {
  const clock = fakeClock()
  const log = openIdentityLog(clock)
  const node = identityNode(log, clock)
  const of = async (cost: typeof cheap) => ({
    ...node,
    passwords: await openPasswords({ pepper, concurrency: 1, cost }),
  })
  const [before, after] = [await of(cheap), await of(dear)]
  const events = async (stream: string, type: string) => {
    const found: Recorded[] = []
    for await (const page of log.readStream(stream)) found.push(...page.filter(each => each.type === type))
    return found
  }
  await requestSignUp(before, { email, locale: 'en' }, from)
  const [asked] = await events(claimOf(email), 'SignUpReceived')
  const { token } = makeLink(identitySecret, 'verify', claimOf(email), asked?.meta.commandId ?? '')
  t.match(await confirmEmail(before, { token, password }, from), { device: /./ })
  const enter = async (deps: typeof before, given = password) => {
    const opened = await signIn(deps, { email, password: given, remember: false }, from, async () => {})
    if (isRefusal(opened)) return opened.refused
    return { accountId: opened.session.accountId, sessionId: opened.session.id }
  }
  const first = await enter(before)
  if (typeof first === 'string') throw new Error(first)
  const stream = accountStream(first.accountId)
  const set = () => events(stream, 'PasswordSet')
  t.equal((await set()).length, 0, 'it costs what it is to')
  t.equal(await enter(after, 'not the right one'), 'credentials-wrong')
  t.equal((await set()).length, 0, 'who does not know it changes nothing')
  const kept = async () => (await node.accounts.load(stream)).state?.password
  const old = await kept()
  t.match(await enter(after), { accountId: first.accountId })
  t.match(
    (await set()).map(({ data }) => data['reason']),
    ['rehashed'],
  )
  t.not(await kept(), old)
  t.equal((await node.accounts.load(stream)).state?.epoch, 0, 'sessions go on')
  t.match(await after.passwords.check(password, await kept()), { matches: true, outdated: false })
  t.match(await enter(after), { accountId: first.accountId })
  t.equal((await set()).length, 1, 'once')
  t.match(await enter(before), { accountId: first.accountId })
  t.equal((await set()).length, 1, 'a node with the parameters of before makes it no cheaper')

  const busy = { ...after, passwords: { ...after.passwords, check: () => Promise.reject(new PasswordsBusyError(2)) } }
  await t.rejects(enter(busy), { name: 'PasswordsBusyError', retryAfter: 2 })
  await t.rejects(changePassword(busy, first, { current: password, next: `${password}s` }, from), {
    name: 'PasswordsBusyError',
  })
  t.equal((await set()).length, 1, 'nothing was tried')
})

t.test('what is kept says to the service alone whether the password is short', async t => {
  const passwords = await openPasswords({ pepper, concurrency: 1, cost: cheap })
  const [short, long] = [await passwords.hash('grape 17'), await passwords.hash(password)]
  t.strictSame([passwords.isShort(short), passwords.isShort(long)], [true, false])
  t.match(await passwords.check('grape 17', short), { matches: true, outdated: false })
  t.match(await passwords.check('grape 18', short), { matches: false })
  t.match(await passwords.check('grape 17', undefined), { matches: false })
  t.notMatch(short + Buffer.from(short.slice(2), 'base64url').toString('latin1'), /short|argon2/)
  const other = await openPasswords({ pepper: new Uint8Array(32).fill(8), concurrency: 1, cost: cheap })
  await t.rejects(other.check('grape 17', short), 'of no use without the key')
})

t.test('so many at once, so many wait, and whoever comes then is told to come again', async t => {
  const [concurrency, waiting] = [2, 32]
  const passwords = await openPasswords({ pepper, concurrency, cost: cheap })
  const kept = await passwords.hash(password)
  // All are asked for before any of them can be done: the threads answer in a later turn.
  const asked = Array.from({ length: concurrency + waiting + 5 }, (_, n) =>
    n % 2 === 0 ? passwords.check(password, kept) : passwords.hash(`${password} ${randomUUID()}`),
  )
  const outcomes = await Promise.allSettled(asked)
  const refused = outcomes.filter(each => each.status === 'rejected').map(each => each.reason)
  t.equal(refused.length, 5)
  t.ok(refused.every(each => each instanceof PasswordsBusyError && each.retryAfter > 0))
  t.ok(
    outcomes.slice(0, concurrency + waiting).every(each => each.status === 'fulfilled'),
    'those who waited are served, in their turn',
  )
  t.match(await passwords.check(password, kept), { matches: true }, 'and then there is room again')
  const failing = await Promise.allSettled(Array.from({ length: 10 }, () => passwords.check(password, '1.AAAA')))
  t.ok(failing.every(each => each.status === 'rejected'))
  t.match(await passwords.check(password, kept), { matches: true }, 'what fails gives its place back')
})
