/**
 * What a stranger may ask about an address costs the same whether or not somebody has it: as many hashes, appends, streams read,
 * keys and jobs. Clocks cannot tell two such requests apart when their work is the same, so the work is counted; bench/identity.ts
 * has the times. Who asks for a link is answered before a single event of the address is read (decision 105). A sign-in opens what
 * is sealed of the account, and leaves on a beat instead (tests/commands/beat).
 */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { openRecipients } from '../../src/app/recipients.ts'
import { confirmEmail, requestSignUp } from '../../src/commands/accounts.ts'
import { requestAddressChange } from '../../src/commands/address-change.ts'
import { type From, makeLink } from '../../src/commands/identity.ts'
import { type LinkWish, linkJobs, requestLink } from '../../src/commands/link-requests.ts'
import { signIn } from '../../src/commands/sessions.ts'
import { ADDRESS_KEYS_STREAM, addKey } from '../../src/domain/address/keys.ts'
import type { Recorded } from '../../src/domain/event.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import type { EventStore } from '../../src/ports/event-store.ts'
import type { NewJob } from '../../src/ports/jobs.ts'
import { accountRules } from '../../src/subscribers/account-mail.ts'
import { MAIL_JOB, mailJobs, mailSubscriber } from '../../src/subscribers/mail.ts'
import { fakeClock } from '../support/clocks.ts'
import { claimOf, type IdentityNode, identityNode, identitySecret, openIdentityLog } from '../support/identity.ts'
import { type MemoryKeys, openMemoryKeys } from '../support/memory-keys.ts'

const clock = fakeClock()
/** `rows`: events read of streams; `keys`: how often keys are asked for, to seal or to open; `found`: what is opened. */
const none = { hashes: 0, appends: 0, events: 0, reads: 0, rows: 0, keys: 0, found: 0 }
const counts = { ...none }
const counted = (store: EventStore): EventStore => ({
  ...store,
  append: (stream, expected, events) => {
    counts.appends += 1
    counts.events += events.length
    return store.append(stream, expected, events)
  },
  appendMany: appends => {
    counts.appends += appends.length
    counts.events += appends.reduce((sum, { events }) => sum + events.length, 0)
    return store.appendMany(appends)
  },
  readStream: async function* (stream, options) {
    counts.reads += 1
    for await (const page of store.readStream(stream, options)) {
      counts.rows += page.length
      yield page
    }
  },
})
const memoryKeys = openMemoryKeys()
const keys: MemoryKeys = {
  ...memoryKeys,
  subject: name => {
    counts.keys += 1
    return memoryKeys.subject(name)
  },
  find: async names => {
    counts.keys += 1
    const found = await memoryKeys.find(names)
    counts.found += found.size
    return found
  },
}
const log = openIdentityLog(clock, counted, keys)
const from: From = { correlationId: 'r', agent: 'test' }

/** A node that has nothing in memory yet: what it knows it has read. */
const fresh = (): IdentityNode => {
  const node = identityNode(log, clock)
  return {
    ...node,
    passwords: {
      ...node.passwords,
      hash: password => {
        counts.hashes += 1
        return node.passwords.hash(password)
      },
      check: (password, hash) => {
        counts.hashes += 1
        return node.passwords.check(password, hash)
      },
    },
  }
}

const lookup = fresh()
const rules = accountRules({
  publicUrl: () => 'https://words.example',
  address: async stream => (await fresh().addresses.load(stream)).state,
  account: async stream => (await lookup.accounts.load(stream)).state,
  token: (purpose, at, commandId) => makeLink(identitySecret, purpose, at, commandId).token,
  receipt: () => 'https://words.example/receipt',
})
type Job = { readonly kind: string; readonly key: string; readonly data: Record<string, string> }
const jobs: Job[] = []
const subscriber = mailSubscriber(rules, {
  jobs: async () => ({
    forgetAbout: async () => 0,
    addAll: async added => {
      for (const { kind, key, data } of added)
        jobs.push({
          kind,
          key,
          data: Object.fromEntries(Object.entries(data).map(([name, value]) => [name, String(value)])),
        })
      return added.length
    },
  }),
})
const sent: string[] = []
const sender = mailJobs(rules, {
  log,
  clock: fakeClock(),
  recipients: openRecipients(
    {
      log,
      accounts: { load: stream => lookup.accounts.load(stream) },
      addresses: { load: stream => fresh().addresses.load(stream) },
      chosen: async () => undefined,
      mailSecret: identitySecret,
    },
    { alertMail: [] },
  ),
  isDestroyed: async () => false,
  onRefused: async () => {},
  domain: 'words.example',
  concurrency: 1,
  render: template => ({ subject: template, text: '', html: '' }),
  mailer: { send: async ({ to, subject }) => void sent.push(`${subject} to ${to}`) },
  onSent: () => {},
})

