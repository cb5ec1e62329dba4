/** The rules of the house as a check over source files: which layer may import which, and what no file may contain. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { codeOf } from './code.ts'

type Layer =
  | 'domain'
  | 'ports'
  | 'log'
  | 'commands'
  | 'queries'
  | 'projections'
  | 'subscribers'
  | 'adapters'
  | 'config'
  | 'app'
  | 'main'

/** What each layer may import of the others; itself always. */
const allowed: Readonly<Record<Layer, readonly Layer[]>> = {
  domain: [],
  ports: ['domain'],
  log: ['domain', 'ports'],
  commands: ['domain', 'ports', 'log'],
  projections: ['domain', 'ports', 'log'],
  queries: ['domain', 'ports', 'log', 'projections'],
  subscribers: ['domain', 'ports', 'log', 'commands', 'projections'],
  adapters: ['domain', 'ports', 'log', 'commands', 'queries', 'projections', 'subscribers', 'config'],
  config: ['domain'],
  app: ['domain', 'ports', 'log', 'commands', 'queries', 'projections', 'subscribers', 'adapters', 'config'],
  main: ['app', 'config', 'adapters'],
}

/** Outside packages, where not everything may be used. */
const domainPackages: ReadonlySet<string> = new Set(['typebox', 'snowball-stemmers', 'node:crypto'])

/**
 * Adapters do not know each other: each stands alone behind its port. The edges carry what the program is (HTTP, command
 * line); `sqlite.ts` and `mongodb.ts` are the wrappers on their engines, `sqlite-errors.ts` says what they throw, `sqlite-file.ts` looks at
 * files, `sqlite-journal.ts` folds their journals, `sqlite-scrub.ts` overwrites what was deleted, `folders.ts` makes folders and files.
 */
const sharedAdapters: ReadonlySet<string> = new Set(
  [
    'sqlite',
    'sqlite-errors',
    'sqlite-file',
    'sqlite-journal',
    'sqlite-scrub',
    'mongodb',
    'mongodb-records',
    'mongodb-sockets',
    'folders',
  ].map(name => `src/adapters/${name}.ts`),
)

export const MAX_LINES = 360

export type SourceFile = { readonly path: string; readonly text: string }

const layerOf = (path: string): Layer | undefined => {
  const [top, second = ''] = path.split('/').slice(1)
  if (top === undefined) return undefined
  if (second === '') {
    if (top === 'main.ts') return 'main'
    if (/^app(-[a-z-]+)?\.ts$/.test(top)) return 'app'
    if (/^config(-[a-z-]+)?\.ts$/.test(top)) return 'config'
    return undefined
  }
  const layers = ['domain', 'ports', 'log', 'commands', 'queries', 'projections', 'subscribers', 'adapters'] as const
  return layers.find(each => each === top)
}

/** Comments and the inside of strings are no code: a rule is not broken by being written about. */
const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/[^\n]*/g, found => found.replace(/[^\n]/g, ' '))
const withoutStrings = (text: string): string => text.replace(/'(?:[^'\\\n]|\\.)*'/g, "''")

const specifiers = (text: string): readonly string[] =>
  [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+|new URL\(\s*)'([^']+)'/g)].flatMap(each => each[1] ?? [])

const packageOf = (specifier: string): string =>
  specifier.startsWith('node:') ? specifier : specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')

const adapterOf = (path: string): string => path.split('/').slice(0, 3).join('/')

const importFaults = ({ path, text }: SourceFile): readonly string[] => {
  const layer = layerOf(path)
  if (layer === undefined) return [`${path}: it stands in no layer of the design`]
  return specifiers(withoutComments(text)).flatMap(specifier => {
    if (!specifier.startsWith('.'))
      return layer === 'domain' && !domainPackages.has(packageOf(specifier))
        ? [`${path}: the domain imports ${specifier}`]
        : []
    const target = posix.normalize(posix.join(dirname(path), specifier))
    if (!target.startsWith('src/')) return target === 'package.json' ? [] : [`${path}: imports ${target}, outside src`]
    const other = layerOf(target)
    if (other === undefined) return [`${path}: imports ${target}, which stands in no layer`]
    if (other !== layer && !allowed[layer].includes(other)) return [`${path}: ${layer} imports ${other} (${target})`]
    if (layer === 'adapters' && other === 'adapters' && !sharedAdapters.has(target))
      return adapterOf(path) === adapterOf(target) ? [] : [`${path}: one adapter imports another (${target})`]
    if (layer === 'main' && other === 'adapters' && !target.startsWith('src/adapters/cli/'))
      return [`${path}: only app.ts constructs, and this imports ${target}`]
    return []
  })
}

const forbidden: readonly (readonly [RegExp, string])[] = [
  [/\bexport\s+default\b/, 'a default export'],
  [/\bexport\s+(?:type\s+)?(?:\*|\{[^}]*\})\s+from\b/, 'a re-export: import it from where it stands'],
  [/\bas\s+unknown\s+as\b/, 'a cast through unknown'],
  [/(?::|\bas|<|\||&|,)\s*any\b(?!\s*:)/, 'the type any'],
  [/^\s*(?:export\s+)?(?:const\s+)?enum\s/m, 'an enum'],
  [/@ts-(?:ignore|nocheck|expect-error)/, 'a suppressed type error'],
]

