import { fileURLToPath } from 'node:url'
import t from 'tap'
import { circlesOf, faultsOf, sourcesBelow, testFaults, textFaults } from './support/architecture.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

t.test('every file keeps to its layer and to the rules of the house', async t => {
  const sources = sourcesBelow(root, 'src')
  t.ok(sources.length > 40, 'the sources were found')
  t.strictSame(faultsOf(sources), [])
  t.strictSame(circlesOf(sources), [])
})

t.test('tests, benchmarks and scripts keep to the rules that are not about layers', async t => {
  // A contract suite is as long as its contract; this file quotes what it forbids.
  const others = ['tests', 'bench', 'scripts'].flatMap(folder => sourcesBelow(root, folder))
  t.strictSame(
    others.filter(each => each.path !== 'tests/architecture.test.ts').flatMap(each => textFaults(each, 600)),
    [],
  )
})

t.test('a planted violation is found', async t => {
  const plant = (path: string, text: string, expected: string): void => {
    const found = faultsOf([{ path, text }])
    t.ok(
      found.some(each => each.includes(expected)),
      `${path}: ${expected}; found ${found.join('; ') || 'nothing'}`,
    )
  }
  const importing = (target: string): string => `import { x } from '${target}'\n`
  plant('src/domain/entry/planted-a.ts', importing('../../ports/clock.ts'), 'domain imports ports')
  plant('src/domain/entry/planted-b.ts', importing('node:fs'), 'the domain imports node:fs')
  plant('src/domain/entry/planted-c.ts', "const x = await import('lru-cache')\n", 'the domain imports lru-cache')
  plant('src/domain/planted.ts', 'export const x = 1\n', 'a file of one area lies in its folder')
  plant('src/domain/roles.ts', importing('./entry/entry.ts'), 'what all areas share names one')
  plant('src/ports/planted-a.ts', "import type { Log } from '../core/log/log.ts'\n", 'ports imports core')
  plant('src/ports/planted-b.ts', importing('../domain/account/account.ts'), 'ports names an area')
  for (const layer of ['commands', 'queries', 'projections', 'subscribers', 'adapters', 'app', 'config'])
    plant(`src/core/write/planted-${layer}.ts`, importing(`../../${layer}/planted.ts`), `core imports ${layer}`)
  plant('src/core/write/planted-a.ts', importing('../../domain/entry/decisions.ts'), 'core names an area')
  plant('src/core/write/planted-b.ts', importing('../../domain/text/text.ts'), 'core names an area')
  plant('src/core/planted.ts', 'export const x = 1\n', 'a file of core lies in a folder')
  plant('src/core/log/planted.ts', importing('node:fs/promises'), 'the machine is on files only in src/core/files')
  plant('src/commands/planted-a.ts', importing('../queries/days.ts'), 'commands imports queries')
  plant('src/commands/planted-b.ts', importing('../adapters/sqlite/database.ts'), 'commands imports adapters')
  plant('src/commands/planted-c.ts', importing('../projections/entries.ts'), 'commands imports projections')
  plant('src/projections/planted-a.ts', importing('../commands/entries.ts'), 'projections imports commands')
  plant(
    'src/projections/planted-b.ts',
    "import {\n  x,\n  y,\n} from '../queries/days.ts'\n",
    'projections imports queries',
  )
  plant('src/queries/planted-a.ts', importing('../app/core.ts'), 'queries imports app')
  plant('src/queries/planted-b.ts', importing('../commands/entries.ts'), 'queries imports commands')
  plant('src/queries/planted-c.ts', importing('../subscribers/mail.ts'), 'queries imports subscribers')
  plant('src/subscribers/planted-a.ts', importing('../queries/days.ts'), 'subscribers imports queries')
  plant('src/subscribers/planted-b.ts', importing('../config/load.ts'), 'subscribers imports config')
  plant('src/config/planted.ts', importing('../ports/clock.ts'), 'config imports ports')
  plant('src/config/planted-b.ts', importing('../domain/entry/entry.ts'), 'config names an area')
  plant('src/adapters/http/planted-a.ts', importing('../cli/run.ts'), 'one adapter imports another')
  plant('src/adapters/http/planted-b.ts', importing('./routes/live.ts'), 'the edge imports the route of an area')
  plant('src/adapters/http/server.ts', importing('./routes/live.ts'), 'the edge imports the route of an area')
  plant('src/adapters/http/routes/planted.ts', importing('../deps.ts'), 'imports what is made of all')
  plant('src/adapters/http/planted-d.ts', importing('./server.ts'), 'imports what is made of all')
  plant('src/adapters/http/planted-c.ts', importing('../../app/core.ts'), 'adapters imports app')
  plant('src/adapters/planted.ts', 'export const x = 1\n', 'a file of adapters lies in a folder')
  plant('src/app/planted.ts', importing('../main.ts'), 'app imports main')
  plant('src/main.ts', importing('./adapters/http/server.ts'), 'only src/app constructs')
  plant('src/main.ts', importing('./domain/ids.ts'), 'main imports domain')
  plant('src/planted.ts', 'export const x = 1\n', 'stands in no layer')
  plant('src/elsewhere/planted.ts', 'export const x = 1\n', 'stands in no layer')
  plant('src/domain/entry/planted-d.ts', 'export default 1\n', 'a default export')
  plant('src/domain/entry/planted-e.ts', "export { x } from './events.ts'\n", 'a re-export')
  plant('src/domain/entry/planted-f.ts', "export * from './events.ts'\n", 'a re-export')
  plant('src/domain/entry/planted-g.ts', 'export const x = 1 as unknown as string\n', 'a cast through unknown')
  plant('src/domain/entry/planted-h.ts', 'export const x: any = 1\n', 'the type any')
  plant('src/domain/entry/planted-i.ts', 'export const x = (y: Map<string, any>) => y\n', 'the type any')
  plant('src/domain/entry/planted-j.ts', 'export enum X { A }\n', 'an enum')
  plant('src/domain/entry/planted-k.ts', '// @ts-ignore\nexport const x = 1\n', 'a suppressed type error')
  plant('src/domain/entry/planted-l.ts', `${'export const x = 1\n'.repeat(400)}`, 'lines, more than')
  plant('src/domain/entry/planted-m.ts', '// TODO later\nexport const x = 1\n', 'an orphan TODO')
  plant('src/domain/entry/utils.ts', 'export const x = 1\n', 'a name that says nothing')
  plant(
    'src/domain/entry/planted-n.ts',
    'const x: Readonly<Record<string, number>> = { a: 1 }\n',
    'a table by any name',
  )
  plant('src/domain/entry/planted-o.ts', 'export const x: Record<string, (y: 1) => 2> = {\n}\n', 'a table by any name')
  plant('src/domain/entry/planted-p.ts', 'for (const x in y) z(x)\n', 'for...in')
  plant(
    'src/domain/entry/planted-q.ts',
    'export const x = { ...(a !== b && { c: d(e, [f, g]) }) }\n',
    'an optional member',
  )
  plant('src/domain/entry/planted-r.ts', 'export const x = { ...(a(b) && {\n  c,\n}) }\n', 'an optional member')
  plant('src/domain/entry/planted-q.ts', 'const x = (y: string) => y in z\n', 'a name looked for by in')
  plant('src/domain/entry/planted-r.ts', 'if (!(event.type in z)) y()\n', 'a name looked for by in')
  plant('src/domain/entry/planted-s.ts', 'if (x[0] in z) y()\n', 'a name looked for by in')
})

