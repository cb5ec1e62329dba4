/** Proposals through the socket: who asks for what, who judges it, what becomes of the entry, and what each one's word weighs. */
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { entryStream } from '../../src/domain/entry/entry.ts'
import { mergeChanges } from '../../src/domain/entry/merging.ts'
import type { Change } from '../../src/domain/entry/places.ts'
import { entryAggregate } from '../../src/domain/entry/state.ts'
import { openApi, type Received } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { openDrafts } from '../support/drafts.ts'
import { asNode, eraseNow, type Person, signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, { LEXICHRON_LIMIT_NEW_COMMENTS: '0' }, { folder })
const api = await openApi(app.url)
const house = { app, api, folder }
const [ada, ben, cora, dan, eli, ed] = [
  await signIn(house, 'ada', 'contributor'),
  await signIn(house, 'ben', 'contributor'),
  await signIn(house, 'cora', 'contributor'),
  await signIn(house, 'dan', 'contributor'),
  await signIn(house, 'eli', 'contributor'),
  await signIn(house, 'ed', 'editor'),
]
const nothing = '00000000-0000-4000-8000-000000000000'
const drafts = openDrafts(api, { author: ada.token, editor: ed.token })

let sync = ''
/** Reads what was written before; no `as`: a stranger. */
const ask = async (method: string, path: string, as?: Person, body?: unknown, more = {}): Promise<Received> => {
  // Each is later than the one before.
  await app.clock.advance(5)
  const headers = { ...defined({ 'sync-token': sync || undefined }), ...more }
  const token = as === undefined ? {} : { as: as.token }
  const answer = await api(method, path, { ...token, ...defined({ body }), headers })
  sync = answer.headers.get('sync-token') ?? sync
  return answer
}
const items = ({ json }: Received): readonly Record<string, unknown>[] =>
  Array.isArray(json['items']) ? json['items'] : []

/** An entry that is published, and its revision. */
const anEntry = async (more: Record<string, unknown> = {}) => {
  const made = await drafts.published({ etymology: 'From the old sea.', ...more })
  sync = made.sync
  const { json } = await ask('GET', made.path)
  return { id: String(made.id), path: made.path, base: String(json['revision']), senses: json['senses'] }
}
type Entry = Awaited<ReturnType<typeof anEntry>>
const propose = (as: Person | undefined, entry: Pick<Entry, 'id' | 'base'>, changes: object, more: object = {}) =>
  ask('POST', `/v1/entries/${entry.id}/proposals`, as, { base: entry.base, changes, ...more })
const proposed = async (as: Person, entry: Entry, changes: object, more: object = {}): Promise<string> => {
  const answer = await propose(as, entry, changes, more)
  if (answer.status !== 201) throw new Error(answer.text)
  return String(answer.json['id'])
}
const act = (as: Person, id: string, what: string, body: unknown = {}, query = '') =>
  ask('POST', `/v1/proposals/${id}/${what}${query}`, as, body)
const review = (as: Person, id: string, verdict = 'approve', more: object = {}) =>
  ask('PUT', `/v1/proposals/${id}/review`, as, { verdict, ...more })
const shown = (id: string, as?: Person) => ask('GET', `/v1/proposals/${id}`, as)
/** An editor changes the entry themselves. */
const edit = async ({ path }: Entry, changes: object): Promise<string> => {
  const read = await ask('GET', path)
  const edited = await ask('PATCH', path, ed, changes, { 'if-match': read.headers.get('etag') ?? '' })
  if (edited.status !== 200) throw new Error(edited.text)
  return String(edited.json['revision'])
}

