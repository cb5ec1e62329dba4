/** Who is told what became of a proposal, by an event on their own channel and by mail: each once, unless they have switched it off. */
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { ProposalMerged } from '../../src/domain/proposal/events.ts'
import { outcomeAggregate, outcomeStream, ProposalOutcomeTold } from '../../src/domain/proposal/notice.ts'
import { proposalStream } from '../../src/domain/proposal/proposal.ts'
import { proposalNoticeSubscriber } from '../../src/subscribers/proposal-notices.ts'
import { openApi, type Received } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { openDrafts } from '../support/drafts.ts'
import { connectLive, type Message } from '../support/live-client.ts'
import { openOutbox } from '../support/outbox.ts'
import { asNode, type Person, signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, { LEXICHRON_LIMIT_NEW_COMMENTS: '0' }, { folder })
const api = await openApi(app.url)
const house = { app, api, folder }
const outbox = openOutbox(folder)
const [ada, ben, cora, ed] = [
  await signIn(house, 'ada', 'contributor'),
  await signIn(house, 'ben', 'contributor'),
  await signIn(house, 'cora', 'contributor'),
  await signIn(house, 'ed', 'editor'),
]
const auditor = await app.token('admin')
const drafts = openDrafts(api, { author: cora.token, editor: ed.token })

let sync = ''
const ask = async (
  method: string,
  path: string,
  { token: as }: { readonly token: string },
  body?: unknown,
): Promise<Received> => {
  await app.clock.advance(5)
  const answer = await api(method, path, {
    as,
    headers: defined({ 'sync-token': sync || undefined }),
    ...defined({ body }),
  })
  if (answer.status >= 300) throw new Error(answer.text)
  sync = answer.headers.get('sync-token') ?? sync
  return answer
}
const items = ({ json }: Received): readonly Record<string, unknown>[] =>
  Array.isArray(json['items']) ? json['items'] : []

/** A proposal of ada's on an entry of its own, which ben supports. */
const proposed = async (lemma: string): Promise<string> => {
  const made = await drafts.published({ lemma, etymology: 'From the old sea.' })
  sync = made.sync
  const { json } = await ask('GET', made.path, ed)
  const body = { base: json['revision'], changes: { etymology: 'From the old coast.' } }
  const answer = await ask('POST', `/v1/entries/${made.id}/proposals`, ada, body)
  await ask('POST', `/v1/entries/${made.id}/proposals`, ben, body)
  return String(answer.json['id'])
}
const act = (as: Person, id: string, what: string, body: object = {}) =>
  ask('POST', `/v1/proposals/${id}/${what}`, as, body)

/** Who was told what of a proposal, in the order of the log. */
const told = async (proposal: string): Promise<readonly string[]> => {
  const page = await ask('GET', '/v1/events?type=ProposalOutcomeTold&limit=100', { token: auditor })
  const names = new Map([
    [ada.id, 'ada'],
    [ben.id, 'ben'],
  ])
  return items(page)
    .map(({ data }) => Object(data))
    .flatMap(each => (each.proposal === proposal ? [`${names.get(each.accountId)} ${each.outcome}`] : []))
}
const untilTold = (proposal: string, all: readonly string[]): Promise<unknown> =>
  inTime(app, all.join(), async () => {
    const found = await told(proposal)
    return all.every(each => found.includes(each))
  })
const prefer = async ({ token }: Person, proposals: boolean): Promise<void> => {
  const body = { notifications: { proposals } }
  const answer = await api('PATCH', '/v1/me/preferences', { as: token, body, headers: { 'if-match': '*' } })
  if (answer.status !== 200) throw new Error(answer.text)
}
const mails = (name: string, subject: string) => outbox(`${name}@dictionary.example`, new RegExp(subject))
const untilMailed = async (name: string, subject: string): Promise<string> => {
  await inTime(app, `the mail to ${name}`, async () => (await mails(name, subject)).length > 0)
  const [first, ...more] = await mails(name, subject)
  t.equal(more.length, 0, 'once')
  return first?.text ?? ''
}

t.test('who asked and who supports hear that it was merged and that it was taken back, with the reason', async t => {
  const id = await proposed('breakwater')
  const client = await connectLive(app.url, { headers: { authorization: `Bearer ${ben.token}` } })
  t.teardown(() => client.end())
  client.say({ op: 'subscribe', id: 'own', channel: 'me' })
  await client.find(each => each['op'] === 'subscribed')
  await act(ed, id, 'merge')
  await untilTold(id, ['ada merged', 'ben merged'])
  await act(ed, id, 'revert', { reason: 'The book was misread.' })
  await untilTold(id, ['ada reverted', 'ben reverted'])
  t.same(await told(id), ['ada merged', 'ben merged', 'ada reverted', 'ben reverted'])
  const isTold = (outcome: string) => (each: Message) =>
    each['type'] === 'ProposalOutcomeTold' && Object(each['data']).outcome === outcome
  t.match((await client.find(isTold('merged')))['data'], { accountId: ben.id, proposal: id })
  await client.find(isTold('reverted'))
  t.same(client.faults, [])
  for (const name of ['ada', 'ben']) {
    t.match(await untilMailed(name, 'was made: breakwater'), `/v1/proposals/${id}`)
    t.match(await untilMailed(name, 'taken back: breakwater'), 'The book was misread.')
  }
})

t.test('who has switched it off hears nothing, and nobody hears of what they did', async t => {
  const [rejected, withdrawn] = [await proposed('jetty'), await proposed('mole')]
  await prefer(ben, false)
  await act(ed, rejected, 'reject', { reason: 'No source says so.' })
  await untilTold(rejected, ['ada rejected'])
  t.match(await untilMailed('ada', 'rejected: jetty'), 'No source says so.')
  await prefer(ben, true)
  await act(ada, withdrawn, 'withdraw')
  await untilTold(withdrawn, ['ben withdrawn'])
  await untilMailed('ben', 'withdrawn: mole')
  // What came before was told by then.
  t.same(await told(rejected), ['ada rejected'])
  t.same(await told(withdrawn), ['ben withdrawn'])
  t.equal((await mails('ben', 'jetty')).length, 0)
  t.equal((await mails('ada', 'mole')).length, 0)
})

t.test('a consumer that begins again tells nobody twice', async t => {
  const id = await proposed('groyne')
  await act(ed, id, 'merge')
  await untilTold(id, ['ada merged', 'ben merged'])
  const wanted: string[] = []
  const repeated = await asNode(house, 0, async ({ log, transactor, clock }) => {
    const again = proposalNoticeSubscriber({
      log,
      notices: transactor(outcomeAggregate),
      wantsProposals: async account => wanted.push(account) > 0,
      clock,
    })
    let found = 0
    for await (const page of log.readStream(proposalStream(id))) {
      const merged = page.filter(({ type }) => type === ProposalMerged.type)
      found += merged.length
      await again.handle(merged, new AbortController().signal)
    }
    // In the log itself: what another node writes, this one hears of later.
    const written: string[] = []
    for (const person of [ada, ben])
      for await (const page of log.readStream(outcomeStream(id, person.id)))
        written.push(...page.map(({ type }) => type))
    return { found, written }
  })
  t.same(repeated, { found: 1, written: [ProposalOutcomeTold.type, ProposalOutcomeTold.type] })
  t.same(wanted, [ada.id, ben.id])
})