t.test('what may import what is allowed, and no more is needed for it', async t => {
  const allowed = (path: string, target: string): void => {
    t.strictSame(faultsOf([{ path, text: `import { x } from '${target}'\n` }]), [], `${path}: ${target}`)
  }
  for (const shared of ['event', 'ids', 'json', 'refusal', 'roles', 'decider', 'mark'])
    allowed('src/core/write/x.ts', `../../domain/${shared}.ts`)
  allowed('src/core/files/x.ts', 'node:fs')
  allowed('src/subscribers/x.ts', '../commands/entries.ts')
  allowed('src/adapters/keys/x.ts', '../sqlite/database.ts')
  allowed('src/adapters/keys/x.ts', '../mongodb/client.ts')
  allowed('src/adapters/http/routes/x.ts', './sessions.ts')
  allowed('src/app/areas/x.ts', '../../adapters/http/routes/sessions.ts')
  allowed('src/main.ts', './adapters/cli/run.ts')
})

t.test('a circle of imports is found, of types and inside a folder too', async t => {
  const file = (path: string, ...targets: readonly string[]) => ({
    path,
    text: targets.map(target => `import type { x } from '${target}'\n`).join(''),
  })
  const circle = [
    file('src/adapters/http/a.ts', './b.ts'),
    file('src/adapters/http/b.ts', '../../ports/clock.ts', './routes/c.ts'),
    file('src/adapters/http/routes/c.ts', '../a.ts'),
    file('src/ports/clock.ts'),
  ]
  const all =
    'src/adapters/http/a.ts -> src/adapters/http/b.ts -> src/adapters/http/routes/c.ts -> src/adapters/http/a.ts'
  t.strictSame(circlesOf(circle), [`${all}: a circle of imports`])
  t.strictSame(circlesOf(circle.slice(0, 2)), [])
  const two = [
    file('src/domain/x/a.ts', './b.ts', './c.ts'),
    file('src/domain/x/b.ts', './c.ts'),
    file('src/domain/x/c.ts'),
  ]
  t.strictSame(circlesOf(two), [], 'two ways to a file are none')
})