t.test('a change is proposed, merged by an editor, and is its proposer’s', async t => {
  const entry = await anEntry()
  const keyed = { 'idempotency-key': 'first-change' }
  const body = { base: entry.base, changes: { etymology: 'From the old coast.' }, reason: 'The book of 1898.' }
  const path = `/v1/entries/${entry.id}/proposals`
  const made = await ask('POST', path, ada, body, keyed)
  t.match(made, {
    status: 201,
    json: {
      state: 'open',
      author: ada.id,
      entryId: entry.id,
      language: 'en',
      touches: ['/etymology'],
      changes: [{ pointer: '/etymology', from: 'From the old sea.', to: 'From the old coast.' }],
      reason: 'The book of 1898.',
      accepted: false,
      revision: '0',
    },
  })
  t.match(await ask('POST', path, ada, body, keyed), { status: 201, json: made.json })
  const id = String(made.json['id'])
  t.equal(made.headers.get('location'), `/v1/proposals/${id}`)
  t.same(
    items(await ask('GET', `${path}?state=open`)).map(item => item['id']),
    [id],
  )
  const dry = await act(ed, id, 'merge', {}, '?dryRun=true')
  t.equal(dry.status, 200, dry.text)
  t.match((await shown(id)).json, { state: 'open' })
  const merge = await ask('POST', `/v1/proposals/${id}/merge`, ed, {}, { 'idempotency-key': 'merge-1' })
  t.match(merge, { status: 200, json: { state: 'merged' } })
  const again = await ask('POST', `/v1/proposals/${id}/merge`, ed, {}, { 'idempotency-key': 'merge-1' })
  t.match(again, { status: 200, json: merge.json })
  t.equal(again.headers.get('idempotent-replayed'), 'true')
  const read = await ask('GET', entry.path)
  t.match(read.json, { etymology: 'From the old coast.', revision: merge.json['mergedAs'] })
  t.ok(Array.isArray(read.json['contributors']) && read.json['contributors'].includes(ada.id))
  const [last] = items(await ask('GET', `${entry.path}/history`, ed))
  t.match(last, { type: 'EntryEdited', actor: { id: ed.id }, proposal: { id, author: ada.id, act: 'merged' } })
  t.match(await act(ada, id, 'withdraw'), { status: 409, code: 'proposal-closed' })
  t.same(
    items(await ask('GET', '/v1/proposals?state=merged')).map(item => item['id']),
    [id],
  )
  await ask('POST', path, ada, body, keyed)
  t.match((await shown(id)).json, { state: 'merged' }, 'a repeat opens nothing again')
})

t.test('what an edit refuses is not proposed, nor what is not published, or there already', async t => {
  const entry = await anEntry()
  t.match(await propose(undefined, entry, { etymology: 'x' }), { status: 401 })
  t.match(await propose(ada, { id: nothing, base: '0' }, { etymology: 'x' }), { status: 404, code: 'entry-not-found' })
  t.match(await propose(ada, { id: entry.id, base: '99' }, { etymology: 'x' }), {
    status: 422,
    code: 'revision-unknown',
  })
  t.match(await propose(ada, { id: entry.id, base: '0' }, { etymology: 'x' }), {
    status: 422,
    code: 'revision-unknown',
  })
  t.match(await propose(ada, entry, { lemma: 'other' }), { status: 422, code: 'identity-fixed' })
  t.match(await propose(ada, entry, { senses: [] }), { status: 422, code: 'entry-incomplete' })
  t.match(await propose(ada, entry, { senses: [{ id: nothing, gloss: 'x' }] }), { status: 422, code: 'sense-unknown' })
  t.match(await propose(ada, entry, { etymology: 'x'.repeat(20_001) }), { status: 422, code: 'text-invalid' })
  t.match(await propose(ada, entry, { etymology: 'From the old sea.' }), {
    status: 422,
    code: 'proposal-changes-nothing',
  })
  t.match(await propose(ada, entry, { etymology: 'x' }, { reason: ' ' }), { status: 422, code: 'reason-required' })
  await edit(entry, { etymology: 'From the coast.' })
  t.match(await propose(ada, entry, { etymology: 'From the coast.' }), {
    status: 422,
    code: 'proposal-changes-nothing',
  })
  const draft = await drafts.drafted()
  t.match(await propose(ben, { id: String(draft.id), base: '0' }, { etymology: 'x' }), {
    status: 409,
    code: 'entry-not-published',
  })
  t.match(await shown(nothing), { status: 404, code: 'proposal-not-found' })
  for (const what of ['merge', 'withdraw'])
    t.match(await act(ed, nothing, what), { status: 404, code: 'proposal-not-found' })
})

