/** Grants for some languages, as clients meet them: where they hold, where they do not, when they end. */
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'

const app = await openTestApp(t)
const api = await openApi(app.url)

const person = async (name: string, role: 'admin' | 'contributor') => {
  const email = `${name}@dictionary.example`
  const { accountId, password } = await app.account(role, email)
  const session = await api('POST', '/v1/sessions', { body: { email, password } })
  if (session.status !== 201) throw new Error(session.text)
  return { id: accountId, token: String(session.json['accessToken']) }
}
const boss = await person('boss', 'admin')
const worker = await person('worker', 'contributor')
const author = await person('author', 'contributor')

const grant = (body: object, role = 'editor') =>
  api('PUT', `/v1/accounts/${worker.id}/roles/${role}`, { as: boss.token, body: { reason: 'A test.', ...body } })
const after = ({ headers }: Received) => ({ 'sync-token': headers.get('sync-token') ?? '' })
const draft = async (language: string, lemma: string) => {
  const body = { language, lemma, partOfSpeech: 'noun', senses: [{ gloss: 'Something.' }] }
  const answer = await api('POST', '/v1/entries', { as: author.token, body })
  if (answer.status !== 201) throw new Error(answer.text)
  return { path: `/v1/entries/${String(answer.json['id'])}`, headers: after(answer) }
}
const es = await draft('es', 'casa')
const mx = await draft('es-MX', 'cuate')
const esu = await draft('esu', 'ena')
const en = await draft('en', 'house')
const absent = { path: '/v1/entries/00000000-0000-5000-8000-000000000000', headers: {} }
const whichever = { 'if-match': '*' }
const act = (entry: { path: string }, what: string, body?: object, headers: Record<string, string> = {}) =>
  api('POST', `${entry.path}/${what}`, {
    as: worker.token,
    headers: { ...whichever, ...headers },
    ...defined({ body }),
  })
const read = (entry: { path: string; headers: Record<string, string> }) =>
  api('GET', entry.path, { as: worker.token, headers: entry.headers })
const sees = async (entry: typeof es): Promise<boolean> => 'senses' in (await read(entry)).json

t.test('an editor for Spanish works on Spanish entries, whole, and on no others', async t => {
  t.notOk(await sees(es), 'a contributor sees that there is a draft, and no more')
  t.equal((await act(es, 'publish')).code, 'permission-denied')
  const granted = await grant({ languages: ['ES', 'spa'] })
  t.same(granted.json['roles'], [{ role: 'editor', languages: ['es'] }], granted.text)
  const mine = await api('GET', '/v1/me/permissions', { as: worker.token, headers: after(granted) })
  const here = Object(mine.json['inLanguages'])['es']
  t.ok(Array.isArray(here) && here.includes('entries:publish') && !here.includes('entries:draft'), mine.text)
  const everywhere = mine.json['permissions']
  t.ok(Array.isArray(everywhere) && !everywhere.includes('entries:publish'), mine.text)

  t.ok((await sees(es)) && (await sees(mx)), 'what is to be reviewed')
  t.notOk((await sees(en)) || (await sees(esu)))
  for (const [what, body] of [
    ['publish', undefined],
    ['retire', { reason: 'A duplicate.' }],
    ['restore', {}],
    ['revert', { toRevision: '0' }],
    ['return', { reason: 'Why?' }],
  ] as const) {
    const answers = await Promise.all([en, esu, absent].map(each => act(each, what, body)))
    for (const { status, code, json } of answers) {
      t.same([status, code], [403, 'permission-denied'], what)
      t.equal(
        json['detail'],
        answers[0]?.json['detail'],
        'an entry that is not there answers like one of another language',
      )
    }
  }
  const edit = (entry: typeof es) =>
    api('PATCH', entry.path, { as: worker.token, headers: whichever, body: { categories: ['life'] } })
  t.equal((await edit(en)).status, 403)
  t.equal((await edit(es)).status, 200)
  t.equal((await act(en, 'take-over')).code, 'entry-not-stale', 'as any contributor')
  t.equal((await act(es, 'publish')).status, 200)
  t.equal((await act(mx, 'publish')).status, 200)
  t.equal((await act(es, 'redact', { ground: 'privacy' })).code, 'permission-denied', 'no editor does')
  t.equal((await act(es, 'retire', { reason: 'A duplicate.' })).status, 200)
  t.equal((await read(es)).status, 200, 'who reviews Spanish sees what is retired')
  t.equal((await api('GET', es.path)).status, 410, 'and nobody is given their answer')
  t.equal((await api('GET', es.path, { as: author.token })).status, 410)
  const retired = (query: string) => api('GET', `/v1/entries?status=retired${query}`, { as: worker.token })
  t.equal((await retired('&language=es')).status, 200)
  t.same([(await retired('&language=en')).status, (await retired('')).status], [403, 403])
  t.equal(
    (await api('POST', `${es.path}/restore`, { headers: whichever, body: {} })).status,
    401,
    'strangers are told to sign in',
  )
  const service = await app.token('contributor')
  t.equal((await api('POST', `${es.path}/restore`, { as: service, headers: whichever, body: {} })).status, 403)
})