t.test('no test has a clock of its own, or draws without the seed', async t => {
  t.strictSame(sourcesBelow(root, 'tests').flatMap(testFaults), [])
  const found = (code: string, path = 'tests/x/planted.test.ts') => testFaults({ path, text: `${code}\n` }).join()
  t.match(found('const x = performance.now()'), 'performance.now()')
  t.match(found('const x = Date.now()'), 'Date.now()')
  t.match(found(`const x = \`at \${Date.now()}\``), 'Date.now()', 'in a template too')
  t.match(found('const x = process.hrtime.bigint()'), 'hrtime')
  t.match(found('setTimeout(() => x(), 10)'), 'setTimeout')
  t.match(found('await new Promise(resolve => globalThis.setInterval(resolve, 10))'), 'setTimeout')
  t.match(found('t.setTimeout(10_000)'), 'setTimeout')
  t.match(found("import { setTimeout as later } from 'node:timers/promises'"), 'timers imported')
  t.match(found("import {\n  setTimeout as later,\n} from 'timers'"), 'timers imported')
  t.match(found("const { scheduler } = await import('node:timers/promises')"), 'timers imported')
  t.match(found('const { now } = performance'), 'a clock by its members')
  t.match(found('const { now: at } = Date'), 'a clock by its members')
  t.match(found('const x = +new Date()'), 'the time as a number')
  t.match(found('const x = +new Date'), 'the time as a number')
  t.match(found('const x = new Date().getTime()'), 'the time as a number')
  t.match(found('const x = (new Date).valueOf()'), 'the time as a number')
  t.match(found('const x = Number(new Date())'), 'the time as a number')
  t.match(found('fetch(x, { signal: AbortSignal.timeout(10) })'), 'AbortSignal.timeout')
  t.match(found('const later = setTimeout'), 'setTimeout')
  t.match(found('const { setTimeout: later } = globalThis'), 'setTimeout')
  t.match(found('const { assert } = fc'), 'a draw without the seed')
  t.match(found("import { sample } from 'fast-check'"), 'a draw without the seed')
  for (const name of ['assert', 'check', 'sample']) {
    t.match(found(`fc.${name}(fc.property())`), 'a draw without the seed')
    t.match(found(`fc.${name}(fc.property())`, 'tests/support/planted.ts'), 'a draw without the seed')
    t.equal(found(`fc.${name}(fc.property())`, 'tests/support/property.ts'), '')
  }
  for (const harmless of [
    '// performance.now() and setTimeout() are for tests/support',
    'const x = "import { x } from \'node:timers/promises\'"',
    "const x = 'Date.now()'",
    'socket.setTimeout(10, () => x())',
    'clock.advance(x.performance)',
    'const x = new Date()',
    'const x = new Date(5).getTime() - new Date(3).getTime()',
    'const { now } = clock',
  ])
    t.equal(found(harmless), '', harmless)
  t.equal(found('const x = performance.now()', 'tests/support/planted.ts'), '')
})

t.test('words about a rule do not break it', async t => {
  const harmless = {
    path: 'src/domain/entry/x.ts',
    text: "/** As any other; no `as unknown as`. */\nexport const x = 'as any'\n",
  }
  t.strictSame(faultsOf([harmless]), [])
  const named = [
    "export const x = (y: object) => 'x' in y",
    'type X = { readonly [name in Y]?: number }',
    'const x = `it is in here, and name in names`',
    'const x = /each name in names/',
    'const x: Readonly<Record<Kind, string>> = { a: 1 }',
    "const x = [...['a', 'b'].map(y), ...[a].values(), ...(['a'] as const).map(y)]",
    'const x = { ...(a && { b, c }), ...(c ? { d } : {}), ...defined({ e }) }',
    'const x = (...[a, b]: readonly string[]) => a',
    "const x = '...{ a, b }' // ...[a, b]",
    'const x = { ...({ a, b }[c]), ...y[0] }',
    'const x = () => {\n  const y: Record<string, string> = { a: 1 }\n}',
  ]
  for (const text of named) t.strictSame(faultsOf([{ path: 'src/domain/entry/x.ts', text: `${text}\n` }]), [], text)
})
