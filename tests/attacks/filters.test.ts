/**
 * Filters, orders and pages as oracles: what a draft of somebody else holds, guessed by asking which list it is in. A list is
 * the same whatever stands in what its reader may not see.
 */
import t from 'tap'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'

const app = await openTestApp(t)
const api = await openApi(app.url)
const [ada, bob, editor, auditor, moderator] = [
  await app.token('contributor', 'ada'),
  await app.token('contributor', 'bob'),
  await app.token('editor'),
  await app.token('auditor'),
  await app.token('moderator'),
]
const labels = { register: ['hushed'], region: [], domain: [] }
const draft = async (lemma: string, as: string, language = 'en') => {
  const senses = [{ gloss: 'What it means.', labels }]
  const body = { language, lemma, partOfSpeech: 'noun', categories: ['hidden things'], senses }
  const made = await api('POST', '/v1/entries', { as, body })
  if (made.status !== 201) throw new Error(made.text)
  return made.json
}
const start = app.clock.now().toISOString()
await app.pass(60_000)
const first = await draft('b hers', ada)
await draft('a hers', ada)
await draft('d', ada, 'de')
await app.pass(60_000)
const middle = app.clock.now().toISOString()
await app.pass(60_000)
const patch = { as: editor, body: { etymology: 'mended' }, headers: { 'if-match': '*' } }
await api('PATCH', `/v1/entries/${first['id']}`, patch)
const edited = (await api('GET', `/v1/entries/${first['id']}`, { as: editor })).json
const [author, helper] = Array.isArray(edited['contributors']) ? edited['contributors'].map(String) : []
const own = await draft('c his', bob)

const list = (query: string, as: string): Promise<Received> => api('GET', `/v1/entries?status=draft&${query}`, { as })
const lemmas = ({ json }: Received): readonly unknown[] =>
  Array.isArray(json['items']) ? json['items'].map(item => item['lemma']) : []

/** What is in the drafts, and what is in none of them. */
const guesses: readonly (readonly [guess: string, wrong: string])[] = [
  ['category=hidden%20things', 'category=nothing'],
  ['category=HIDDEN%20THINGS', 'category=nothing'],
  ['label=hushed', 'label=nothing'],
  ['category=hidden%20things&label=hushed&language=en', 'category=nothing&label=hushed&language=en'],
  [`contributor=${helper}`, 'contributor=00000000-0000-4000-8000-000000000000'],
  [`updatedSince=${middle}`, 'updatedSince=2999-01-01T00:00:00Z'],
  ['source=words', 'source=nothing'],
  ['sort=updatedAt', 'sort=createdAt'],
  ['sort=-updatedAt', 'sort=-createdAt'],
]

t.test('nobody guesses what stands in the drafts of others', async t => {
  for (const as of [bob, auditor, moderator])
    for (const [guess, wrong] of guesses) {
      const both = [await list(guess, as), await list(wrong, as)]
      const [right, other] = both.map(({ status, json }) => {
        const items = Array.isArray(json['items']) ? json['items'].filter(({ id }) => id !== own['id']) : undefined
        return { status, items, next: json['next'] }
      })
      t.strictSame(right, other, guess)
      t.match(right, { status: 200, items: [], next: null }, guess)
      for (const limit of [1, 2]) t.equal((await list(`${guess}&limit=${limit}`, as)).json['next'], null)
    }
})

t.test('what they see of a draft they find it by, and their own by all that is in it', async t => {
  t.strictSame(lemmas(await list('sort=lemma', bob)), ['a hers', 'b hers', 'c his', 'd'])
  t.strictSame(lemmas(await list('language=de', bob)), ['d'])
  t.strictSame(lemmas(await list(`contributor=${author}`, bob)), ['a hers', 'b hers', 'd'], 'the author is shown')
  for (const [guess] of guesses.filter(([query]) => !/contributor|source/.test(query)))
    t.strictSame(lemmas(await list(guess, bob)), ['c his'], guess)
  t.strictSame(lemmas(await list(`category=hidden%20things&contributor=${author}`, bob)), [])
  t.strictSame(lemmas(await list(`updatedSince=${start}&sort=-lemma`, ada)), ['d', 'b hers', 'a hers'])
  t.strictSame(lemmas(await list('category=hidden%20things&limit=1', ada)), ['a hers'])
})

t.test('who edits sees all, and finds all', async t => {
  t.strictSame(lemmas(await list('category=hidden%20things', editor)), ['a hers', 'b hers', 'c his', 'd'])
  t.strictSame(lemmas(await list(`contributor=${helper}`, editor)), ['b hers'])
  t.strictSame(lemmas(await list(`updatedSince=${middle}`, editor)), ['b hers', 'c his'])
})

t.test('who edits one language finds all of that, and of the others what a contributor does', async t => {
  const { accountId, password } = await app.account('contributor', 'german@dictionary.example')
  const { password: firstPassword } = await app.account('admin', 'boss@dictionary.example')
  const signIn = async (email: string, given: string | undefined) => {
    const opened = await api('POST', '/v1/sessions', { body: { email, password: given } })
    return String(opened.json['accessToken'])
  }
  const boss = await signIn('boss@dictionary.example', firstPassword)
  const granted = await api('PUT', `/v1/accounts/${accountId}/roles/editor`, {
    as: boss,
    body: { reason: 'A test.', languages: ['de'] },
  })
  t.equal(granted.status, 200, granted.text)
  const as = await signIn('german@dictionary.example', password)
  const ask = (query: string) =>
    api('GET', `/v1/entries?status=draft&${query}`, {
      as,
      headers: { 'sync-token': granted.headers.get('sync-token') ?? '' },
    })
  t.strictSame(lemmas(await ask('category=hidden%20things&language=de')), ['d'])
  t.strictSame(lemmas(await ask('category=hidden%20things&language=en')), [])
  t.strictSame(lemmas(await ask('category=hidden%20things')), [])
})

t.test('a stranger is asked who they are, and told how', async t => {
  for (const status of ['draft', 'submitted', 'retired']) {
    const answer = await api('GET', `/v1/entries?status=${status}`)
    t.match(answer, { status: 401, code: 'unauthenticated' })
    t.match(answer.headers.get('www-authenticate'), /^Bearer realm=/)
    t.equal((await api('HEAD', `/v1/entries?status=${status}`)).status, 401)
    const known = await api('GET', `/v1/entries?status=${status}`, { as: await app.token('reader') })
    t.match(known, { status: 403, code: 'permission-denied' })
  }
})

t.test('every answer was as the document says', async t => t.strictSame([...new Set(api.faults)], []))
