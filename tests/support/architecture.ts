/** The rules of the house as a check over source files: which layer may import which, and what no file may contain. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { codeOf } from './code.ts'

/** What each layer may import of the others; itself always. In the order of the layers, but for `config`. */
const allowed = {
  domain: [],
  ports: ['domain'],
  core: ['domain', 'ports'],
  commands: ['domain', 'ports', 'core'],
  projections: ['domain', 'ports', 'core'],
  queries: ['domain', 'ports', 'core', 'projections'],
  subscribers: ['domain', 'ports', 'core', 'projections', 'commands'],
  config: ['domain'],
  adapters: ['domain', 'ports', 'core', 'projections', 'commands', 'queries', 'subscribers', 'config'],
  app: ['domain', 'ports', 'core', 'projections', 'commands', 'queries', 'subscribers', 'config', 'adapters'],
  main: ['config', 'adapters', 'app'],
} as const
type Layer = keyof typeof allowed

/** Outside packages, where not everything may be used. */
const domainPackages: ReadonlySet<string> = new Set([
  'node-diff3',
  'typebox',
  'snowball-stemmers',
  'diff',
  'markdown-it',
  'sanitize-html',
  'node:crypto',
  'node:zlib',
])

/** What of the domain belongs to no area: values that all of them share, and core and ports may name. An area's files lie in folders. */
const sharedDomain: ReadonlySet<string> = new Set(
  [
    'decider',
    'denial',
    'defined',
    'denial',
    'distance',
    'event',
    'ids',
    'json',
    'mark',
    'merge-patch',
    'network',
    'own-error',
    'owned',
    'refusal',
    'roles',
    'forms',
    'growing',
    'shape',
    'trace',
    'turns',
  ].map(name => `src/domain/${name}.ts`),
)

/** Adapters do not know each other: each stands alone behind its port. But two wrap an engine that several stand on. */
const sharedAdapters: ReadonlySet<string> = new Set(['src/adapters/sqlite', 'src/adapters/mongodb'])

/** What is given the routes of areas; all else of the edge stands below them. None of it names one: src/app puts them together. */
const aboveRoutes: ReadonlySet<string> = new Set(['deps', 'server'].map(name => `src/adapters/http/${name}.ts`))
const ROUTES = 'src/adapters/http/routes/'

export const MAX_LINES = 360

export type SourceFile = { readonly path: string; readonly text: string }

const isLayer = (name: string): name is Layer => name !== 'main' && Object.hasOwn(allowed, name)