t.test('it ends by itself, is replaced whole, and is taken back at once', async t => {
  t.equal((await act(en, 'publish')).status, 403)
  const wider = await grant({})
  t.equal((await act(en, 'publish', undefined, after(wider))).status, 200, 'without languages: all of them')
  const soon = new Date(app.clock.now().getTime() + 1500)
  const brief = await grant({ languages: ['en'], expiresAt: soon.toISOString() })
  const retire = () => act(en, 'retire', { reason: 'A duplicate.' }, after(brief))
  t.equal((await retire()).status, 200)
  t.equal((await act(es, 'restore', {}, after(brief))).status, 403, 'the new grant is for English')
  await app.clock.advance(1499)
  t.equal((await act(en, 'restore', {}, after(brief))).status, 200, 'up to its last moment')
  await app.clock.advance(1)
  t.equal((await retire()).status, 403, 'and no longer')
  const again = await grant({ languages: ['en'] })
  t.equal(again.status, 200)
  const taken = await api('DELETE', `/v1/accounts/${worker.id}/roles/editor`, {
    as: boss.token,
    body: { reason: 'A test.' },
  })
  t.equal((await act(esu, 'publish', undefined, after(taken))).status, 403)
})

t.test('bad grants change nothing', async t => {
  const before = (await api('GET', '/v1/me/permissions', { as: worker.token })).text
  t.equal((await grant({ languages: ['es'] }, 'admin')).code, 'grant-languages')
  t.equal((await grant({ languages: ['es'] }, 'auditor')).code, 'grant-languages')
  t.equal((await grant({ languages: ['es', '__proto__'] })).code, 'language-unknown')
  t.equal((await grant({ languages: ['*'] })).code, 'language-unknown')
  for (const languages of ['es', [1], null, {}])
    t.equal((await grant({ languages })).code, 'validation', JSON.stringify(languages))
  for (const languages of [[], Array.from({ length: 51 }, () => 'es')])
    t.equal((await grant({ languages })).code, 'text-invalid', `${languages.length}`)
  t.equal((await grant({ languages: ['es'], expiresAt: '2020-01-01T00:00:00Z' })).code, 'grant-past')
  t.equal((await grant({ languages: ['es'] }, 'constructor')).code, 'role-unknown')
  const by = { as: worker.token, body: { languages: ['es'] } }
  t.equal((await api('PUT', `/v1/accounts/${worker.id}/roles/editor`, by)).code, 'permission-denied')
  t.equal((await api('GET', '/v1/me/permissions', { as: worker.token })).text, before)
  t.same(api.faults, [])
})
