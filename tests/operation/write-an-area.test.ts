/** The area that docs/write-an-area.md writes, built into the service from the code on that page. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import type { Area } from '../../src/app/area.ts'
import { areas } from '../../src/app/areas.ts'
import type { Core } from '../../src/app/core.ts'
import { defined } from '../../src/domain/defined.ts'
import type { Recorded } from '../../src/domain/event.ts'
import { openApi } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { faultsOf, type SourceFile } from '../support/architecture.ts'
import { connectLive } from '../support/live-client.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

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

t.test('a new area is eight files and its channels, which keep to the rules of the house', async t => {
  t.equal(files.length, 9)
  t.strictSame(faultsOf(files), [])
})

/** What the compiler says of the service in the folder, with the files of the page: one line a fault. */
const faultsIn = async (folder: string): Promise<readonly string[]> => {
  const settings = { extends: join(root, 'tsconfig.json'), include: ['src'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings))
  symlinkSync(join(root, 'package.json'), join(folder, 'package.json'))
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  // Without what the test runner has every process load first: the compiler cannot be loaded behind it.
  const asked = [process.execPath, compiler, '-p', folder, '--pretty', 'false']
  const tsc = spawn('/bin/sh', ['-c', 'unset NODE_OPTIONS; exec "$0" "$@"', ...asked])
  let said = ''
  tsc.stdout.on('data', (bytes: Buffer) => {
    said += String(bytes)
  })
  tsc.stderr.on('data', (bytes: Buffer) => {
    said += String(bytes)
  })
  const [code] = await once(tsc, 'close')
  const faults = said.split('\n').filter(line => /error TS/.test(line))
  if (code !== 0 && faults.length === 0) throw new Error(`The compiler ended with ${code}: ${said}`)
  return faults
}

/** Names of the page, misspelt: the only thing that the compiler has to say. */
const misspelt = `import { refuse } from '../domain/refusal.ts'
import type { Permission } from '../domain/roles.ts'
export const right: readonly Permission[] = ['topics:manage']
export const wrong: readonly Permission[] = ['topics:manege']
export const refused = [refuse('topic-exists', ''), refuse('topic-exist', '')]
`

t.test('its code compiles, and what is misspelt beside it does not', async t => {
  const folder = temporaryFolder(t)
  withFiles(folder)
  writeFileSync(join(folder, 'src/commands/misspelt.ts'), misspelt)
  const faults = await faultsIn(folder)
  t.match(faults, [
    /misspelt\.ts\(4,\d+\): .*"topics:manege"' is not assignable/,
    /misspelt\.ts\(5,\d+\): .*"topic-exist"' is not assignable/,
  ])
  t.strictSame(faults.slice(2), [])
})

t.test('it is used as any other', async t => {
  const folder = temporaryFolder(t)
  withFiles(folder)
  const { topics }: { readonly topics?: unknown } = await import(
    pathToFileURL(join(folder, 'src/app/areas/topics.ts')).href
  )
  if (!isArea(topics)) throw new Error('There is no area.')
  const forgotten: string[] = []
  const forgets = (topics.aggregates ?? [])
    .flatMap(({ events }) => events)
    .filter(({ type }) => type === 'TopicClosed')
    .map(type => ({ type, forget: (_: Core, { stream }: Recorded) => forgotten.push(stream), wasAnswered: true }))
  const app = await openTestApp(t, {}, { areas: [...areas, { ...topics, forgets }] })
  const api = await openApi(app.url)
  const start = (await api('GET', '/v1/topics')).headers.get('sync-token') ?? ''
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
  await until('the node forgets it', () => forgotten.length > 0)
  t.strictSame(forgotten, ['topic-zoology'])
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
  const described = Object((await api('GET', '/v1/asyncapi.json')).json)
  t.ok(described.channels.live.messages['topics.TopicOpened'])
  const listener = await connectLive(app.url)
  listener.say({ op: 'subscribe', id: 'all', channel: 'topics', after: start })
  listener.say({ op: 'subscribe', id: 'one', channel: 'topic:zoology', after: start })
  listener.say({ op: 'subscribe', id: 'none', channel: 'topic:Zoology' })
  for (const id of ['all', 'one']) await listener.find(each => each['op'] === 'caught-up' && each['id'] === id)
  await listener.find(each => each['op'] === 'error')
  const told = (id: string) =>
    listener.messages.flatMap(each =>
      each['op'] === 'event' && each['id'] === id ? [[each['type'], each['data']]] : [],
    )
  const [botany, zoology] = ['botany', 'zoology'].map(name => ['TopicOpened', { name, title: 'Words of plants' }])
  const gone = ['TopicClosed', { name: 'zoology' }]
  t.strictSame(told('all'), [botany, zoology, gone])
  t.strictSame(told('one'), [zoology, gone])
  t.match(
    listener.messages.find(each => each['op'] === 'error'),
    { code: 'message-invalid', detail: /topic:\{id\}/ },
  )
  listener.end()
  t.strictSame([...new Set(api.faults)], [], 'every answer is as the OpenAPI document says')
})