t.test(
  'the same change is the same proposal, also with a new sense, and whoever asks for it too supports it',
  async t => {
    const entry = await anEntry()
    const senses = [...(Array.isArray(entry.senses) ? entry.senses : []), { gloss: 'another thing' }]
    const id = await proposed(ada, entry, { senses })
    t.equal(await proposed(ben, entry, { senses }), id)
    t.match((await shown(id)).json, { author: ada.id, supporters: [ben.id] })
    t.match(await review(ada, id), { status: 409, code: 'proposal-own' })
    t.match(await review(ben, id), { status: 409, code: 'proposal-own' })
    t.not(await proposed(ada, entry, { senses, etymology: 'x' }), id)
    t.equal((await act(ed, id, 'merge')).status, 200)
    t.match((await ask('GET', entry.path)).json['senses'], [{ gloss: 'a thing' }, { gloss: 'another thing' }])
    const mine = items(await ask('GET', '/v1/proposals?mine=true&state=merged', ada))
    t.ok(mine.some(item => item['id'] === id))
    t.match(await ask('GET', '/v1/proposals?mine=true'), { status: 401 })
  },
)

t.test('enough people of enough weight let it in; what a word weighs comes of what it led to', async t => {
  const first = await proposed(eli, await anEntry(), { etymology: 'From the cliff.' })
  const newcomers = [ben, cora, dan]
  for (const newcomer of newcomers)
    t.match(await review(newcomer, first), { status: 200, json: { votes: { approve: 0 }, accepted: false } })
  const refused = await act(cora, first, 'merge')
  t.match(refused, { status: 409, code: 'proposal-unreviewed' }, 'however many newcomers want it')
  t.match(await act(ed, first, 'merge'), { status: 200 }, 'an editor does')
  for (const newcomer of newcomers) {
    const own = await proposed(newcomer, await anEntry(), { etymology: 'Their first.' })
    t.equal((await act(ed, own, 'merge')).status, 200)
  }

  const entry = await anEntry()
  const id = await proposed(eli, entry, { etymology: 'From the shore.' })
  t.match(
    items(await ask('GET', '/v1/proposals?reviewable=true', ben))
      .map(item => item['id'])
      .includes(id),
    true,
  )
  t.match(await review(ben, id), { status: 200, json: { votes: { approve: 0.5 }, accepted: false } })
  t.match(
    items(await ask('GET', '/v1/proposals?reviewable=true', ben))
      .map(item => item['id'])
      .includes(id),
    false,
  )
  t.match(await act(cora, id, 'merge'), { status: 409, code: 'proposal-unreviewed', json: { weight: 0.5, people: 1 } })
  await review(cora, id)
  await review(dan, id)
  t.match(await review(ada, id), { status: 200, json: { votes: { approve: 2 }, accepted: true } })
  const taken = await ask('DELETE', `/v1/proposals/${id}/review`, ada)
  t.match(taken, { status: 200, json: { accepted: false } })
  await review(ada, id)
  t.match(await act(eli, id, 'merge'), { status: 200, json: { state: 'merged' } }, 'its proposer too')
  const own = await ask('GET', '/v1/me/reputation', eli)
  t.match(own.json, { accountId: eli.id, languages: [{ language: 'en', points: 4, weight: 0.5, merged: 2 }] })
  t.match((await ask('GET', `/v1/accounts/${ben.id}/reputation`)).json, {
    languages: [{ points: 3, merged: 1, agreed: 1 }],
  })
  t.match(items(await ask('GET', '/v1/me/reputation/gains', ben)), [
    { ground: 'agreed', points: 1, proposalId: id, entryId: entry.id },
    { ground: 'merged', points: 2 },
  ])
  t.match(items(await ask('GET', `/v1/accounts/${eli.id}/reputation/gains`)), [
    { ground: 'merged', points: 2, proposalId: id },
    { ground: 'merged', points: 2, proposalId: first },
  ])
  t.match((await ask('GET', `/v1/accounts/${nothing}/reputation`)).json, { languages: [] })
})

