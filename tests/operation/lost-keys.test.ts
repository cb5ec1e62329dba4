/** A log whose keys are gone: nothing begins on new ones, which would open nothing of it, and everything says what to do. */
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openTestApp } from '../support/app.ts'
import { hurried, runHere } from '../support/here.ts'
import { temporaryFolder } from '../support/service.ts'

const draft = (url: string, token: string) =>
  fetch(`${url}/v1/entries`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ language: 'en', lemma: 'kept', partOfSpeech: 'noun', senses: [{ gloss: 'not lost' }] }),
  })

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap(each => (each.isFile() ? [each.name] : []))

t.test('the keys are emptied beside a log that has sealed events', async t => {
  const folder = temporaryFolder(t)
  const [keys, backup] = [join(folder, 'keys'), join(temporaryFolder(t), 'backup')]
  const app = await openTestApp(t, {}, { folder })
  const written = await draft(app.url, await app.token('contributor'))
  t.equal(written.status, 201)
  const at = written.headers.get('location') ?? ''
  await app.close()
  for (const gone of [keys, join(keys, 'secret')]) {
    renameSync(gone, backup)
    mkdirSync(gone, { mode: 0o700 })
    const left = filesIn(keys)
    await t.rejects(openTestApp(t, {}, { folder }), {
      name: 'KeysError',
      message: /there are no keys in .*, and the log has events that are sealed, from position \d+ on: put back/,
    })
    for (const command of [['verify'], ['token', 'list'], ['projections']])
      t.match(
        await runHere(folder, command),
        { code: 1, err: /put back the newest copy of the keys/ },
        command.join(' '),
      )
    t.same(filesIn(keys), left, 'and none is made')
    const { code, out } = await runHere(folder, ['doctor', '--json'], {}, hurried)
    t.equal(code, 1)
    t.match(out, /no secrets, and there is a log.*Put the folder back from a copy/)
    rmSync(gone, { recursive: true })
    renameSync(backup, gone)
  }
  const again = await openTestApp(t, {}, { folder })
  const token = await again.token('contributor')
  t.equal((await fetch(`${again.url}${at}`, { headers: { authorization: `Bearer ${token}` } })).status, 200)
})

t.test('a log that nothing is sealed in gets its keys at the start', async t => {
  const folder = temporaryFolder(t)
  const app = await openTestApp(t, {}, { folder })
  await app.close()
  rmSync(join(folder, 'keys'), { recursive: true })
  const again = await openTestApp(t, {}, { folder })
  t.equal((await draft(again.url, await again.token('contributor'))).status, 201)
})
