/** Whatever the service writes is its owner's alone, also where the umask would let others read, and what was open is closed. */
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openOutbox } from '../../src/adapters/mail/outbox.ts'
import { narrow } from '../../src/core/files/folders.ts'
import { inTime, openTestApp, type TestApp } from '../support/app.ts'
import { hurried, runHere } from '../support/here.ts'
import { temporaryFolder } from '../support/service.ts'

const umask = process.umask(0)
t.teardown(() => process.umask(umask))

/** Paths below the folder, with the folder itself. */
const below = (folder: string): readonly string[] => [
  folder,
  ...readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? below(path) : [path]
  }),
]

const modeOf = (path: string): number => statSync(path).mode & 0o777

/** Those that have another mode than 0700, or 0600 for a file. */
const wrong = (folder: string): readonly string[] =>
  below(folder).flatMap(path => {
    const stat = statSync(path, { throwIfNoEntry: false })
    const due = stat?.isDirectory() ? 0o700 : 0o600
    return stat && (stat.mode & 0o777) !== due ? [`${path} ${(stat.mode & 0o777).toString(8)}`] : []
  })

const LOGGED = { LEXICHRON_LOG_TO: 'files', LEXICHRON_LOG_LEVEL: 'info', LEXICHRON_ALERT_MAIL: 'ops@example.org' }

/** An entry is drafted, published and removed, of which a mail tells. */
const use = async (app: TestApp, lemma: string): Promise<void> => {
  const headers = { authorization: `Bearer ${await app.token('admin')}`, 'content-type': 'application/json' }
  const send = (path: string, body: object, more: Readonly<Record<string, string>> = {}) =>
    fetch(`${app.url}${path}`, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(body) })
  const word = { language: 'en', lemma, partOfSpeech: 'adjective', senses: [{ gloss: 'not closed' }] }
  const { id } = JSON.parse(await (await send('/v1/entries', word)).text())
  await (await send(`/v1/entries/${id}/publish`, {}, { 'if-match': '"0"' })).text()
  await (await send(`/v1/entries/${id}/redact`, { ground: 'law' })).text()
}

const mailIn = (folder: string): boolean =>
  readdirSync(folder, { recursive: true }).some(name => /\.eml$/.test(`${name}`))

const used = async (t: Test, folder: string): Promise<TestApp> => {
  const app = await openTestApp(t, LOGGED, { folder })
  await use(app, 'open')
  await inTime(app, 'a mail', () => mailIn(folder))
  return app
}

t.test('folders are 0700 and files 0600 with a umask of 0, while it runs and afterwards', async t => {
  const folder = join(temporaryFolder(t), 'data')
  const app = await used(t, folder)
  const names = below(folder).map(path => path.slice(folder.length + 1))
  for (const kind of [
    /^events\.db$/,
    /^events\.db-wal$/,
    /^read\.db-shm$/,
    /^read\.db-lock$/,
    /^jobs\.db-wal$/,
    /^logs\/.*\.log$/,
    /^keys\/secret\//,
    /^outbox\/.*\.eml$/,
  ])
    t.ok(
      names.some(name => kind.test(name)),
      String(kind),
    )
  t.same(wrong(folder), [])
  await app.close()
  t.same(wrong(folder), [])
})

t.test('what an earlier version or a copy left open is closed at the start', async t => {
  const folder = temporaryFolder(t)
  const app = await used(t, folder)
  await app.close()
  for (const path of below(folder)) {
    if (path.includes(join(folder, 'keys'))) continue
    chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644)
  }
  const seen = await runHere(folder, ['doctor', '--json'], {}, hurried)
  t.match(seen.out, /"check":"data files","state":"warning","detail":"Others on this machine may read [^"]*read\.db/)
  const again = await openTestApp(t, LOGGED, { folder })
  await inTime(again, 'jobs.db is closed too', () => modeOf(join(folder, 'jobs.db')) === 0o600)
  const mailed = readdirSync(join(folder, 'outbox')).length
  await use(again, 'another')
  await inTime(again, 'one more mail', () => readdirSync(join(folder, 'outbox')).length > mailed)
  t.same(wrong(folder), [])
  await again.close()
})

t.test('a folder with other things in it stays as it is, and doctor says so', async t => {
  const folder = temporaryFolder(t)
  chmodSync(folder, 0o755)
  writeFileSync(join(folder, 'of-somebody-else.txt'), '', { mode: 0o644 })
  const app = await openTestApp(t, {}, { folder })
  t.equal(modeOf(folder), 0o755)
  t.equal(modeOf(join(folder, 'events.db')), 0o600)
  await app.close()
  const { out } = await runHere(folder, ['doctor', '--json'], {}, hurried)
  t.match(
    out,
    new RegExp(`"check":"data files","state":"warning","detail":"Others on this machine may read ${folder}, `),
  )
  t.match(out, /chmod go= /)

  const shared = join(temporaryFolder(t), 'shared')
  mkdirSync(shared)
  chmodSync(shared, 0o1777)
  await openOutbox({ folder: shared, from: 'mail@example.org' }).check()
  t.equal(modeOf(shared), 0o777, 'a folder for everybody is nobody’s to close')
})

t.test('what cannot be closed is refused, with what to do', { skip: process.platform !== 'linux' }, t => {
  // Nobody changes modes there, root included.
  const path = '/proc/sys/kernel/ostype'
  t.throws(() => narrow(path), new RegExp(`others may read or write ${path} \\(mode 0444\\).*chmod go= ${path}`))
  t.end()
})