t.test('what others changed since stays; where they changed the same, both sides are told', async t => {
  const entry = await anEntry({ variants: ['grey'] })
  const apart = await proposed(ada, entry, { variants: ['grey', 'gray'] })
  const same = await proposed(ben, entry, { etymology: 'From the old coast.' })
  await edit(entry, { variants: ['grey', 'griy'], etymology: 'From the old shore.' })
  t.match(await act(ed, apart, 'merge'), { status: 200 })
  t.same((await ask('GET', entry.path)).json['variants'], ['grey', 'griy', 'gray'])
  const conflict = await act(ed, same, 'merge')
  t.match(conflict, {
    status: 409,
    code: 'proposal-conflicts',
    json: {
      errors: [
        {
          pointer: '/etymology',
          base: 'From the old sea.',
          theirs: 'From the old shore.',
          ours: 'From the old coast.',
        },
      ],
    },
  })
  t.match((await shown(same)).json, { state: 'open', conflict: { where: ['/etymology'] } })
  t.match(await act(ben, same, 'amend', { base: entry.base, changes: {} }), {
    status: 422,
    code: 'proposal-changes-nothing',
  })
  const { json } = await ask('GET', entry.path)
  const amend = { base: json['revision'], changes: { etymology: 'From the old coast and shore.' } }
  t.match(await act(ada, same, 'amend', amend), { status: 403, code: 'permission-denied' })
  await review(cora, same)
  const other = await act(ben, same, 'amend', amend)
  t.match(other, { status: 201, json: { supersedes: same, reviews: [], state: 'open' } })
  t.match((await shown(same)).json, { state: 'superseded', supersededBy: other.json['id'] })
  t.match(await act(ben, same, 'amend', { ...amend, changes: { etymology: 'y' } }), {
    status: 409,
    code: 'proposal-closed',
  })
  t.match(await act(ben, String(other.json['id']), 'amend', amend), { status: 422, code: 'proposal-changes-nothing' })
  t.match(await act(ed, String(other.json['id']), 'merge'), { status: 200 })
})

t.test('what was merged is taken back exactly, and what came later stays', async t => {
  const entry = await anEntry({ categories: ['sea'] })
  const id = await proposed(ada, entry, { etymology: 'A hoax.', categories: ['sea', 'land'] })
  t.match(await act(ed, id, 'revert', { reason: 'x' }), { status: 409, code: 'proposal-not-merged' })
  await act(ed, id, 'merge')
  await edit(entry, { variants: ['se'] })
  t.match(await act(ada, id, 'revert', { reason: 'A hoax.' }), { status: 403, code: 'permission-denied' })
  t.match(await act(ed, id, 'revert', { reason: ' ' }), { status: 422, code: 'reason-required' })
  const reverted = await act(ed, id, 'revert', { reason: 'A hoax.' })
  t.match(reverted, { status: 200, json: { state: 'reverted', outcome: 'A hoax.' } })
  const { json } = await ask('GET', entry.path)
  t.match(json, { etymology: 'From the old sea.', categories: ['sea'], variants: ['se'] })
  t.match(await act(ed, id, 'revert', { reason: 'A hoax.' }), { status: 200 }, 'once more it is so already')
  const now = { ...entry, base: String(json['revision']) }
  t.match(await propose(ben, now, { etymology: 'A hoax.', categories: ['sea', 'land'] }), {
    status: 409,
    code: 'proposal-decided',
  })
  const second = await proposed(ada, now, { etymology: 'Another one.' })
  await act(ed, second, 'merge')
  await edit(entry, { etymology: 'Another two.' })
  t.match(await act(ed, second, 'revert', { reason: 'x' }), {
    status: 409,
    code: 'proposal-conflicts',
    json: { errors: [{ base: 'Another one.', theirs: 'Another two.', ours: 'From the old sea.' }] },
  })
})

