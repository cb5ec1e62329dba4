/** What administrators see of other people's accounts: found by what, one of them whole, its activity; and that the log says so. */
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import type { Role } from '../../src/domain/roles.ts'
import { askUntil, openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { temporaryFolder } from '../support/service.ts'
import { tracesIn } from '../support/traces.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, { LEXICHRON_LOG_LEVEL: 'info' }, { folder })
const api = await openApi(app.url)

const signIn = async (role: Role, email: string) => {
  const { accountId: id, password } = await app.account(role, email)
  const answer = await api('POST', '/v1/sessions', { body: { email, password } })
  if (answer.status !== 201) throw new Error(answer.text)
  return { id, as: String(answer.json['accessToken']) }
}
const boss = await signIn('admin', 'boss@dictionary.example')
const moderator = await signIn('moderator', 'mo@dictionary.example')
const [ada, adam, bea] = [
  await signIn('contributor', 'ada@dictionary.example'),
  await signIn('editor', 'adam@dictionary.example'),
  await signIn('contributor', 'bea@dictionary.example'),
]
const name = (as: string, displayName: string) =>
  api('PATCH', '/v1/me', { as, body: { displayName }, headers: { 'if-match': '*' } })
const get = (path: string, as = boss.as) => api('GET', `/v1/accounts${path}`, { as })
const act = (method: string, path: string, more: object = {}) =>
  api(method, `/v1/accounts/${path}`, { as: boss.as, body: { reason: 'A test.', ...more } })
const itemsOf = ({ json }: Received): readonly Record<string, unknown>[] =>
  Array.isArray(json['items']) ? json['items'].map(each => Object(each)) : []
const idsOf = (answer: Received): readonly unknown[] => itemsOf(answer).map(each => each['id'])
/** The record of the last reading, once the history shows as many as there were. */
const lookups = async (last: object) => {
  const ask = () => api('GET', '/v1/events?type=AccountsRead&order=asc&limit=100', { as: boss.as })
  const dataOf = (answer: Received) => itemsOf(answer).map(({ data }) => Object(data))
  const isLast = (answer: Received): boolean => isDeepStrictEqual(dataOf(answer).at(-1), last)
  return dataOf(await askUntil(`the record of ${JSON.stringify(last)}`, ask, isLast))
}

await name(ada.as, 'Ádá Lovelace')
await name(adam.as, 'Adam')

t.test('accounts are found by the beginning of a name, by role and by state', async t => {
  t.strictSame(idsOf(await get('?name=ada')), [adam.id, ada.id], 'the newest first')
  t.strictSame(idsOf(await get('?name=%C3%81DA%20L')), [ada.id])
  t.strictSame(idsOf(await get('?name=lovelace')), [])
  t.strictSame(idsOf(await get('?name=ada', moderator.as)), [adam.id, ada.id])
  t.strictSame(idsOf(await get('?name=ada&role=editor')), [adam.id])
  t.strictSame(idsOf(await get('?role=editor')), [adam.id])
  t.equal(idsOf(await get('?role=contributor')).length, 5, 'everybody is that')
  const first = await get('?name=a&limit=1')
  const next = encodeURIComponent(String(first.json['next']))
  t.strictSame([...idsOf(first), ...idsOf(await get(`?name=a&limit=1&cursor=${next}`))], [adam.id, ada.id])
  t.equal((await get(`?name=b&limit=1&cursor=${next}`)).code, 'cursor-invalid')

  t.equal((await act('POST', `${bea.id}/suspend`)).status, 200)
  t.strictSame(idsOf(await get('?state=suspended')), [bea.id])
  t.notOk(idsOf(await get('?state=active')).includes(bea.id))
  const expiresAt = new Date(app.clock.now().getTime() + 1000).toISOString()
  t.equal((await act('PUT', `${ada.id}/roles/auditor`, { expiresAt })).status, 200)
  t.strictSame(idsOf(await get('?role=auditor')), [ada.id])
  await app.clock.advance(1000)
  t.strictSame(idsOf(await get('?role=auditor')), [], 'a grant ends by itself')
  await name(ada.as, 'Countess')
  t.strictSame([idsOf(await get('?name=ada')), idsOf(await get('?name=countess'))], [[adam.id], [ada.id]])

  for (const query of ['state=erased', 'state=gone', 'name=', 'name=%20', 'suspended=true', 'addressHash=x'])
    t.equal((await get(`?${query}`)).status, 400, query)
})

t.test('an address is found exactly, in the clear or by its hash, and stands nowhere for it', async t => {
  const asked = 'Adam@Dictionary.Example'
  t.strictSame(idsOf(await get(`?email=${encodeURIComponent(asked)}`)), [adam.id])
  t.strictSame(idsOf(await get('?email=dam@dictionary.example')), [])
  const events = await api('GET', `/v1/events?stream=account-${adam.id}&type=AccountCreated`, { as: boss.as })
  const hash = String(Object(itemsOf(events)[0]?.['data']).claim).replace('address-', '')
  t.strictSame(idsOf(await get(`?addressHash=${hash}`)), [adam.id])
  t.strictSame(idsOf(await get(`?addressHash=${hash}&role=admin`)), [])
  t.strictSame(idsOf(await get(`?addressHash=${hash}&email=bea@dictionary.example`)), [], 'both have to fit')
  t.strictSame(idsOf(await get(`?addressHash=1.${'x'.repeat(43)}`)), [])
  for (const query of [`addressHash=${hash}`, 'email=adam@dictionary.example'])
    t.equal((await get(`?${query}`, moderator.as)).code, 'permission-denied')

  const unknown = 'zzzunheardof@dictionary.example'
  t.strictSame(idsOf(await get(`?email=${unknown}`)), [])
  const found = await lookups({ accounts: [], fields: ['displayName', 'email'], byAddress: true, byName: false })
  t.ok(found.some(each => each.byName && each.accounts.includes(adam.id)))
  t.notMatch(JSON.stringify(found), /@|[Cc]ountess|zzz/, 'what was asked for stands in no event')
  t.strictSame(tracesIn(folder, ['zzzunheardof']), [], 'and in no file')
})

t.test('one account: who granted what and why, its sessions, its end', async t => {
  t.equal((await act('PUT', `${adam.id}/roles/moderator`, { languages: ['es'], reason: 'Knows Spanish.' })).status, 200)
  const whole = await get(`/${adam.id}`)
  t.match(whole.json, {
    id: adam.id,
    email: 'adam@dictionary.example',
    roles: [
      { role: 'contributor' },
      { role: 'editor', granted: { by: String, at: String } },
      { role: 'moderator', languages: ['es'], granted: { by: boss.id, reason: 'Knows Spanish.', at: String } },
    ],
    sessions: [{ id: String, startedAt: String }],
  })
  t.ok(
    await lookups({ accounts: [adam.id], fields: ['displayName', 'email', 'reasons', 'sessions'], byAddress: false }),
  )
  const seen = await get(`/${adam.id}`, moderator.as)
  t.notMatch(seen.text, /granted|sessions|@|Knows/, 'a moderator sees neither reasons nor sessions')

  t.equal((await api('DELETE', '/v1/me', { as: ada.as, body: { content: 'kept' } })).status, 202)
  for (const as of [boss.as, moderator.as]) {
    t.match((await get(`/${ada.id}`, as)).json, { state: 'erasing', erasure: { due: String, content: 'kept' } })
    t.match(itemsOf(await get('?state=erasing', as)), [{ id: ada.id, erasure: { due: String } }])
  }
  t.equal((await api('DELETE', '/v1/me/erasure', { as: ada.as })).status, 204)
  t.strictSame(idsOf(await get('?state=erasing')), [])
  t.equal('erasure' in (await get(`/${ada.id}`)).json, false)
})

t.test('a grant that cannot be is refused for what is wrong with it, and changes nothing', async t => {
  const roles = async (id: string) => (await get(`/${id}`)).json['roles']
  const before = [await roles(adam.id), await roles(bea.id)]
  const grant = (id: string, role: string, more: object = {}) => act('PUT', `${id}/roles/${role}`, more)
  const now = app.clock.now().toISOString()
  for (const [asked, code] of [
    [await grant(adam.id, 'emperor'), 'role-unknown'],
    [await grant(adam.id, 'constructor'), 'role-unknown'],
    [await grant(adam.id, 'contributor'), 'role-basic'],
    [await grant(adam.id, 'auditor', { expiresAt: '2020-01-01T00:00:00Z' }), 'grant-past'],
    [await grant(adam.id, 'auditor', { expiresAt: now }), 'grant-past'],
    [await grant(adam.id, 'auditor', { expiresAt: '2026-02-30T00:00:00Z' }), 'validation'],
    [await grant(adam.id, 'editor', { languages: ['zz-nowhere'] }), 'language-unknown'],
    [await grant(adam.id, 'editor', { languages: ['es', ''] }), 'language-unknown'],
    [await grant(adam.id, 'editor', { languages: [] }), 'text-invalid'],
    [await grant(adam.id, 'editor', { languages: 'es' }), 'validation'],
    [await grant(adam.id, 'auditor', { languages: ['es'] }), 'grant-languages'],
    [await grant(bea.id, 'editor'), 'grant-suspended'],
    [await grant('nobody', 'editor'), 'account-not-found'],
    [await grant(boss.id, 'auditor'), 'own-role'],
    [await act('DELETE', `${bea.id}/roles/editor`), 'role-not-held'],
  ] as const)
    t.equal(asked.code, code, asked.text)
  t.strictSame([await roles(adam.id), await roles(bea.id)], before)
})

t.test('what an account did and what was done to it, page by page, without what is sealed', async t => {
  const ask = (query: string, as = boss.as) => get(`/${bea.id}/activity${query}`, as)
  const all = await ask('?order=asc')
  t.equal(all.status, 200, all.text)
  const types = itemsOf(all).map(each => each['type'])
  for (const type of ['SessionStarted', 'AccountSuspended']) t.ok(types.includes(type), type)
  t.match(
    itemsOf(all).find(each => each['type'] === 'AccountSuspended'),
    { meta: { actor: { id: boss.id } } },
    'with who did it',
  )
  t.notMatch(all.text, /A test\.|@dictionary|argon2/)
  const paged: unknown[] = []
  let path: string | undefined = '?order=asc&limit=2'
  while (path !== undefined) {
    const page: Received = await ask(path)
    paged.push(...itemsOf(page).map(each => each['id']))
    const { next } = page.json
    path = typeof next === 'string' ? `?order=asc&limit=2&cursor=${encodeURIComponent(next)}` : undefined
  }
  t.strictSame(paged, idsOf(all))
  t.ok(await lookups({ accounts: [bea.id], fields: ['activity'], byAddress: false }))
  t.equal((await ask('', moderator.as)).code, 'permission-denied')
  t.equal((await get('/nobody/activity')).code, 'account-not-found')
  t.equal((await ask('?type=Nonsense')).status, 400)
})

t.test('every answer agreed with the document', async t => {
  t.strictSame(api.faults, [])
})
