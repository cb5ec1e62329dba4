/** A log whose keys are gone: nothing begins on new ones, which would open nothing of it, and everything says what to do. */
import { spawnSync } from 'node:child_process'
import { hash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openFileKeys } from '../../src/adapters/keys/file.ts'
import { inTime, openTestApp } from '../support/app.ts'
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

t.test('the keys of one kind are emptied', async t => {
  const folder = temporaryFolder(t)
  const [keys, backup] = [join(folder, 'keys'), join(temporaryFolder(t), 'backup')]
  const app = await openTestApp(t, {}, { folder })
  const { accountId } = await app.account('contributor', 'kept@dictionary.example')
  t.equal((await draft(app.url, await app.token('contributor'))).status, 201)
  await app.close()
  for (const [kind, called] of [
    ['document', 'documents'],
    ['subject', 'people'],
  ] as const) {
    const gone = join(keys, kind)
    renameSync(gone, backup)
    mkdirSync(gone, { mode: 0o700 })
    const message = new RegExp(`no keys of ${called} in .*, and the log has events .* from position \\d+ on: put back`)
    await t.rejects(openTestApp(t, {}, { folder }), { name: 'KeysError', message })
    t.match(await runHere(folder, ['verify']), { code: 1, err: message })
    t.same(filesIn(gone), [], 'and none is made')
    t.match(await runHere(folder, ['doctor', '--json'], {}, hurried), {
      code: 1,
      out: /keys that the log names are gone/,
    })
    rmSync(gone, { recursive: true })
    renameSync(backup, gone)
  }
  t.comment('of one person')
  const digest = hash('sha256', `subject:${accountId}`, 'hex')
  const key = join(keys, 'subject', digest.slice(0, 2), `${digest}.key`)
  renameSync(key, backup)
  t.match(await runHere(folder, ['verify']), { code: 1, err: /The key file .*subject.* is missing: restore it/ })
  const without = await openTestApp(t, {}, { folder })
  await inTime(without, 'health to say so', async saw => {
    const health: unknown = await (await fetch(`${without.url}/health`)).json()
    saw(health)
    return Object(Object(Object(health).parts).keys).state === 'degraded'
  })
  await without.close()
  renameSync(backup, key)
  t.match(await runHere(folder, ['verify']), { code: 0 })
})

t.test('keys that no copy has are given up as the table of faults says', async t => {
  const folder = temporaryFolder(t)
  const app = await openTestApp(t, {}, { folder })
  await app.account('contributor', 'kept@dictionary.example')
  t.equal((await draft(app.url, await app.token('contributor'))).status, 201)
  await app.close()
  const page = readFileSync(new URL('../../docs/faults.md', import.meta.url), 'utf8')
  const commands = page.match(/^\{ printf .*FILE$/gm) ?? []
  for (const [kind, command] of [
    ['subject', commands[0]],
    ['document', commands[1]],
  ] as const) {
    const names = readdirSync(join(folder, 'keys', kind), { recursive: true, encoding: 'utf8' })
    const paths = names.filter(name => /\.keys?$/.test(name)).map(name => join(folder, 'keys', kind, name))
    const sizes = paths.map(path => statSync(path).size)
    for (const path of paths) rmSync(path)
    t.match(await runHere(folder, ['verify']), { code: 1, err: /there are no keys of/ }, kind)
    for (const path of paths)
      t.equal(spawnSync('sh', ['-c', `umask 077; ${command?.replace('FILE', '"$0"')}`, path]).status, 0)
    t.same(
      paths.map(path => statSync(path).size),
      sizes,
      kind,
    )
    await runHere(folder, ['repair'])
    t.match(await runHere(folder, ['verify']), { code: 0 }, `${kind}: what is left is whole`)
  }
})

t.test('the keys of everybody who was erased are no lost ones', async t => {
  const folder = temporaryFolder(t)
  const app = await openTestApp(t, {}, { folder })
  const { accountId } = await app.account('contributor', 'erased@dictionary.example')
  await app.close()
  const keys = await openFileKeys({ folder: join(folder, 'keys'), randomBytes, clock: app.clock })
  await keys.destroy(`subject:${accountId}`)
  await keys.close()
  t.match(await runHere(folder, ['verify']), { code: 0 })
})

t.test('a log that nothing is sealed in gets its keys at the start', async t => {
  const folder = temporaryFolder(t)
  const app = await openTestApp(t, {}, { folder })
  await app.close()
  rmSync(join(folder, 'keys'), { recursive: true })
  const again = await openTestApp(t, {}, { folder })
  t.equal((await draft(again.url, await again.token('contributor'))).status, 201)
})
