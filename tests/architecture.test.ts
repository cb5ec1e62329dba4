import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { faultsOf, sourcesBelow, testFaults, textFaults } from './support/architecture.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

t.test('every file keeps to its layer and to the rules of the house', async t => {
  const sources = sourcesBelow(root, 'src')
  t.ok(sources.length > 40, 'the sources were found')
  t.strictSame(faultsOf(sources), [])
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
  const copy = t.testdir({})
  cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true })
  const plant = (path: string, text: string, expected: string): void => {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    writeFileSync(join(copy, path), text)
    const found = faultsOf(sourcesBelow(copy, 'src').filter(each => each.path === path))
    t.ok(
      found.some(each => each.includes(expected)),
      `${path}: ${expected}; found ${found.join('; ') || 'nothing'}`,
    )
  }
  plant('src/domain/planted-a.ts', "import { x } from '../ports/clock.ts'\n", 'domain imports ports')
  plant('src/domain/planted-b.ts', "import { readFile } from 'node:fs'\n", 'the domain imports node:fs')
  plant('src/domain/planted-c.ts', "const x = await import('lru-cache')\n", 'the domain imports lru-cache')
  plant('src/ports/planted.ts', "import type { Log } from '../log/log.ts'\n", 'ports imports log')
  plant('src/log/planted.ts', "import { x } from '../commands/transact.ts'\n", 'log imports commands')
  plant('src/commands/planted-a.ts', "import { x } from '../queries/define.ts'\n", 'commands imports queries')
  plant('src/commands/planted-b.ts', "import { x } from '../adapters/sqlite.ts'\n", 'commands imports adapters')
  plant('src/queries/planted.ts', "import { x } from '../app.ts'\n", 'queries imports app')
  plant(
    'src/projections/planted.ts',
    "import {\n  x,\n  y,\n} from '../queries/define.ts'\n",
    'projections imports queries',
  )
  plant('src/adapters/http/planted.ts', "import { x } from '../cli/run.ts'\n", 'one adapter imports another')
  plant('src/elsewhere/planted.ts', 'export const x = 1\n', 'stands in no layer')
  plant('src/domain/planted-d.ts', 'export default 1\n', 'a default export')
  plant('src/domain/planted-e.ts', "export { x } from './ids.ts'\n", 'a re-export')
  plant('src/domain/planted-f.ts', "export * from './ids.ts'\n", 'a re-export')
  plant('src/domain/planted-g.ts', 'export const x = 1 as unknown as string\n', 'a cast through unknown')
  plant('src/domain/planted-h.ts', 'export const x: any = 1\n', 'the type any')
  plant('src/domain/planted-i.ts', 'export const x = (y: Map<string, any>) => y\n', 'the type any')
  plant('src/domain/planted-j.ts', 'export enum X { A }\n', 'an enum')
  plant('src/domain/planted-k.ts', '// @ts-ignore\nexport const x = 1\n', 'a suppressed type error')
  plant('src/domain/planted-l.ts', `${'export const x = 1\n'.repeat(400)}`, 'lines, more than')
  plant('src/domain/planted-m.ts', '// TODO later\nexport const x = 1\n', 'an orphan TODO')
  plant('src/domain/utils.ts', 'export const x = 1\n', 'a name that says nothing')
  plant('src/domain/planted-n.ts', 'const x: Readonly<Record<string, number>> = { a: 1 }\n', 'a table by any name')
  plant('src/domain/planted-o.ts', 'export const x: Record<string, (y: 1) => 2> = {\n}\n', 'a table by any name')
  plant('src/domain/planted-p.ts', 'for (const x in y) z(x)\n', 'for...in')
  plant('src/domain/planted-q.ts', 'const x = (y: string) => y in z\n', 'a name looked for by in')
  plant('src/domain/planted-r.ts', 'if (!(event.type in z)) y()\n', 'a name looked for by in')
  plant('src/domain/planted-s.ts', 'if (x[0] in z) y()\n', 'a name looked for by in')
  const inline = [
    'const x = { ...{ a, b }, c }',
    'const x = {\n  a,\n  ...({\n    b: [1],\n  } as const),\n}',
    "const x = [...(['a', 'b'] as const), c]",
    "const x = [...['}', ']'], c]",
    'const x = y(...[a, b])',
    'const x = y(... /* why */ ((([a, b]) as const)))',
    `const x = \`\${y(...[a, b])}\``,
    'const x = { ...{ ...a, b: { ...{ c } } } }',
  ]
  for (const text of inline) plant('src/domain/planted-t.ts', `${text}\n`, 'an inline spread')
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
  ])
    t.equal(found(harmless), '', harmless)
  t.equal(found('const x = performance.now()', 'tests/support/planted.ts'), '')
})

t.test('words about a rule do not break it', async t => {
  const harmless = {
    path: 'src/domain/x.ts',
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
    'const x = { ...(a && { b }), ...(c ? { d } : {}), ...defined({ e }) }',
    'const x = (...[a, b]: readonly string[]) => a',
    "const x = '...{ a, b }' // ...[a, b]",
    'const x = { ...({ a, b }[c]), ...y[0] }',
    'const x = () => {\n  const y: Record<string, string> = { a: 1 }\n}',
  ]
  for (const text of named) t.strictSame(faultsOf([{ path: 'src/domain/x.ts', text: `${text}\n` }]), [], text)
})
