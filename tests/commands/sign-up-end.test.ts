/** Sign-ups that nobody confirms: a job for each, which ends them and destroys the key of what was given. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { confirmEmail, requestSignUp } from '../../src/commands/accounts.ts'
import { type From, makeLink } from '../../src/commands/identity.ts'
import { endUnconfirmed, type SignUpEndDeps } from '../../src/commands/sign-up-end.ts'
import type { Recorded } from '../../src/domain/event.ts'
import type { NewJob } from '../../src/ports/jobs.ts'
import { signUpJobs, signUpsSubscriber } from '../../src/subscribers/sign-ups.ts'
import { fakeClock } from '../support/clocks.ts'
import { askForLink, claimOf, identityNode, identitySecret, openIdentityLog } from '../support/identity.ts'
import { openMemoryKeys } from '../support/memory-keys.ts'

const clock = fakeClock()
const keys = openMemoryKeys()
const log = openIdentityLog(clock, store => store, keys)
const from: From = { correlationId: 'r', agent: '' }
const [here, there] = [identityNode(log, clock), identityNode(log, clock)]
const HOUR = 60 * 60_000
const DAY = 24 * HOUR

const queue = new Map<string, NewJob>()
const jobs = async () => ({
  add: async (job: NewJob) => {
    const known = queue.has(job.key)
    if (!known) queue.set(job.key, job)
    return !known
  },
})
const deps = (more: Partial<SignUpEndDeps> = {}): SignUpEndDeps => ({
  addresses: there.addresses,
  accounts: there.accounts,
  clock,
  newId: randomUUID,
  keys,
  ...more,
})

const eventsOf = async (address: string): Promise<readonly Recorded[]> => {
  const events: Recorded[] = []
  for await (const page of log.readStream(claimOf(address))) events.push(...page)
  return events
}
const password = 'correct horse staple'
const typesOf = async (address: string) => (await eventsOf(address)).map(each => each.type)
const tokenOf = async (address: string, type: string): Promise<string> => {
  const event = (await eventsOf(address)).filter(each => each.type === type).at(-1)
  return makeLink(identitySecret, 'verify', claimOf(address), event?.meta.commandId ?? '').token
}
const signUp = async (email: string): Promise<string> => {
  t.equal(await requestSignUp(here, { email, locale: 'en' }, from), 'done')
  const [event] = (await eventsOf(email)).slice(-1)
  if (!event) throw new Error('nothing was received')
  await signUpsSubscriber(jobs).handle([event, event], new AbortController().signal)
  return String(event.data['accountId'])
}
/** Does what is due, as the queue would. */
const work = async (with_: SignUpEndDeps = deps()): Promise<void> => {
  const kind = signUpJobs(jobs, each => endUnconfirmed(with_, each, from))
  for (const job of [...queue.values()])
    if (job.runAt && job.runAt <= clock.now()) {
      await kind.handle({ ...job, signal: new AbortController().signal, held: async () => true })
      queue.delete(job.key)
    }
}
const isOpen = async (accountId: string) => (await keys.find(new Set([`subject:${accountId}`]))).size === 1

t.test('nobody confirms it', async t => {
  const id = await signUp('nobody@words.example')
  t.equal(queue.size, 1, 'one job, however often the event is handled')
  await clock.advance(8 * DAY - 1)
  await work()
  t.ok(await isOpen(id), 'not before')
  await clock.advance(1)
  await work()
  t.notOk(await isOpen(id), 'the key is destroyed')
  t.same(await typesOf('nobody@words.example'), ['SignUpReceived', 'SignUpEnded'])
  const [received, ended] = await eventsOf('nobody@words.example')
  t.ok(received?.removed, 'what was given cannot be read')
  t.equal(ended?.meta.actor.kind, 'system')
  t.not(
    await confirmEmail(here, { token: await tokenOf('nobody@words.example', 'SignUpReceived'), password }, from),
    'done',
  )
  t.equal(await signUp('nobody@words.example').then(isOpen), true, 'the address is free')
})

t.test('it is confirmed', async t => {
  const id = await signUp('somebody@words.example')
  t.match(
    await confirmEmail(here, { token: await tokenOf('somebody@words.example', 'SignUpReceived'), password }, from),
    { device: /./ },
  )
  await clock.advance(9 * DAY)
  await work()
  t.ok(await isOpen(id))
  t.notOk((await typesOf('somebody@words.example')).includes('SignUpEnded'))

  t.comment('somebody signs up with the address of an account')
  const stranger = await signUp('somebody@words.example')
  await clock.advance(8 * DAY)
  await work()
  t.same([await isOpen(stranger), await isOpen(id)], [false, true], 'what was given then goes, and nothing else')
})

t.test('another link is asked for', async t => {
  const id = await signUp('late@words.example')
  await clock.advance(7 * DAY)
  t.equal(await askForLink(here, 'verify', 'late@words.example', from), 'done')
  await clock.advance(DAY)
  await work()
  t.ok(await isOpen(id), 'it is looked at again later')
  t.equal(queue.size, 1)
  await clock.advance(7 * DAY)
  await work()
  t.notOk(await isOpen(id))
  t.equal(queue.size, 0)
})

t.test('a process ends between the event and the key', async t => {
  const id = await signUp('crash@words.example')
  await clock.advance(8 * DAY)
  const gone = deps({ keys: { destroy: async () => Promise.reject(new Error('gone')) } })
  await t.rejects(work(gone), { message: 'gone' })
  t.ok(await isOpen(id))
  await work()
  t.notOk(await isOpen(id))
  t.same(await typesOf('crash@words.example'), ['SignUpReceived', 'SignUpEnded'], 'written once')
})

t.test('it is confirmed in the moment of its end, by a process that ends before there is an account', async t => {
  const id = await signUp('race@words.example')
  const token = await tokenOf('race@words.example', 'SignUpReceived')
  const dying = { ...here, accounts: { ...here.accounts, run: () => Promise.reject(new Error('killed')) } }
  await t.rejects(confirmEmail(dying, { token, password }, from), { message: 'killed' })
  await clock.advance(8 * DAY)
  await work()
  t.ok(await isOpen(id), 'the account that begins at the next sign-in can be read')
})

t.test('a job that is damaged is not tried again', async t => {
  const kind = signUpJobs(jobs, async () => 'ended')
  const job = { key: 'k', data: {}, signal: new AbortController().signal, held: async () => true }
  await t.rejects(kind.handle(job), { name: 'PermanentFailure' })
})