let read = 0n
const eventsSince = async (): Promise<Recorded[]> => {
  const found: Recorded[] = []
  for await (const { events, position } of log.readAll(read)) {
    found.push(...events)
    read = position
  }
  return found
}

/** What strangers asked for, until the queue has done it. */
const asked: NewJob[] = []
const asking = async () => ({ add: async (job: NewJob) => asked.push(job) > 0 })
const ask = (wish: LinkWish) => (email: string) => requestLink({ ...fresh(), jobs: asking }, wish, email, from)
/** Members and the lengths of what they hold: what a queue sees of it, as ids and hashes differ. */
const shapeOf = (job: NewJob): string => JSON.stringify(job).replace(/[\w.-]{20,}/g, text => `<${text.length}>`)
const progress = { held: async () => true, signal: new AbortController().signal }

/** What one request came to: its answer, its work, what is done behind it, the jobs that followed, and the mails of those. */
const workOf = async (act: () => Promise<object | 'done'>) => {
  await eventsSince()
  Object.assign(counts, none)
  jobs.length = 0
  sent.length = 0
  const answer = await act()
  const work = { ...counts }
  Object.assign(counts, none)
  const queued = asked.map(shapeOf)
  for (const { key, data } of asked.splice(0)) await linkJobs(fresh()).handle({ key, data, ...progress })
  // Nobody waits for it any more: how many events it read of the address is its own affair.
  const behind = { ...counts, rows: 0 }
  const events = await eventsSince()
  await subscriber.handle(events, new AbortController().signal)
  for (const { kind, key, data } of [...jobs]) {
    t.equal(kind, MAIL_JOB)
    await sender.handle({ key, data, ...progress })
  }
  const visible =
    typeof answer === 'object' && isRefusal(answer) ? { refused: answer.refused, detail: answer.detail } : answer
  const types = events.map(({ type }) => type)
  return { answer: visible, work, queued, behind, types, jobs: jobs.length, mails: [...sent] }
}

const isLink = (name: string): boolean => name === 'another link' || name === 'reset'

/**
 * What a sign-in opens of an account is not made up for: it is told on a beat. Nor are the events of a stream, where one is read,
 * of which a sign-up reads one before it writes.
 */
const keysApart = ({ work, ...rest }: Omit<Awaited<ReturnType<typeof workOf>>, 'mails'>, name: string) => {
  const { keys, found, rows, ...others } = work
  const opened = name === 'sign-in' ? {} : { keys, found }
  const read = isLink(name) ? { rows } : {}
  return { ...rest, mails: [], work: { ...others, ...opened, ...read } }
}

const PASSWORD = 'correct horse staple'
const signUp = (email: string) => requestSignUp(fresh(), { email, locale: 'en' }, from)
const member = async (email: string): Promise<string> => {
  await signUp(email)
  const last = (await eventsSince()).findLast(({ type }) => type === 'SignUpReceived')
  const { token } = makeLink(identitySecret, 'verify', claimOf(email), last?.meta.commandId ?? '')
  t.match(await confirmEmail(fresh(), { token, password: PASSWORD }, from), { device: /./ })
  await clock.advance(60_000)
  return String(last?.data['accountId'])
}

