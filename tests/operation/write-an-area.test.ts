/** The area that docs/write-an-area.md writes, built into the service from the code on that page. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import type { Area } from '../../src/app/area.ts'
import { areas } from '../../src/app/areas.ts'
import { defined } from '../../src/domain/defined.ts'
import { openApi } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { faultsOf, type SourceFile } from '../support/architecture.ts'
import { temporaryFolder } from '../support/service.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'docs/write-an-area.md'), 'utf8')

/** The files of the page: each block names its own in its first line. */
const files: readonly SourceFile[] = [...page.matchAll(/```ts\n\/\/ (src\/\S+)\n([\s\S]*?)```/g)].map(
  ([, path = '', text = '']) => ({ path, text }),
)

/** A copy of `src` with the files in it: what is not on their way is linked, so that it is the code that runs here. */
const withFiles = (folder: string): void => {
  const ways = new Set(
    files.flatMap(({ path }) => {
      const parts = dirname(path).split('/')
      return parts.map((_, at) => parts.slice(0, at + 1).join('/'))
    }),
  )
  const lay = (way: string): void => {
    mkdirSync(join(folder, way), { recursive: true })
    let found: readonly string[] = []
    try {
      found = readdirSync(join(root, way))
    } catch {
      // A folder of the new area.
    }
    for (const name of found) {
      const path = `${way}/${name}`
      if (ways.has(path)) lay(path)
      else symlinkSync(join(root, path), join(folder, path))
    }
    for (const other of ways) if (dirname(other) === way && !found.includes(other.split('/').at(-1) ?? '')) lay(other)
  }
  lay('src')
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const { path, text } of files) writeFileSync(join(folder, path), text)
}

const isArea = (value: unknown): value is Area => typeof value === 'object' && value !== null && 'routes' in value

t.test('a new area is eight files, which keep to the rules of the house', async t => {
  t.equal(files.length, 8)
  t.strictSame(faultsOf(files), [])
})

t.test('it is used as any other', async t => {
  const folder = temporaryFolder(t)
  withFiles(folder)
  const { topics }: { readonly topics?: unknown } = await import(
    pathToFileURL(join(folder, 'src/app/areas/topics.ts')).href
  )
  if (!isArea(topics)) throw new Error('There is no area.')
  const app = await openTestApp(t, {}, { areas: [...areas, topics] })
  const api = await openApi(app.url)
  const [editor, contributor, auditor] = [
    await app.token('editor'),
    await app.token('contributor'),
    await app.token('auditor'),
  ]
  const open = (as: string | undefined, name: string) =>
    api('POST', '/v1/topics', { ...defined({ as }), body: { name, title: 'Words of plants' } })

  t.equal((await open(undefined, 'botany')).status, 401)
  t.match(await open(contributor, 'botany'), { status: 403, code: 'permission-denied' })
  t.match(await open(editor, 'botany'), {
    status: 201,
    json: { name: 'botany', title: 'Words of plants', status: 'open' },
  })
  t.match(await open(editor, 'botany'), { status: 409, code: 'topic-exists' })
  t.match(await api('GET', '/problems/topic-exists'), { json: { title: 'The topic exists' } })
  t.match(await open(editor, 'Botany'), { status: 400, code: 'validation' })

  const opened = await open(editor, 'zoology')
  const after = { headers: { 'sync-token': opened.headers.get('sync-token') ?? '' } }
  t.match(await api('GET', '/v1/topics', after), { json: { items: [{ name: 'botany' }, { name: 'zoology' }] } })
  const first = await api('GET', '/v1/topics?limit=1', after)
  const second = await api('GET', `/v1/topics?limit=1&cursor=${String(first.json['next'])}`)
  t.match(second.json, { items: [{ name: 'zoology' }], next: null })

  t.match(await api('POST', '/v1/topics/nowhere/close', { as: editor, body: {} }), { code: 'topic-not-found' })
  const closed = await api('POST', '/v1/topics/zoology/close', { as: editor, body: {} })
  t.match(closed, { status: 200, json: { status: 'closed' } })
  const left = { headers: { 'sync-token': closed.headers.get('sync-token') ?? '' } }
  t.strictSame(Object(await api('GET', '/v1/topics', left)).json.items.length, 1)

  const history = await api('GET', '/v1/events?category=topic&order=asc', { as: auditor, ...left })
  t.match(history.json, { items: [{ type: 'TopicOpened' }, { type: 'TopicOpened' }, { type: 'TopicClosed' }] })
  const roles = Object((await api('GET', '/v1/roles')).json)
  const managing = roles.items.filter((role: { permissions: string[] }) => role.permissions.includes('topics:manage'))
  t.strictSame(
    managing.map((role: { name: string }) => role.name),
    ['editor', 'admin'],
  )
  t.ok(Object.keys(Object((await api('GET', '/health')).json['parts'])).includes('projection topics'))
  t.strictSame([...new Set(api.faults)], [], 'every answer is as the OpenAPI document says')
})
