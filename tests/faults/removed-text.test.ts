/** Text that was removed is in no file of the data folder any more, in none of the forms in which it was kept. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { entryId } from '../../src/domain/ids.ts'
import { inTime, openTestApp, type TestApp, whileTimeGoes } from '../support/app.ts'
import { temporaryFolder } from '../support/service.ts'
import { rareWords, tracesIn, untilGone } from '../support/traces.ts'

const LOGGED = { LEXICHRON_LOG_TO: 'files', LEXICHRON_LOG_LEVEL: 'debug', LEXICHRON_ALERT_MAIL: 'ops@example.org' }
const watched = { signal: new AbortController().signal, onProgress: () => undefined }

const imported = async (app: TestApp, folder: string, name: string, words: readonly string[]): Promise<void> => {
  const path = join(folder, '..', `${name}.ndjson`)
  const line = (word: string): string =>
    JSON.stringify({
      language: 'en',
      lemma: word,
      partOfSpeech: 'noun',
      licence: 'CC0-1.0',
      senses: [{ gloss: `sense of ${word}` }],
    })
  writeFileSync(path, words.map(word => `${line(word)}\n`).join(''))
  const options = { ...watched, strict: true, onFault: () => undefined }
  const done = await whileTimeGoes(app, 'the import', app.program.import('ndjson', path, options))
  if ('refused' in done) throw new Error(done.detail)
}

t.test(
  'redacted: gone from every file, old read models, the journal, logs and what was set aside with them',
  async t => {
    const folder = join(temporaryFolder(t), 'data')
    const app = await openTestApp(t, LOGGED, { folder })
    const headers = { authorization: `Bearer ${await app.token('admin')}`, 'content-type': 'application/json' }
    const send = async (method: string, path: string, body?: object, match?: string) => {
      const response = await fetch(`${app.url}${path}`, {
        method,
        headers: { ...headers, ...defined({ 'if-match': match }) },
        ...defined({ body: body && JSON.stringify(body) }),
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
      return Object(JSON.parse(text))
    }
    // They have their beginnings in common with what is removed, so that they share its pages.
    const neighbours = (seed: number, count = 120): readonly string[] =>
      rareWords(count, 7).map((word, n) => `${word.slice(0, 3)} ${seed + n}`)
    await imported(app, folder, 'first', neighbours(1_000))

    const words = [...rareWords(63, 7), 'Žqxvbüñkwårj']
    const ids: string[] = []
    for (let n = 0; n + 8 <= words.length; n += 8) {
      const [lemma = '', gloss, variant, form, example, etymology, category, changed] = words.slice(n, n + 8)
      const { id } = await send('POST', '/v1/entries', {
        language: 'en',
        lemma,
        partOfSpeech: 'noun',
        variants: [variant],
        forms: [{ form, tags: ['plural'] }],
        senses: [
          {
            gloss: `the ${gloss} of ${changed}`,
            examples: [{ text: `an ${example}.` }],
            labels: { domain: [category] },
          },
        ],
        etymology: `from ${etymology}`,
        categories: [category],
      })
      ids.push(id)
      await send('POST', `/v1/entries/${id}/publish`, {}, '"0"')
      await send('PATCH', `/v1/entries/${id}`, { etymology: `from ${changed} or ${etymology}` }, '"1"')
      if (n % 16 === 0) await send('POST', `/v1/entries/${id}/retire`, { reason: `it says ${gloss}` }, '"2"')
    }
    const clear = rareWords(40, 99)
    await imported(app, folder, 'secret', clear)
    // Those that begin alike stay, on the same pages. Where another word has the same five letters, a sixth may stand beside
    // them by chance: in a checksum, say.
    const isOwn = (five: string, of: string): boolean =>
      [...words, ...clear].every(
        word => (word === of || !word.includes(five)) && ![...word].toReversed().join('').includes(five),
      )
    const alike = clear.filter(word => isOwn(word.slice(0, 5), word))
    t.ok(alike.length > 30, `${alike.length} of them`)
    await imported(
      app,
      folder,
      'alike',
      alike.flatMap((word, n) => [`${word.slice(0, 3)} ${n}`, `${word.slice(0, 5)}${n}`]),
    )
    // So many that a build writes what it has folded before it comes to a removal.
    await imported(app, folder, 'second', neighbours(5_000, 1_200))
    await inTime(app, 'the imported entries', async () => {
      const page = await send('GET', `/v1/search?q=${clear.at(-1)}`)
      return page.items.length > 0
    })
    ids.push(...clear.map(lemma => entryId({ language: 'en', lemma, partOfSpeech: 'noun', homograph: 1 })))
    const before = tracesIn(folder, words, { clear })
    for (const word of [...words, ...clear])
      t.ok(
        before.some(trace => trace.endsWith(word) && trace.startsWith('read.db')),
        word,
      )
    t.notOk(
      before.some(trace => trace.startsWith('events.db')),
      'the log has it sealed',
    )

    for (const name of ['entries', 'search'])
      await whileTimeGoes(app, `the rebuild of ${name}`, app.program.rebuild(name, watched))
    const beside = new DatabaseSync(join(folder, 'read.db'), { timeout: 5_000 })
    await inTime(
      app,
      'the journal to be folded',
      () => beside.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] === 0,
    )
    beside.close()
    spawnSync('cp', [join(folder, 'read.db'), join(folder, 'read.db.damaged-1700000000000')])
    for (const id of ids) await send('POST', `/v1/entries/${id}/redact`, { ground: 'privacy' })
    await whileTimeGoes(app, 'the rebuild of search', app.program.rebuild('search', watched))
    await untilGone(app, folder, words, { clear })
    for (const name of ['entries', 'search']) {
      await whileTimeGoes(app, `the rebuild of ${name}`, app.program.rebuild(name, watched))
      t.same(
        tracesIn(folder, words, { clear }),
        [],
        `building ${name} again writes none of it, though the log has some`,
      )
    }
    await whileTimeGoes(app, 'the verification', app.program.verify(watched))
    t.same(tracesIn(folder, words, { clear }), [], 'nor does verifying')
    await app.close()
    t.same(tracesIn(folder, words, { clear }), [])
  },
)