t.test('sign-up, another link, reset, sign-in, change of address: known and unknown cost the same', async t => {
  const known = 'known@a.example'
  const other = await member('other@a.example')
  await member(known)
  let next = 0
  const unknown = (): string => {
    next += 1
    return `unknown${next}@a.example`
  }
  const enter = (email: string) =>
    signIn(fresh(), { email, password: 'not the right one', remember: false }, from, async () => {})
  const change = (email: string) => requestAddressChange(fresh(), other, { email, password: PASSWORD }, from)

  for (const [name, act, job, mails] of [
    ['sign-up', signUp, 1, ['address-known', 'verify-email']],
    ['another link', ask('verify'), 1, []],
    ['reset', ask('reset'), 1, ['reset-password']],
    ['sign-in', enter, 0, []],
    ['change of address', change, 1, ['address-wanted', 'confirm-new-address']],
  ] as const) {
    const [one, two] = [await workOf(() => act(known)), await workOf(() => act(unknown()))]
    await clock.advance(60_000)
    const { mails: toKnown, ...knownWork } = one
    const { mails: toUnknown, ...unknownWork } = two
    // An address that was never named has no events to read: one read of its stream all the same.
    t.same(keysApart(knownWork, name), keysApart(unknownWork, name), `${name}: ${JSON.stringify(knownWork)}`)
    if (name !== 'sign-in' && name !== 'change of address') t.equal(one.work.found, 0, `${name}: nothing is opened`)
    t.equal(one.jobs, job, `${name}: jobs`)
    t.equal(one.queued.length, isLink(name) ? 1 : 0, `${name}: jobs that the answer waits for`)
    t.equal(one.work.appends + one.behind.appends, 1, `${name}: appends`)
    t.equal(one.work.events + one.behind.events, 1, `${name}: events`)
    if (isLink(name)) t.equal(one.work.appends, 0, `${name}: the answer waits for no append`)
    t.equal(one.work.hashes, name === 'sign-in' || name === 'change of address' ? 1 : 0, `${name}: hashes`)
    t.same(
      [...toKnown, ...toUnknown].map(each => each.split(' ')[0]).sort(),
      mails,
      `${name}: who is to be told is told`,
    )
    for (const mail of [...toKnown, ...toUnknown])
      t.match(mail, /known\d*@a\.example$/, `${name}: to the address that was named`)
  }
})

t.test('above the limit of mails: the same work but for the job and the mail, known or not', async t => {
  const known = 'flooded@a.example'
  await member(known)
  const reset = ask('reset')
  const stranger = `${randomUUID()}@a.example`
  const first = await workOf(() => reset(known))
  await workOf(() => reset(stranger))
  const [one, two] = [await workOf(() => reset(known)), await workOf(() => reset(stranger))]
  t.same(one, two)
  t.same([one.jobs, one.mails], [0, []])
  t.same([one.answer, one.types, one.behind.appends], [first.answer, first.types, first.behind.appends])
})

t.test('and so they do while accounts move to another key', async t => {
  await member('here@a.example')
  await fresh().addressKeys.run(ADDRESS_KEYS_STREAM, addKey(), {
    commandId: randomUUID(),
    correlationId: 'r',
    at: clock.now(),
    actor: { kind: 'system', id: 's' },
  })
  const enter = (email: string) =>
    signIn(fresh(), { email, password: 'not the right one', remember: false }, from, async () => {})
  for (const act of [signUp, enter, ask('reset')]) {
    const [one, two] = [await workOf(() => act('here@a.example')), await workOf(() => act(`${randomUUID()}@a.example`))]
    const name = act === enter ? 'sign-in' : ''
    t.same(keysApart(one, name), keysApart(two, name), JSON.stringify(one.work))
    t.equal(one.work.appends + one.behind.appends, 1)
  }
})

t.test('a sign-up that waits for its link costs what a new one does, and is sent another', async t => {
  await signUp('waits@a.example')
  await clock.advance(60_000)
  const one = await workOf(() => ask('verify')('waits@a.example'))
  const two = await workOf(() => ask('verify')(`${randomUUID()}@a.example`))
  t.same([one.mails, two.mails], [['verify-email to waits@a.example'], []])
  t.same({ ...one, mails: [] }, { ...two, mails: [] })
})
