/**
 * Makes docs/events.md from the declarations of the events: their schemas say what they hold, the comment above each
 * says what it means. `--check` writes nothing and fails when the file is not what it would write.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { areas } from '../src/app/areas.ts'
import { categoriesOf } from '../src/app/declared.ts'
import type { EventType } from '../src/domain/event.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const path = join(root, 'docs/events.md')

const sources = readdirSync(join(root, 'src/domain'), { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts'))
  .map(file => readFileSync(join(root, 'src/domain', file), 'utf8'))

/** The names of all events that the domain declares, also of those that no area has. */
export const declaredEvents = (): readonly string[] =>
  sources.flatMap(text => [...text.matchAll(/= eventType\(\s*'([A-Za-z]+)'/g)].flatMap(each => each[1] ?? []))

/** The comment above the declaration, on one line. */
const meaningOf = (type: string): string => {
  for (const text of sources) {
    const found = new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\nexport const ${type} = `).exec(text)?.[1]
    if (found !== undefined) return found.replace(/\s*\n\s*\*\s?/g, ' ').trim()
  }
  return ''
}

type Members = ReadonlyMap<string, unknown>
const membersOf = (value: unknown): Members =>
  new Map(typeof value === 'object' && value !== null ? Object.entries(value) : [])

/** A schema in a few words: enough to read an event, while the schema itself stands in the source. */
const shapeOf = (schema: unknown): string => {
  const of = membersOf(schema)
  const choices = of.get('enum')
  if (Array.isArray(choices)) return choices.map(each => `\`${String(each)}\``).join(' \\| ')
  if (of.has('const')) return `\`${String(of.get('const'))}\``
  const alternatives = of.get('anyOf')
  if (Array.isArray(alternatives)) return alternatives.map(shapeOf).join(' \\| ')
  if (of.get('type') === 'array') return `array of ${shapeOf(of.get('items'))}`
  if (of.get('type') === 'object') {
    const inner = [...membersOf(of.get('properties')).keys()]
    return inner.length > 0 ? `object (${inner.join(', ')})` : 'object'
  }
  return String(of.get('type') ?? 'any JSON')
}

const rowsOf = ({ schema, sealed, secrets }: EventType): readonly string[] => {
  const required = membersOf(schema).get('required')
  const needed = new Set<unknown>(Array.isArray(required) ? required : [])
  return [...membersOf(membersOf(schema).get('properties'))].map(
    ([name, inner]) =>
      `| \`${name}\` | ${shapeOf(inner)} | ${needed.has(name) ? 'yes' : 'no'} | ${sealed.includes(name) ? 'yes' : 'no'}${secrets.includes(name) ? ', shown to nobody' : ''} |`,
  )
}

const section = (event: EventType): readonly string[] => {
  const rows = rowsOf(event)
  const meaning = meaningOf(event.type)
  const key = event.seal === 'subject' ? "the account's own key" : "the document's own key"
  return [
    `### ${event.type}`,
    '',
    `Version ${event.version}.${meaning === '' ? '' : ` ${meaning}`}`,
    '',
    ...(rows.length === 0
      ? ['Its name says it all: `data` is `{}`.']
      : ['| member | holds | always there | sealed |', '|---|---|---|---|', ...rows]),
    ...(event.seal === undefined ? [] : ['', `Sealed members are encrypted under ${key}.`]),
    '',
  ]
}

/** The whole page. */
export const catalogue = (): string =>
  [
    '# Event catalogue',
    '',
    'Made from the declarations in `src/domain` by `npm run events`; a test fails when it is out of date. An event is',
    '`{id, type, data, meta}`; recorded, it also has `stream`, `revision`, `position` and `recordedAt`. `meta` holds `actor`,',
    '`commandId`, `correlationId`, `causationId`, `at`, `schema` (the version below), `route` (who may see it) and, where',
    'they apply, `fingerprint`, `key` and `traceparent`. Sealed members are encrypted at rest; when the key is destroyed they',
    'are gone for ever, and the rest of the event stays. Imported text is never sealed. What is `shown to nobody` is for decisions alone:',
    'history, exports and the live feed leave it out, whoever asks.',
    '',
    ...categoriesOf(areas).flatMap(({ category, events }) => [
      `## Streams \`${category}-<id>\``,
      '',
      ...events.flatMap(section),
    ]),
  ]
    .join('\n')
    .replace(/\n+$/, '\n')

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (!process.argv.includes('--check')) writeFileSync(path, catalogue())
  else if (readFileSync(path, 'utf8') !== catalogue()) {
    process.stderr.write('docs/events.md is out of date: npm run events\n')
    process.exitCode = 1
  }
}