const layerOf = (path: string): Layer | undefined => {
  const [src, top = '', second] = path.split('/')
  if (src !== 'src') return undefined
  if (second === undefined) return top === 'main.ts' ? 'main' : undefined
  return isLayer(top) ? top : undefined
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

/** The files that a file imports, from the root of the project. */
const importsOf = ({ path, text }: SourceFile): readonly string[] =>
  specifiers(withoutComments(text))
    .filter(specifier => specifier.startsWith('.'))
    .map(specifier => posix.normalize(posix.join(dirname(path), specifier)))

/** Why core, ports and config may not name this: it is of one area. */
const areaIn = (target: string): string | undefined =>
  layerOf(target) === 'domain' && !sharedDomain.has(target) ? `${target} is of one area` : undefined

const adapterFault = (path: string, target: string): string | undefined => {
  const [own, other] = [adapterOf(path), adapterOf(target)]
  if (own !== other) return sharedAdapters.has(other) ? undefined : `one adapter imports another (${target})`
  if (aboveRoutes.has(target) && !aboveRoutes.has(path))
    return `what routes stand on, or one of them, imports what is made of all (${target})`
  const isRoute = path.startsWith(ROUTES)
  return target.startsWith(ROUTES) && !isRoute ? `the edge imports the route of an area (${target})` : undefined
}

/** What is wrong with an import of a file of ours. */
const targetFault = (path: string, layer: Layer, target: string): string | undefined => {
  if (!target.startsWith('src/')) return target === 'package.json' ? undefined : `imports ${target}, outside src`
  const other = layerOf(target)
  if (other === undefined) return `imports ${target}, which stands in no layer`
  if (other !== layer && !allowed[layer].some(each => each === other)) return `${layer} imports ${other} (${target})`
  if (layer === 'core' || layer === 'ports' || layer === 'config') {
    const area = areaIn(target)
    return area && `${layer} names an area: ${area}`
  }
  if (layer === 'domain' && sharedDomain.has(path)) {
    const area = areaIn(target)
    return area && `what all areas share names one: ${area}`
  }
  if (layer === 'main' && other === 'adapters' && !target.startsWith('src/adapters/cli/'))
    return `only src/app constructs, and this imports ${target}`
  return layer === 'adapters' && other === 'adapters' ? adapterFault(path, target) : undefined
}

const packageFault = (path: string, layer: Layer, specifier: string): string | undefined => {
  if (layer === 'domain' && !domainPackages.has(packageOf(specifier))) return `the domain imports ${specifier}`
  const onFiles = layer === 'core' && /^node:fs\b/.test(specifier) && !path.startsWith('src/core/files/')
  return onFiles ? `the machine is on files only in src/core/files, and this imports ${specifier}` : undefined
}

const importFaults = (file: SourceFile): readonly string[] => {
  const { path, text } = file
  const layer = layerOf(path)
  if (layer === undefined) return [`${path}: it stands in no layer of the design`]
  const isLoose = path.split('/').length === 3
  const misplaced =
    (layer === 'core' || layer === 'adapters') && isLoose
      ? [`${path}: a file of ${layer} lies in a folder`]
      : layer === 'domain' && isLoose && !sharedDomain.has(path)
        ? [`${path}: a file of one area lies in its folder, and what all share is listed`]
        : []
  const faults = [
    ...importsOf(file).map(target => targetFault(path, layer, target)),
    ...specifiers(withoutComments(text))
      .filter(specifier => !specifier.startsWith('.'))
      .map(specifier => packageFault(path, layer, specifier)),
  ]
  return [...misplaced, ...faults.flatMap(fault => (fault === undefined ? [] : [`${path}: ${fault}`]))]
}

/** Files that import each other in a circle, types too: none of them can be read, or changed, without the others. */
export const circlesOf = (files: readonly SourceFile[]): readonly string[] => {
  const graph = new Map(files.map(file => [file.path, importsOf(file)]))
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path)
    if (at >= 0) circles.push(`${[...way.slice(at), path].join(' -> ')}: a circle of imports`)
    if (at >= 0 || done.has(path)) return
    for (const target of graph.get(path) ?? []) visit(target, [...way, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return circles
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

/** What stands in no bracket of the code. */
const outermost = (code: string): string => {
  const less = code.replaceAll(/[([{][^()[\]{}]*[)\]}]/g, '')
  return less === code ? code : outermost(less)
}

/** One member that is there or not, spread by its condition. Several under one condition, and a computed one, are no such thing. */
const spreadsMember = (code: string): boolean =>
  [...code.matchAll(/\.\.\.\((?:[^()]|\([^()]*\))*?&&\s*(?=\{)/g)].some(({ index, 0: spread }) => {
    const start = index + spread.length
    const end = endOf(code, start)
    const members = outermost(code.slice(start + 1, end - 1)).replace(/,\s*$/, '')
    const isOne = /^\s*[\w$']/.test(members) && !members.includes(',')
    return isOne && /^\s*\)/.test(code.slice(end))
  })

/** What no file may contain, wherever it stands; `most` lines at most. */
export const textFaults = ({ path, text }: SourceFile, most = MAX_LINES): readonly string[] => {
  const code = withoutStrings(withoutComments(text))
  const lines = text.split('\n').length - 1
  return [
    ...forbidden.flatMap(([pattern, what]) => (pattern.test(code) ? [`${path}: ${what}`] : [])),
    ...(/@ts-(?:ignore|nocheck|expect-error)/.test(text) ? [`${path}: a suppressed type error`] : []),
    ...(spreadsLiteral(codeOf(text)) ? [`${path}: an inline spread: its members stand where it stands`] : []),
    ...(spreadsMember(codeOf(text))
      ? [`${path}: an optional member by a condition: defined({...}) leaves it out`]
      : []),
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
  [/\bperformance\s*\.\s*now\b/, 'performance.now()'],
  [/\bDate\s*\.\s*now\b/, 'Date.now()'],
  [/\{[^{}]*\bnow\b[^{}]*\}\s*=\s*(?:globalThis\s*\.\s*)?(?:performance|Date)\b/, 'a clock by its members'],
  [/[-+]\s*new\s+Date\b(?!\s*\(\s*[^\s)])/, 'the time as a number'],
  [/\bnew\s+Date\b\s*(?:\(\s*\))?\s*\)?\s*\.\s*(?:getTime|valueOf)\b/, 'the time as a number'],
  [/\bNumber\s*\(\s*new\s+Date\b\s*(?:\(\s*\))?\s*\)/, 'the time as a number'],
  [/\bAbortSignal\s*\.\s*timeout\b/, 'AbortSignal.timeout'],
  [/\bhrtime\b/, 'hrtime'],
  [/(?:(?<![\w$.])|\b(?:globalThis|t)\s*\.\s*)set(?:Timeout|Interval)\s*\(/, 'setTimeout or setInterval'],
  [/=\s*(?:globalThis\s*\.\s*)?set(?:Timeout|Interval)\b/, 'setTimeout or setInterval'],
  [/\{[^{}]*\bset(?:Timeout|Interval)\b[^{}]*\}\s*=\s*globalThis\b/, 'setTimeout or setInterval'],
]
const draws = /\bfc\s*\.\s*(?:assert|check|sample)\b|\{[^{}]*\b(?:assert|check|sample)\b[^{}]*\}\s*=\s*fc\b/
const drawsImported = /^import\s[^;\n]*\b(?:assert|check|sample)\b[^;\n]*'fast-check'/m

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
    ...((draws.test(code) || drawsImported.test(text)) && path !== 'tests/support/property.ts'
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