const closing: Readonly<Record<'{' | '[', RegExp>> = { '{': /[{}]/g, '[': /[[\]]/g }

/** Where what opens at the place ends; the code is without strings, so that brackets pair. */
const endOf = (code: string, start: number): number => {
  const brackets = closing[code[start] === '{' ? '{' : '[']
  brackets.lastIndex = start
  let depth = 0
  for (let found = brackets.exec(code); found; found = brackets.exec(code)) {
    depth += found[0] === code[start] ? 1 : -1
    if (depth === 0) return brackets.lastIndex
  }
  return code.length
}

/** A spread of a literal that is nothing more: the list of `...[a, b].map(f)` is, a pattern of parameters is no spread. */
const spreadsLiteral = (code: string): boolean =>
  [...code.matchAll(/\.\.\.[\s(]*(?=[{[])/g)].some(({ index, 0: spread }) => {
    const behind = code.slice(endOf(code, index + spread.length))
    const around = spread.split('(').length - 1
    return new RegExp(
      `^(?:\\s*as\\s+const\\b)?(?:\\s*\\)(?:\\s*as\\s+const\\b)?){${around}}\\s*(?:,|[)}\\]](?!\\s*=>))`,
    ).test(behind)
  })

/** What no file may contain, wherever it stands; `most` lines at most. */
export const textFaults = ({ path, text }: SourceFile, most = MAX_LINES): readonly string[] => {
  const code = withoutStrings(withoutComments(text))
  const lines = text.split('\n').length - 1
  return [
    ...forbidden.flatMap(([pattern, what]) => (pattern.test(code) ? [`${path}: ${what}`] : [])),
    ...(/@ts-(?:ignore|nocheck|expect-error)/.test(text) ? [`${path}: a suppressed type error`] : []),
    ...(spreadsLiteral(codeOf(text)) ? [`${path}: an inline spread: its members stand where it stands`] : []),
    ...(/(?:\/\/|\*)\s*(?:TODO|FIXME|XXX)\b/.test(text) ? [`${path}: an orphan TODO`] : []),
    ...(lines > most ? [`${path}: ${lines} lines, more than ${most}`] : []),
    ...(/(?:^|\/)(?:utils?|helpers?|index)\.ts$/.test(path) ? [`${path}: a name that says nothing`] : []),
  ]
}

/** How a name from outside would find what plain objects inherit. Data is asked by `owned` or `Object.hasOwn`. */
const lookups: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:export )?const \w+: (?:Readonly<|Partial<)*Record<string,[^\n]*= \{/m,
    'a table by any name as an object, which answers for what it inherits: a Map does not',
  ],
  [/\bfor \((?:const|let) \w+ in\b/, 'for...in, which names what is inherited: Object.keys does not'],
  [
    /(?<!\[|\b(?:const|let) |[\w$])[\w$]+ in [\w$(]|[)\]] in [\w$(]/,
    'a name looked for by in, which finds what is inherited: Object.hasOwn does not',
  ],
]

const lookupFaults = ({ path, text }: SourceFile): readonly string[] => {
  const code = codeOf(text)
  return lookups.flatMap(([pattern, what]) => (pattern.test(code) ? [`${path}: ${what}`] : []))
}

/** Everything that breaks a rule, one sentence each. */
export const faultsOf = (files: readonly SourceFile[]): readonly string[] =>
  files.flatMap(file => [...importFaults(file), ...textFaults(file), ...lookupFaults(file)])

const clocks: readonly (readonly [RegExp, string])[] = [
  [/\bperformance\s*\.\s*now\s*\(/, 'performance.now()'],
  [/\bDate\s*\.\s*now\s*\(/, 'Date.now()'],
  [/\bhrtime\b/, 'hrtime'],
  [/(?:(?<![\w$.])|\b(?:globalThis|t)\s*\.\s*)set(?:Timeout|Interval)\s*\(/, 'setTimeout or setInterval'],
]
const draws = /\bfc\s*\.\s*(?:assert|check|sample)\s*\(/

/**
 * What no test may contain: a clock of its own, since what is about time runs on the injected one and what waits asks
 * `until`; a draw without the seed that property.ts gives. What tests stand on, in tests/support, reads clocks for them.
 */
export const testFaults = ({ path, text }: SourceFile): readonly string[] => {
  const code = codeOf(text)
  const isSupport = path.startsWith('tests/support/')
  const timers = [...code.matchAll(/\b(?:from|import)\s*\(?\s*['"]/g)]
    .map(({ index, 0: found }) => text.slice(index + found.length))
    .some(rest => /^(?:node:)?timers(?:\/promises)?['"]/.test(rest))
  return [
    ...(isSupport ? [] : clocks.flatMap(([pattern, what]) => (pattern.test(code) ? [`${path}: ${what}`] : []))),
    ...(timers && !isSupport ? [`${path}: timers imported`] : []),
    ...(draws.test(code) && path !== 'tests/support/property.ts'
      ? [`${path}: a draw without the seed: tests/support/property.ts gives it`]
      : []),
  ]
}

/** The TypeScript files below a folder of the project. */
export const sourcesBelow = (root: string, folder: string): readonly SourceFile[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(each => each.endsWith('.ts'))
    .toSorted()
    .map(each => posix.join(folder, each.replaceAll('\\', '/')))
    .map(path => ({ path, text: readFileSync(join(root, path), 'utf8') }))
