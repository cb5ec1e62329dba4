/** The README, which a stranger follows, and what the other documents say of the service. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { catalogue, declaredEvents } from '../../scripts/event-catalogue.ts'
import { settings } from '../../src/config/settings.ts'
import { openShell, page } from '../support/documents.ts'
import { runHere, serveHere } from '../support/here.ts'
import { ready } from '../support/nodes.ts'
import { temporaryFolder } from '../support/service.ts'
import { readTour, tourOf } from '../support/tour.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What a first start fills the log with, in small. */
const words = ['knowledge', 'know', 'known', 'knowingly', 'lexicon'].map((lemma, at) =>
  JSON.stringify({
    language: 'en',
    lemma,
    partOfSpeech: lemma === 'known' ? 'adjective' : 'noun',
    licence: 'CC0-1.0',
    rank: 10 - at,
    senses: [{ gloss: `what ${lemma} means` }],
  }),
)

t.test('the tour of the README works as it stands there', async t => {
  const data = temporaryFolder(t)
  const file = join(data, 'words.ndjson')
  writeFileSync(file, `${words.join('\n')}\n`)
  t.match(await runHere(data, ['import', 'ndjson', file, '--json']), { code: 0 })
  const service = await serveHere(t, data)
  await ready(service)
  const { url } = service
  const shell = await openShell(t, data, url)
  const ran = await shell.run(tourOf(page('README.md')))
  t.equal(ran.code, 0, ran.err)
  const answers = readTour(ran.out)
  const [fuzzy, suggested, prefixed, drafted, submitted, published, found, read, edited, history, before, reverted] =
    answers
  t.match(fuzzy, { items: [{ entry: { lemma: 'knowledge' }, matched: 'fuzzy', distance: 1 }] })
  t.match(JSON.stringify(suggested), 'knowledge')
  t.match(prefixed, { items: [{ matched: /prefix|wildcard/ }, {}, {}] })
  t.match(JSON.stringify(prefixed), '"facets"')
  t.match(drafted, { id: '501a48e3-b4ec-5dec-be9f-e904d6447fe3', status: 'draft', revision: '0' })
  t.match(submitted, { status: 'submitted', revision: '1' })
  t.match(published, { status: 'published', revision: '2' })
  t.match(JSON.stringify(found), /^{"items":\[{"entry":{[^}]*"lemma":"lexichron"/)
  t.match(read, { lemma: 'lexichron', revision: '2' })
  t.match(edited, { revision: '3', categories: ['tools'], senses: [{ gloss: 'a mistake' }] })
  t.match(history, { items: [{ revision: '3' }, { revision: '2' }, { revision: '1' }, { revision: '0' }] })
  t.match(before, { revision: '2', senses: [{ gloss: 'a dictionary that forgets nothing' }] })
  t.match(reverted, { revision: '4', senses: [{ gloss: 'a dictionary that forgets nothing' }] })
  t.match(answers.slice(12), [{ events: [{ type: 'EntryRetired' }] }, { status: 412, code: 'revision-stale' }])
  t.equal(answers.length, 14, 'every command of the tour answered')

  const listed: unknown = await (await fetch(`${url}/v1/openapi.json`)).json()
  const paths =
    typeof listed === 'object' && listed !== null && 'paths' in listed ? Object.entries(listed.paths ?? {}) : []
  const served = paths.flatMap(([path, methods]) =>
    Object.keys(typeof methods === 'object' && methods !== null ? methods : {})
      .filter(method => ['get', 'post', 'put', 'patch', 'delete'].includes(method))
      .map(method => `${method.toUpperCase()} ${path}`),
  )
  const documented = [...page('docs/api.md').matchAll(/^\| `([A-Z]+ \/[^`]*)` \|/gm)].map(each => each[1] ?? '')
  t.strictSame(documented.toSorted(), served.toSorted(), 'docs/api.md lists the routes that are served')
})

t.test('the README names every setting with its default', async t => {
  const readme = page('README.md')
  for (const name of Object.keys(settings)) t.match(readme, `\`${name}\``)
  const named = [...readme.matchAll(/^\| ((?:`[A-Z_]+`(?:, )?)+) \|/gm)].flatMap(each => [
    ...(each[1] ?? '').matchAll(/`([A-Z_]+)`/g),
  ])
  for (const [, name = ''] of named) t.ok(name in settings, `${name} is a setting`)
})

t.test('the event catalogue is made from the schemas and is up to date', async t => {
  t.equal(page('docs/events.md'), catalogue(), 'npm run events writes it')
  const text = catalogue()
  for (const type of declaredEvents()) t.match(text, `### ${type}\n`)
  t.ok(declaredEvents().length >= 14)
})

t.test('links within the documents lead somewhere', async t => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...['architecture', 'api', 'search', 'subscribers', 'history'].map(each => `docs/${each}.md`),
  ]
  for (const path of pages)
    for (const [, target = ''] of page(path).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g))
      t.ok(existsSync(new URL(target, new URL(path, `file://${root}/`))), `${path}: ${target}`)
})
