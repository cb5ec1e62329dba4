/**
 * Makes docs/events.md from the declarations of the events: their schemas say what they hold, the comment above each
 * says what it means. `--check` writes nothing and fails when the file is not what it would write.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { blockCategory, blockEvents } from '../src/domain/access/block.ts'
import { tokenCategory, tokenEvents } from '../src/domain/access/token.ts'
import { accountCategory, accountEvents } from '../src/domain/account/account.ts'
import { administratorsCategory, administratorsEvents } from '../src/domain/account/administrators.ts'
import { lookupCategory, lookupEvents } from '../src/domain/account/lookup.ts'
import { addressCategory } from '../src/domain/address/address.ts'
import { addressEvents } from '../src/domain/address/address-events.ts'
import { addressKeysCategory, addressKeysEvents } from '../src/domain/address/keys.ts'
import { mailCategory, mailEvents } from '../src/domain/address/mail-refusal.ts'
import { dayCategory, dayEvents } from '../src/domain/entry/day.ts'
import { entryCategory } from '../src/domain/entry/entry.ts'
import { entryEvents } from '../src/domain/entry/events.ts'
import { importCategory, importEvents } from '../src/domain/entry/import.ts'
import type { EventType } from '../src/domain/event.ts'
import { historyCategory, historyEvents } from '../src/domain/history/history.ts'
import { openIdCategory, openIdClaimEvents } from '../src/domain/openid/claim.ts'
import { identitiesCategory, linkedIdentitiesEvents } from '../src/domain/openid/linked-identities.ts'
import { nameCategory, nameEvents } from '../src/domain/profile/name-claim.ts'
import { preferencesCategory, preferencesEvents } from '../src/domain/profile/preferences.ts'
import { profileCategory, profileEvents } from '../src/domain/profile/profile.ts'
import { searchesCategory, searchesEvents } from '../src/domain/search/searches.ts'
import { deviceEvents, devicesCategory } from '../src/domain/session/devices.ts'
import { passkeyEvents, passkeysCategory } from '../src/domain/session/passkeys.ts'
import { factorEvents, factorsCategory } from '../src/domain/session/second-factor.ts'
import { sessionCategory, sessionEvents } from '../src/domain/session/session.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const path = join(root, 'docs/events.md')

const categories: readonly { readonly category: string; readonly events: readonly EventType[] }[] = [
  { category: entryCategory, events: entryEvents },
  { category: dayCategory, events: dayEvents },
  { category: importCategory, events: importEvents },
  { category: tokenCategory, events: tokenEvents },
  { category: addressCategory, events: addressEvents },
  { category: addressKeysCategory, events: addressKeysEvents },
  { category: accountCategory, events: accountEvents },
  { category: sessionCategory, events: sessionEvents },
  { category: factorsCategory, events: factorEvents },
  { category: devicesCategory, events: deviceEvents },
  { category: passkeysCategory, events: passkeyEvents },
  { category: profileCategory, events: profileEvents },
  { category: preferencesCategory, events: preferencesEvents },
  { category: nameCategory, events: nameEvents },
  { category: openIdCategory, events: openIdClaimEvents },
  { category: identitiesCategory, events: linkedIdentitiesEvents },
  { category: administratorsCategory, events: administratorsEvents },
  { category: blockCategory, events: blockEvents },
  { category: lookupCategory, events: lookupEvents },
  { category: mailCategory, events: mailEvents },
  { category: searchesCategory, events: searchesEvents },
  { category: historyCategory, events: historyEvents },
]

const sources = readdirSync(join(root, 'src/domain'), { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts'))
  .map(file => readFileSync(join(root, 'src/domain', file), 'utf8'))

/** The names of all events that the domain declares, also of those that the list above forgot. */
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
    ...categories.flatMap(({ category, events }) => [
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