t.test('editors reject with a reason; nobody decides on their own, nor on whom they do not hear', async t => {
  const entry = await anEntry()
  const id = await proposed(ada, entry, { etymology: 'Mine.' })
  t.match(await act(ben, id, 'reject', { reason: 'No.' }), { status: 403, code: 'permission-denied' })
  t.match(await act(ed, id, 'reject', { reason: '' }), { status: 422, code: 'reason-required' })
  t.match(await review(ben, id, 'reject'), { status: 422, code: 'reason-required' })
  await ask('PUT', `/v1/me/blocks/${ada.id}`, ben)
  t.match(await review(ben, id), { status: 409, code: 'proposal-unwanted' })
  const listed = async (as: Person) => items(await ask('GET', `${entry.path}/proposals`, as)).map(item => item['id'])
  t.same(await listed(ben), [])
  t.same(await listed(cora), [id])
  await ask('DELETE', `/v1/me/blocks/${ada.id}`, ben)
  t.match(await act(ed, id, 'reject', { reason: 'No source.' }), {
    status: 200,
    json: { state: 'rejected', outcome: 'No source.' },
  })
  t.match(await propose(ben, entry, { etymology: 'Mine.' }), { status: 409, code: 'proposal-decided' })
  const own = await proposed(ed, entry, { etymology: 'Ours.' })
  t.match(await act(ed, own, 'merge'), { status: 409, code: 'proposal-own' })
  t.match(await act(ed, own, 'reject', { reason: 'x' }), { status: 409, code: 'proposal-own' })
  t.match(await act(ed, own, 'withdraw'), { status: 200, json: { state: 'withdrawn' } })
  t.match(await review(ben, own), { status: 409, code: 'proposal-closed', json: { state: 'withdrawn' } })
  t.equal(await proposed(ben, entry, { etymology: 'Ours.' }), own)
  t.match((await shown(own)).json, { state: 'open', author: ben.id })
})

const settled = (id: string, state: object, look = (of: string) => shown(of, ed)): Promise<true> =>
  inTime(app, `the proposal ${id} is settled`, async saw => {
    const { json } = await look(id)
    saw(json)
    return Object.entries(state).every(([member, value]) => json[member] === value)
  })

t.test('it closes when there is nothing left to decide', async t => {
  const entry = await anEntry()
  const [overtaken, other] = [
    await proposed(ada, entry, { etymology: 'Overtaken.' }),
    await proposed(ada, entry, { etymology: 'Not overtaken.' }),
  ]
  await edit(entry, { etymology: 'Overtaken.' })
  await settled(overtaken, { state: 'closed', ground: 'overtaken' })
  t.match((await shown(other)).json, { state: 'open' })
  await ask('POST', `${entry.path}/retire`, ed, { reason: 'Twice.' })
  await settled(other, { state: 'closed', ground: 'entry-retired' })
  t.match((await shown(overtaken, ed)).json, { ground: 'overtaken' })
  t.match(await propose(ada, entry, { etymology: 'x' }), { status: 409, code: 'entry-not-published' })
})

t.test('what a proposal quotes of an entry is seen by whoever may see that now', async t => {
  const mia = await signIn(house, 'mia', 'moderator')
  const [held, retired] = [await anEntry({ etymology: 'Withheld.' }), await anEntry({ etymology: 'Retired.' })]
  const ofHeld = await proposed(ada, held, { etymology: 'Better.' })
  const ofRetired = await proposed(ada, retired, { etymology: 'Better.' })
  for (const id of [ofHeld, ofRetired]) t.match((await shown(id)).json, { changes: [{ to: 'Better.' }] }, 'published')
  const statement = {
    category: 'other-violation',
    rule: 'Rule 1',
    ground: 'terms',
    source: 'own-initiative',
    facts: 'It copies a book.',
  }
  const measures = [{ measure: 'hide', target: { kind: 'entry', id: held.id } }]
  t.equal((await ask('POST', '/v1/moderation/decisions', mia, { measures, statement })).status, 201)
  t.equal((await ask('POST', `${retired.path}/retire`, ed, { reason: 'Twice.' })).status, 200)
  await inTime(app, 'the hold', async () => (await shown(ofHeld)).status === 404)
  for (const [id, knows] of [
    [ofHeld, mia],
    [ofRetired, ed],
  ] as const) {
    for (const as of [undefined, ben])
      t.match(await shown(id, as), { status: 404, code: 'proposal-not-found' }, 'to nobody else')
    const own = await shown(id, ada)
    t.match(own, { status: 200, json: { author: ada.id, changes: [] } }, 'its proposer sees what became of it')
    t.notMatch(own.text, /Withheld|Retired\./)
    t.match((await shown(id, knows)).json, { changes: [{ to: 'Better.' }] }, 'who reviews such entries sees it')
  }
})

