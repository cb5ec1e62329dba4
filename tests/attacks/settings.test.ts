/**
 * Fail-open on a configuration error: every setting on which security rests, with texts that mean nothing. None is gone without
 * in silence: the start is refused with its name and exit code 2. Then keys that cannot be read, and engines that are away.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openApp } from '../../src/app/program.ts'
import type { Environment } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import { type SettingDeclaration, settings } from '../../src/config/settings.ts'
import { openApi } from '../support/api.ts'
import { openTestApp, whileTimeGoes } from '../support/app.ts'
import { fakeClock } from '../support/clocks.ts'
import { runHere } from '../support/here.ts'
import { environmentFor, temporaryFolder } from '../support/service.ts'
import { faultsOf as settingFaults } from '../support/settings.ts'

const cwd = '/srv/lexichron'
const declared: readonly (readonly [string, SettingDeclaration])[] = Object.entries(settings)
const securing = declared.filter(([, { secures }]) => secures)

const faultsOf = (environment: Environment): readonly string[] => settingFaults(environment, cwd)

const inherited = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'] as const
const blank = [' ', '\t', '\n', '\u00a0', '\u3000'] as const
const numberOf = (schema: SettingDeclaration['schema'], name: 'minimum' | 'maximum'): number =>
  Number(Object.entries(schema).find(([member]) => member === name)?.[1])

const noNumbers = ['NaN', 'Infinity', '-0', '1.0', '1e1', '0x1', '٣', ' 9', '9 ', '9,9', 'off', 'none', 'null'] as const

/** Texts of which none is a value of the setting, by its type; what is free text may be called as anything is called. */
const wrongFor = ({ schema }: SettingDeclaration): readonly string[] => {
  const type = 'type' in schema ? schema.type : undefined
  if (type === 'integer')
    return [
      ...blank,
      ...inherited,
      ...noNumbers,
      String(numberOf(schema, 'minimum') - 1),
      String(numberOf(schema, 'maximum') + 1),
      '9'.repeat(40),
    ]
  if (type === 'boolean') return [...blank, ...inherited, 'TRUE', 'True', 'yes', 'on', '1', '0', ' true', 'null']
  if (type === 'array') return [...blank, ',', ' , ,', '*', ...inherited.map(each => `${each}/`), 'null/0']
  return blank
}
/** Of any text these are values: a host, a folder, a word. */
const words: ReadonlySet<string> = new Set([
  'LEXICHRON_HOST',
  'LEXICHRON_DATA_DIR',
  'LEXICHRON_NODE_ENV',
  'LEXICHRON_WORDS',
])

t.test('which settings are meant is said of each', async t => {
  t.same(
    declared.flatMap(([name, { secures }]) => (secures ? [] : [name])).toSorted(),
    [
      'LEXICHRON_LOG_FILES',
      'LEXICHRON_LOG_FILE_MB',
      'LEXICHRON_LOG_FORMAT',
      'LEXICHRON_LOG_LEVEL',
      'LEXICHRON_LOG_TO',
      'LEXICHRON_MEMORY_MB',
      'LEXICHRON_PORT',
      'LEXICHRON_SAMPLE',
      'LEXICHRON_SECURITY_CONTACT',
    ],
    'of all others the rest of this file holds',
  )
})

for (const [name, setting] of securing)
  t.test(name, async t => {
    const folder = temporaryFolder(t)
    const wrong = [
      ...wrongFor(setting),
      ...(words.has(name) ? [] : inherited.filter(() => 'type' in setting.schema && setting.schema.type === 'string')),
    ]
    for (const text of wrong)
      t.match(faultsOf({ [name]: text }).join('\n'), new RegExp(`^${name} (is|names) `, 'm'), JSON.stringify(text))
    t.same(
      loadConfig({ [name]: '' }, cwd),
      loadConfig({}, cwd),
      'empty counts as unset, as everywhere: what then holds is the default',
    )
    writeFileSync(join(folder, 'empty'), '')
    mkdirSync(join(folder, 'folder'))
    writeFileSync(join(folder, 'blank'), ' \n')
    for (const file of ['empty', 'folder', 'none', 'blank'])
      t.match(
        faultsOf({ [`${name}_FILE`]: join(folder, file) }).join('\n'),
        new RegExp(`^${name}(_FILE)? `, 'm'),
        `a file: ${file}`,
      )
    t.not(faultsOf({ [`${name}S`]: 'x' }).join('\n'), '', 'a name with a letter too many')
    const { code, err } = await runHere(folder, ['serve'], { [name]: ' ' })
    t.equal(code, 2, err)
    t.match(err, new RegExp(`The settings are wrong:\\n(.*\\n)*  ${name} is `), 'the start says which one')
    t.same(readdirSync(folder).toSorted(), ['blank', 'empty', 'folder'], 'and nothing was begun')
  })

