/**
 * Texts that are dear to read: too long, of marks, of letters that stand for eighteen, with members that nobody asked for. What
 * is sent four times as large is refused for as much work.
 */
import t from 'tap'
import { openApi, type Received } from '../../support/api.ts'
import { openTestApp } from '../../support/app.ts'
import { unitsNormalised } from '../../support/work.ts'

const app = await openTestApp(t)
const api = await openApi(app.url)
const ada = await app.token('contributor', 'ada')

const identity = { language: 'en', lemma: 'dear', partOfSpeech: 'noun' }
const draft = (more: object): Promise<Received> =>
  api('POST', '/v1/entries', { as: ada, body: { ...identity, ...more } })

/** Marks in the wrong order: to put a run of them in order takes the square of its length. */
const marks = (size: number): string => `a${'\u0301\u0323'.repeat(size / 2)}`
const SIZES = [41_000, 164_000] as const

type Attack = (size: number) => Promise<Received>
const texts: Readonly<Record<string, Attack>> = {
  lemma: size => draft({ lemma: marks(size) }),
  'lemma, letters and marks': size => draft({ lemma: 'e\u0301'.repeat(size / 2) }),
  gloss: size => draft({ senses: [{ gloss: 'e\u0301'.repeat(size) }] }),
  label: size => draft({ senses: [{ gloss: 'a', labels: { domain: [marks(size)] } }] }),
  etymology: size => draft({ etymology: 'e\u0301'.repeat(size * 2) }),
  category: size => draft({ categories: ['e\u0301'.repeat(size / 2)] }),
}
/** Where strangers bring a password. */
const passwords: Readonly<Record<string, (password: string) => ReturnType<typeof api>>> = {
  'a sign-in': password => api('POST', '/v1/sessions', { body: { email: 'a@words.example', password } }),
  'a link of a sign-up': password => api('POST', '/v1/accounts/verify-email', { body: { token: 'x', password } }),
  'a link of a reset': password => api('POST', '/v1/password-resets/confirm', { body: { token: 'x', password } }),
}

for (const [name, attack] of Object.entries(texts))
  t.test(`too long before it is normalised: ${name}`, async t => {
    const costs: number[] = []
    for (const size of SIZES)
      costs.push(
        await unitsNormalised(async () => {
          t.match(await attack(size), { status: 422, json: { errors: [{ code: /invalid|password/ }] } })
        }),
      )
    // What else is in a request is normalised: its lemma, its address.
    for (const cost of costs) t.ok(cost < 100, `${cost} units were normalised`)
  })

for (const [name, attack] of Object.entries(passwords))
  t.test(`a password that is too long, before it is normalised: ${name}`, async t => {
    for (const size of SIZES) {
      const cost = await unitsNormalised(async () => {
        t.match((await attack(marks(size))).code, /^(?:credentials-wrong|link-invalid|password-weak)$/)
      })
      t.ok(cost < 100, `${cost} units were normalised`)
    }
  })

t.test('letters that stand for eighteen, in forms, variants, names and glosses', async t => {
  const ligature = '\ufdfa'
  const forms = (count: number) => Array.from({ length: count }, (_, n) => ({ form: `${ligature.repeat(190)}${n}` }))
  for (const count of [110, 440]) {
    const refused = await draft({ forms: forms(count) })
    t.match(refused, { status: 422, code: 'text-invalid', json: { errors: [{ pointer: '/forms/0/form' }] } })
    t.equal(Array.isArray(refused.json['errors']) && refused.json['errors'].length, 20)
  }
  // Each of them is short enough.
  const many = (count: number) => Array.from({ length: count }, (_, n) => ({ form: `${ligature.repeat(10)}${n}` }))
  const [less, more] = [await draft({ forms: many(200) }), await draft({ forms: many(500) })]
  for (const refused of [less, more])
    t.match(refused, {
      status: 422,
      json: { errors: [{ pointer: '/forms', code: 'too-many-keys', detail: /400,000/ }] },
    })
  const glosses = (count: number) => Array.from({ length: count }, (_, n) => ({ gloss: `${ligature.repeat(100)}${n}` }))
  for (const count of [50, 200])
    t.match(await draft({ senses: glosses(count) }), {
      status: 422,
      json: { errors: [{ pointer: '/senses', code: 'too-many-keys' }] },
    })
  const lemma = await draft({ lemma: ligature.repeat(12) })
  t.match(lemma, { status: 422, json: { errors: [{ pointer: '/lemma', detail: /spelt out/ }] } })
  t.match(await api('GET', `/v1/search?q=${encodeURIComponent(ligature.repeat(100))}`), { status: 422 })
})

t.test('members that nobody asked for', async t => {
  const unknown = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`m${n}`, 1]))
  for (const count of [900, 20_000, 80_000]) {
    const refused = await draft(unknown(count))
    t.match(refused, { status: 400, code: 'validation' })
    t.ok((Array.isArray(refused.json['errors']) ? refused.json['errors'] : []).length <= 20)
    if (count > 1_000) t.match(refused.json['detail'], /more than 1000 members/)
  }
})

t.test('everything was as documented', async t => t.same(api.faults, []))
