/** What comes of cases with time: who has claimed one is asked after it, the claim ends, and evidence is destroyed. */

import t from 'tap'
import { reportAggregate, reportStreamOf } from '../../src/domain/moderation/report.ts'
import { openApi } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { asNode, type Person, signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'
import { openStoryWriter } from '../support/stories.ts'

const HOUR_MS = 60 * 60 * 1000
const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const house = { app, api, folder }
const ada = await signIn(house, 'ada', 'contributor')
const ben = await signIn(house, 'ben', 'contributor')
const stories = await openStoryWriter(t, house)
const story = (await stories.publish(ada.id, { title: 'Lighthouse' })).id
const said = await api('POST', '/v1/comments', {
  as: ada.token,
  body: { target: { kind: 'story', id: story }, text: 'You again!' },
})
const target = { kind: 'comment', id: String(said.json['id']) } as const
const path = `/v1/moderation/cases/comment-${target.id}`
/** The case as it is once it is so. */
const until = (who: Person, what: string, isSo: (json: Readonly<Record<string, unknown>>) => boolean) =>
  inTime(app, what, async () => {
    const { status, json } = await api('GET', path, { as: who.token })
    return status === 200 && isSo(json) ? json : undefined
  })
const eventsOf = (type: string) =>
  asNode(house, 0, async ({ log }) => {
    const found: string[] = []
    for await (const { events, caughtUp } of log.readAll(0n, { types: [type] })) {
      for (const { stream } of events) found.push(stream)
      if (caughtUp) break
    }
    return found
  })

t.test('a claim is asked after, and ends', async t => {
  const mod = await signIn(house, 'mod', 'moderator')
  const filed = await api('POST', '/v1/reports', { as: ben.token, body: { target, category: 'harassment' } })
  t.equal(filed.status, 201)
  await until(mod, 'the case', () => true)
  t.equal((await api('POST', `${path}/claim`, { as: mod.token, body: {} })).status, 200)
  await until(mod, 'the claim', json => json['claimant'] === mod.id)
  t.same(await eventsOf('CaseReminded'), [])
  await app.pass(48 * HOUR_MS)
  await inTime(app, 'the reminder', async () => (await eventsOf('CaseReminded')).length === 1)
  await app.pass(25 * HOUR_MS)
  const eve = await signIn(house, 'eve', 'moderator')
  await until(eve, 'the end of the claim', json => json['claimant'] === undefined)
  t.same(await eventsOf('CaseReminded'), [`case-comment-${target.id}`], 'once')
})

t.test('evidence is destroyed when nobody may appeal any more', async t => {
  const zoe = await signIn(house, 'zoe', 'moderator')
  const closed = await api('POST', `${path}/dismiss`, { as: zoe.token, body: { reason: 'Fine.' } })
  t.equal(closed.status, 200)
  const isTold = (json: Readonly<Record<string, unknown>>) => json['state'] === 'closed'
  t.match(await until(zoe, 'the end', isTold), { filed: [{ evidence: { text: 'You again!' } }] })
  await inTime(app, 'the outcome', async () => (await eventsOf('ReportOutcomeTold')).length === 1)
  await app.pass(183 * 24 * HOUR_MS)
  t.same(await eventsOf('EvidenceDestroyed'), [])
  await app.pass(2 * 24 * HOUR_MS)
  await inTime(app, 'the end of the evidence', async () => (await eventsOf('EvidenceDestroyed')).length === 1)
  const kept = () =>
    asNode(house, 0, async ({ transactor }) => {
      const { state } = await transactor(reportAggregate).load(reportStreamOf(target, ben.id))
      return state?.filings[0]
    })
  t.strictSame((await kept())?.evidence, { revision: '0', isCut: false })
})