t.test('providers of sign-in are whole or the start is refused', async t => {
  const whole = {
    LEXICHRON_PUBLIC_URL: 'https://words.example',
    LEXICHRON_OPENID_PROVIDERS: 'corporate',
    LEXICHRON_OPENID_CORPORATE_ISSUER: 'https://login.example',
    LEXICHRON_OPENID_CORPORATE_CLIENT_ID: 'us',
    LEXICHRON_OPENID_CORPORATE_CLIENT_SECRET: 's3cret-of-ours',
  }
  t.same(faultsOf(whole), [])
  for (const name of Object.keys(whole))
    for (const text of ['', ' '.repeat(9), '\t'])
      t.ok(faultsOf({ ...whole, [name]: text }).length > 0, `${name} ${JSON.stringify(text)}`)
})

// What settings name, and is not there

const started = async (env: Readonly<Record<`LEXICHRON_${string}`, string>>, folder: string) => {
  const app = await openTestApp(t, env, { folder })
  return { app, api: await openApi(app.url) }
}
const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter(each => each.isFile())
    .map(each => join(each.parentPath, each.name).slice(folder.length))
    .toSorted()

t.test('keys that cannot be read are no start with other keys', async t => {
  const folder = temporaryFolder(t)
  const { app } = await started({}, folder)
  const { password } = await app.account('contributor', 'ada@dictionary.example')
  await app.token('reader')
  await app.close()
  const keys = join(folder, 'keys')
  const whole = filesIn(keys)
  const secrets = whole.filter(each => each.startsWith('/secret/'))
  const signing = whole.find(each => each.startsWith('/signing/')) ?? ''
  const harm: Readonly<Record<string, (path: string) => void>> = {
    'cut off': path => writeFileSync(path, readFileSync(path).subarray(0, 5)),
    empty: path => writeFileSync(path, ''),
    'of something else': path => writeFileSync(path, 'x'.repeat(200)),
    'open to others': path => chmodSync(path, 0o644),
    'a folder': path => {
      rmSync(path)
      mkdirSync(path)
    },
  }
  const config = loadConfig(environmentFor(folder), folder)
  // Each secret in one way, one of them in every way.
  for (const [how, spoil] of Object.entries(harm))
    for (const name of how === 'cut off' ? [...secrets, signing] : [...secrets.slice(0, 1), signing]) {
      const path = join(keys, name)
      const kept = readFileSync(path)
      spoil(path)
      const starting = openApp(config, { purpose: 'serve', version: '0.0.0', clock: fakeClock() })
      const outcome = await starting.then(
        async opened => {
          await whileTimeGoes({ clock: app.clock }, 'the end', opened.close(), 20)
          return undefined
        },
        (error: unknown) => error,
      )
      t.match(outcome, { name: 'KeysError' }, `${name} ${how}`)
      rmSync(path, { recursive: true })
      writeFileSync(path, kept, { mode: 0o600 })
      t.same(filesIn(keys), whole, 'nothing was made in its place')
    }
  const again = await started({}, folder)
  const body = { email: 'ada@dictionary.example', password }
  t.equal((await again.api('POST', '/v1/sessions', { body })).status, 201, 'with its keys it is what it was')
})

t.test('a cache that is away leaves every limit and every session as it is', async t => {
  const folder = temporaryFolder(t)
  const away = { LEXICHRON_CACHE: 'redis://127.0.0.1:1', LEXICHRON_LIMIT_SIGN_INS: '3', LEXICHRON_LIMIT_READS: '5' }
  const { app, api } = await started(away, folder)
  const { password } = await app.account('contributor', 'ada@dictionary.example')
  const signIn = (secret: unknown) =>
    api('POST', '/v1/sessions', { body: { email: 'ada@dictionary.example', password: secret } })
  const opened = await signIn(password)
  t.equal(opened.status, 201)
  const codes = []
  for (let n = 0; n < 4; n += 1) codes.push((await signIn('a guess of mine')).code)
  t.equal(codes.at(-1), 'rate-limited', codes.join())
  const as = String(opened.json['accessToken'])
  const reads = []
  for (let n = 0; n < 6; n += 1) reads.push((await api('GET', '/v1/entries', { as })).status)
  t.same(reads, [200, 200, 200, 200, 200, 429])
  const refreshToken = String(opened.json['refreshToken'])
  const next = await api('POST', '/v1/sessions/refresh', { body: { refreshToken } })
  t.equal(next.status, 200, next.text)
  await app.clock.advance(11_000)
  t.equal((await api('POST', '/v1/sessions/refresh', { body: { refreshToken } })).code, 'session-ended')
})

t.test('keys and read models in a MongoDB that is away are no start without them', async t => {
  const masterKey = Buffer.alloc(32, 7).toString('base64')
  const settingsOf = {
    LEXICHRON_KEYS: { LEXICHRON_KEYS: 'mongodb://me:hush@127.0.0.1:1/keys', LEXICHRON_MASTER_KEY: masterKey },
    LEXICHRON_READ_STORE: { LEXICHRON_READ_STORE: 'mongodb://me:hush@127.0.0.1:1/words' },
  } as const
  await Promise.all(
    Object.entries(settingsOf).map(async ([name, env]) => {
      const folder = temporaryFolder(t)
      const { code, err } = await runHere(folder, ['serve'], env)
      t.equal(code, 1, `${name}: ${err}`)
      t.match(err, name)
      t.notMatch(err, 'hush')
      t.notMatch(err, 'listening')
    }),
  )
})