t.test('with the text of an entry that of its proposals goes, merged ones too', async t => {
  const entry = await anEntry()
  const merged = await proposed(ada, entry, { etymology: 'Merged.' })
  await act(ed, merged, 'merge')
  const open = await proposed(ben, entry, { etymology: 'Open.' })
  const admin = await app.token('admin')
  t.equal((await api('POST', `${entry.path}/redact`, { as: admin, body: { ground: 'law' } })).status, 200)
  await settled(open, { state: 'closed', ground: 'entry-removed' })
  t.same((await shown(open, ed)).json['changes'], [])
  await inTime(app, 'the merged one has no text', async () => {
    const { json } = await shown(merged, ed)
    return json['state'] === 'merged' && JSON.stringify(json['changes']) === '[]'
  })
  const found = await api('GET', `/v1/streams/proposal-${merged}`, { as: admin })
  t.notMatch(found.text, /Merged\./)
})

t.test('a merge that ended between the two streams is completed by the entry’s event', async t => {
  const entry = await anEntry()
  const id = await proposed(ada, entry, { etymology: 'Halfway.' })
  const changes: readonly Change[] = [{ pointer: '/etymology', from: 'From the old sea.', to: 'Halfway.' }]
  await asNode(house, 0, async ({ transactor, clock, newId }) => {
    const actor = { kind: 'account', id: ed.id } as const
    const envelope = { commandId: newId(), actor, correlationId: 'halfway', at: clock.now() }
    const merge = mergeChanges(Number(entry.base), changes, { id, author: ada.id })
    const result = await transactor(entryAggregate).run(entryStream(entry.id), merge, envelope)
    t.match(result, { outcome: 'accepted' })
  })
  await settled(id, { state: 'merged' })
  t.match(await act(ed, id, 'merge'), { status: 200, json: { state: 'merged' } }, 'merged again, nothing is written')
  t.equal((await shown(id)).json['revision'], '1')
})

t.test('what nobody else asks for goes with its author, and with its key', async t => {
  const entry = await anEntry()
  const [alone, supported, merged] = [
    await proposed(eli, entry, { etymology: 'Alone.' }),
    await proposed(eli, entry, { etymology: 'Supported.' }),
    await proposed(eli, entry, { variants: ['merged'] }),
  ]
  await proposed(ben, entry, { etymology: 'Supported.' })
  await act(ed, merged, 'merge')
  const voted = await proposed(dan, entry, { etymology: 'Voted.' })
  await review(eli, voted)
  await eraseNow(house, eli)
  await settled(alone, { state: 'closed', ground: 'erasure' })
  t.same((await shown(alone)).json['changes'], [])
  t.match((await shown(supported)).json, { state: 'open', author: eli.id, changes: [{ to: 'Supported.' }] })
  t.match((await shown(merged)).json, { state: 'merged', changes: [{ to: ['merged'] }] })
  t.match((await shown(voted)).json, { reviews: [{ reviewer: eli.id, weight: 1 }] })
  t.match(await propose(ben, entry, { etymology: 'Alone.' }), { status: 409, code: 'proposal-removed' })
})

t.test('after ninety days it is over', async () => {
  const entry = await anEntry()
  const id = await proposed(ada, entry, { etymology: 'Late.' })
  await app.pass(91 * 24 * 60 * 60 * 1000)
  await settled(id, { state: 'expired' }, shown)
})
