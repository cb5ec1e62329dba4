import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import t from 'tap'
import type { App, AppOptions, Finding, ImportReport } from '../../src/adapters/cli/app-port.ts'
import { commands, runCommandLine } from '../../src/adapters/cli/run.ts'
import { SourceError } from '../../src/adapters/import/source.ts'
import { mails } from '../../src/app/mail.ts'
import type { Environment } from '../../src/config/environment.ts'
import { type Config, loadConfig } from '../../src/config/load.ts'
import { refuse } from '../../src/domain/refusal.ts'
import { EventStoreError } from '../../src/ports/event-store.ts'
import { settle } from '../support/clocks.ts'
import { emptyApp } from '../support/empty-app.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const collector = (told: (text: string) => void = () => undefined) => {
  const chunks: string[] = []
  const stream = new Writable({
    write: (chunk, _, done) => {
      chunks.push(String(chunk))
      told(chunks.join(''))
      done()
    },
  })
  return { stream, text: () => chunks.join('') }
}

type Around = {
  readonly app?: Partial<App>
  readonly open?: () => Promise<App>
  readonly environment?: Environment
  readonly stop?: AbortController
  readonly stdout?: NodeJS.WritableStream
  readonly interactive?: boolean
  readonly findings?: readonly Finding[]
  /** Hears all that has been written to stderr, as it is written. */
  readonly told?: (text: string) => void
}

const run = async (line: readonly string[], around: Around = {}) => {
  const calls: unknown[][] = []
  const [out, err] = [collector(), collector(around.told)]
  const opened: AppOptions[] = []
  let at = 0
  const code = await runCommandLine(line, {
    stdout: around.stdout ?? out.stream,
    stderr: Object.assign(err.stream, { isTTY: around.interactive === true }),
    version: '1.2.3',
    config: () => loadConfig(around.environment ?? {}, '/srv'),
    openMails: async () => mails,
    openCopy: async () => () => Promise.reject(new Error('nothing is copied here')),
    openDoctor: async () => async () => around.findings ?? [],
    openApp: async () => async (_: Config, options: AppOptions) => {
      opened.push(options)
      return around.open ? around.open() : { ...emptyApp(calls), ...around.app }
    },
    signal: (around.stop ?? new AbortController()).signal,
    now: () => {
      at += 3000
      return at
    },
  })
  return { code, out: out.text(), err: err.text(), calls, opened }
}
const closed = (calls: readonly unknown[][]): boolean => calls.at(-1)?.[0] === 'close'

t.test('help and usage', async t => {
  for (const words of [['--help'], ['-h'], ['help']]) {
    const { code, out } = await run(words)
    t.equal(code, 0)
    for (const { name } of commands) t.match(out, `  ${name} `)
  }
  for (const { name } of commands) {
    const { code, out, opened } = await run([...name.split(' '), '--help'])
    t.equal(code, 0)
    t.match(out, `lexichron ${name}`)
    t.match(out, '--json')
    t.equal(opened.length, 0, 'nothing is opened for it')
  }
  const group = await run(['token', '--help'])
  t.match(group, { code: 0, out: /token create[\s\S]*token list[\s\S]*token revoke/ })
  t.match((await run(['projections', '--help'])).out, /lexichron projections\n[\s\S]*projections retry/)
  t.match(await run(['--version']), { code: 0, out: '1.2.3\n' })
})

t.test('stories are imported for an author, and what was not taken is said', async t => {
  const words = [
    'import',
    'stories',
    'b.epub',
    '--author',
    'a1',
    '--visibility',
    'members',
    '--language',
    'EN',
    '--publish',
  ]
  const { code, out, err, calls } = await run(words)
  t.strictSame(calls[0], ['import stories', 'b.epub', 'a1', 'en', 'members', true])
  t.equal(code, 0)
  t.equal(out, 'x.ndjson: 1 written, 0 unchanged, 1 kept as they are here, 1 wrong\n  1 wrong: Broken.\n')
  t.match(err, /line 2: Broken\.\n(.|\n)*kept: line 3: Edited\./)
  const json = await run(['import', 'stories', 'b.epub', '--author', 'a1', '--json'])
  t.match(JSON.parse(json.out), { source: 'x.ndjson', complete: true, written: 1, kept: 1, faults: 1 })
})

t.test('wrong usage is exit code 2 and says what is expected', async t => {
  for (const [words, says] of [
    [[], 'A command is missing'],
    [['frob'], 'There is no command frob: lexichron --help lists them all.'],
    [['serv', '--wait'], 'There is no command serv: did you mean serve? lexichron --help lists them all.'],
    [['token'], 'Which one? lexichron token create'],
    [['keys', 'frob'], 'Which one?'],
    [['import', 'wordnet'], 'It takes 2 arguments and was given 1'],
    [['import', 'pdf', 'x'], 'format pdf is unknown: use wordnet, dictd, ndjson'],
    [['import', 'wordnet', ''], 'The path is missing'],
    [['import', 'stories', 'x'], '--author is missing: the id of the account'],
    [['import', 'stories', 'x', '--author', 'a', '--source', 's'], 'Stories have no --source.'],
    [
      ['import', 'stories', 'x', '--author', 'a', '--visibility', 'all'],
      'visibility all is unknown: use private, unlisted',
    ],
    [['import', 'wordnet', 'x', '--author', 'a'], 'Only stories have --author.'],
    [['import', 'wordnet', 'x', '--publish'], 'Only stories have --publish.'],
    [['import', 'wordnet', 'x', '--frob'], "Unknown option '--frob'."],
    [['rebuild', 'frob'], 'projection frob is unknown: use entries, search'],
    [['projections', 'retry', 'frob'], 'projection frob is unknown'],
    [['token', 'create', '--role', 'editor', '--role', 'admin', '--for', 'Ada'], '--role is given more than once.'],
    [['token', 'create', '--role', 'editor'], '--for is missing'],
    [['token', 'create', '--for', 'Ada'], '--role is missing'],
    [['token', 'create', '--for', 'Ada', '--role', 'king'], 'role king is unknown: use reader, contributor'],
    [['token', 'create', '--for', 'Ada', '--role', 'editor', '--expires', 'soon'], 'write a time such as 90s'],
    [['token', 'create', '--for', 'Ada', '--role', 'editor', '--expires', '0s'], 'write a time such as 90s'],
    [['token', 'revoke'], 'It takes 1 argument and'],
    [['blocks', 'add', '192.0.2.1'], '--reason is missing'],
    [['blocks', 'add', '192.0.2.1', '--reason', 'r', '--expires', '7w'], 'write a time such as 90s'],
    [['serve', 'x'], 'It takes 0 arguments'],
    [
      ['export', '--language', 'xx-yy-zz-!!'],
      /--language "xx-yy-zz-!!" is no BCP 47 tag[^\n]*\nUsage: lexichron export \[--language TAG\]\n/,
    ],
    [
      ['token', 'create', '--role', 'king', '--for', 'x'],
      /\nUsage: lexichron token create --role ROLE --for NAME \[--expires LIFE\]\n$/,
    ],
    [['import', 'pdf', 'x'], /\nUsage: lexichron import <wordnet\|dictd\|ndjson\|stories> <path> \[--source NAME\]/],
  ] as const) {
    const { code, out, err } = await run(words)
    t.equal(code, 2, words.join(' '))
    t.equal(out, '')
    t.match(err, says)
  }
  t.match(await run(['serve'], { environment: { PORT: 'x', LEXICHRON_HOST: 'a b' } }), {
    code: 2,
    err: /PORT is[\s\S]*LEXICHRON_HOST is|LEXICHRON_HOST is[\s\S]*PORT is/,
  })
  t.match(JSON.parse((await run(['frob', '--json'])).err), { exitCode: 2, failed: /no command frob/ })
})

t.test('serve', async t => {
  const stop = new AbortController()
  stop.abort()
  const plain = await run(['serve'], { stop })
  t.match(plain, { code: 0, out: 'Lexichron listens on http://127.0.0.1:4711\n', opened: [{ purpose: 'serve' }] })
  t.ok(closed(plain.calls))
  t.equal((await run(['serve', '--json'], { stop })).out, '{"listening":"http://127.0.0.1:4711"}\n')

  const report: ImportReport = {
    source: 'wordnet',
    complete: true,
    written: 147_300,
    unchanged: 6,
    kept: 0,
    faults: 0,
    left: 0,
    reasons: [],
  }
  const fill = async (): Promise<ImportReport> => report
  const filled = await run(['serve'], { stop, app: { fillSample: fill } })
  t.match(
    filled.out,
    /Filled with wordnet: 147,306 entries[\s\S]*curl 'http:\/\/127.0.0.1:4711\/v1\/search\?q=knowlege'/,
  )
  t.equal(filled.out.match(/^ {2}curl /gm)?.length, 3)
  const asJson = await run(['serve', '--json'], { stop, app: { fillSample: fill } })
  t.strictSame(JSON.parse(asJson.out.split('\n')[1] ?? ''), {
    filled: { source: 'wordnet', written: 147_300, unchanged: 6 },
  })

  const later = new AbortController()
  let [said, serving] = ['', true]
  const failing = run(['serve'], {
    stop: later,
    told: text => {
      said = text
    },
    app: {
      fillSample: async () => {
        throw new EventStoreError('unavailable', 'The disk is full.')
      },
    },
  }).finally(() => {
    serving = false
  })
  await until('the failure', () => said.endsWith('\n') && said.includes('next start goes on'))
  await settle()
  t.ok(serving, 'it goes on serving')
  later.abort()
  t.match(await failing, { code: 0, err: /The disk is full\.\n[\s\S]*next start goes on/ })
})

t.test('what goes wrong at the start is one line', async t => {
  const failing = (error: Error) => run(['serve'], { app: { listen: async () => Promise.reject(error) } })
  const system = (code: string, more: object = {}) =>
    Object.assign(new Error(`${code}: it`), { code, errno: -1, ...more })
  const inUse = await failing(system('EADDRINUSE', { syscall: 'listen', address: '127.0.0.1', port: 8080 }))
  t.equal(inUse.code, 1)
  t.match(inUse.err, /^lexichron: The port is in use \(127\.0\.0\.1, port 8080\): [^\n]*\n$/)
  t.ok(closed(inUse.calls), 'what was opened is closed')
  const said = Object.assign(new Error('127.0.0.1:8080 is in use.'), { code: 'EADDRINUSE' })
  t.match(await failing(said), { code: 1, err: 'lexichron: 127.0.0.1:8080 is in use.\n' }, 'a sentence stays as it is')
  t.match(await failing(system('EACCES', { syscall: 'listen', port: 80 })), { code: 1, err: /not permitted .*port 80/ })
  t.match(await failing(system('EACCES')), { code: 1, err: /Permission denied/ })
  t.match(await failing(system('ENOTFOUND')), { code: 1, err: /LEXICHRON_HOST is not an address/ })
  t.match(await failing(system('ENOENT', { path: '/x' })), { code: 1, err: /no such file: \/x/ })
  t.match(await failing(system('EMFILE')), { code: 75 })
  t.match(await failing(new EventStoreError('unavailable', 'Locked.')), { code: 75, err: 'lexichron: Locked.\n' })
  const inTheWay = { cause: Object.assign(new Error('in the way'), { name: 'SqliteError', kind: 'cantopen' }) }
  t.match(await failing(new EventStoreError('unavailable', 'No.', inTheWay)), { code: 1 }, 'it does not pass by itself')
  const refused = { cause: Object.assign(new Error('no'), { kind: 'refused' }) }
  for (const words of [['serve'], ['serve', '--wait']]) {
    const open = (): never => {
      throw new EventStoreError('unavailable', 'LEXICHRON_EVENT_STORE: it refuses the login.', refused)
    }
    const ended = await run(words, { open: async () => open() })
    t.match(
      ended,
      { code: 1, err: 'lexichron: LEXICHRON_EVENT_STORE: it refuses the login.\n' },
      'nobody waits for who is there',
    )
  }
  t.match(await failing(new EventStoreError('corrupt', 'Broken.')), { code: 1, err: 'lexichron: Broken.\n' })
  const sqlite = Object.assign(new Error('It is a file of another program.'), { name: 'SqliteError', kind: 'foreign' })
  t.match(await failing(sqlite), { code: 1, err: 'lexichron: It is a file of another program.\n' })
  t.match(await failing(Object.assign(new Error('x'), { name: 'SqliteError', kind: 'busy' })), { code: 75 })
  const building = Object.assign(new Error('entries@1 is being built'), {
    name: 'ProjectionError',
    code: 'projection-building',
  })
  t.match(await failing(building), { code: 75, err: 'lexichron: entries@1 is being built\n' })
  t.match(await failing(new TypeError('a bug')), {
    code: 1,
    err: /This should not have happened:\nTypeError: a bug\n +at /,
  })
  t.match(await run(['verify'], { open: () => Promise.reject('text') }), { code: 1, err: 'lexichron: text\n' })
})

t.test('import and export', async t => {
  const plain = await run([
    'import',
    'wordnet',
    '/dict',
    '--source',
    'wn',
    '--language',
    'en',
    '--licence',
    'L',
    '--strict',
  ])
  t.strictSame(plain.calls[0], ['import', 'wordnet', '/dict', true, 'wn', 'en', 'L'])
  t.equal(plain.code, 0)
  t.equal(plain.out, 'x: 98 written, 0 unchanged, 0 kept as people edited them, 2 wrong\n  2 wrong: Broken.\n')
  t.match(plain.err, /data\.noun, line 7: There is no gloss\.\nline 8: Broken\.\n/)
  t.match(plain.err, /import: 100 of 100 \(100%\), [\d,]+ entries\/s/)
  t.strictSame((await run(['import', 'ndjson', 'f'])).calls[0], [
    'import',
    'ndjson',
    'f',
    false,
    undefined,
    undefined,
    undefined,
  ])

  const json = await run(['import', 'wordnet', '/dict', '--json'])
  t.match(JSON.parse(json.out), { written: 98, complete: true })
  const noted = json.err
    .trim()
    .split('\n')
    .map(each => JSON.parse(each))
  t.match(noted[0], { fault: { line: 7 } })
  t.match(noted.at(-1), { progress: { step: 'import', done: 100, total: 100 } })

  const bar = await run(['import', 'wordnet', '/dict'], { interactive: true })
  t.match(bar.err, 'line 8: Broken.\n')

  const half: ImportReport = {
    source: 'x',
    complete: false,
    written: 1,
    unchanged: 0,
    kept: 0,
    faults: 1,
    left: 0,
    reasons: [],
  }
  t.equal((await run(['import', 'wordnet', 'd', '--strict'], { app: { import: async () => half } })).code, 1)
  const stop = new AbortController()
  stop.abort()
  t.equal(
    (await run(['import', 'wordnet', 'd'], { stop, app: { import: async () => half } })).code,
    75,
    'stopped: again',
  )
  const running = refuse('conflict', 'Another import of this source runs.')
  t.match(await run(['import', 'wordnet', 'd'], { app: { import: async () => running } }), {
    code: 75,
    err: /Another import/,
  })
  const refusal = refuse('text-invalid', 'No.', { errors: [{ pointer: '/source', code: 'x', detail: 'Too long.' }] })
  const misnamed = async () => {
    throw new SourceError('--source "B" is not the name of a source.', 'usage')
  }
  t.match(await run(['import', 'ndjson', 'f', '--source', 'B'], { app: { import: misnamed } }), {
    code: 2,
    err: 'lexichron: --source "B" is not the name of a source.\n',
  })
  t.match(await run(['import', 'wordnet', 'd'], { app: { import: async () => refusal } }), {
    code: 1,
    err: 'lexichron: No. (text-invalid)\n  /source: Too long.\n',
  })

  t.match(await run(['export', '--language', 'en']), { code: 0, out: '{"id":"1"}\n{"id":"2"}\n', err: '2 entries\n' })
  t.match(await run(['export'], { stop }), { code: 75, out: '{"id":"1"}\n' })
  const gone = new Writable({ write: (_, __, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })) })
  t.match(await run(['export'], { stdout: gone }), { code: 0, err: '' }, 'a reader that has enough is no failure')
})

t.test('read models', async t => {
  const all = await run(['rebuild'])
  t.strictSame(all.calls, [['rebuild', 'entries'], ['rebuild', 'search'], ['close']])
  t.equal(all.out, 'entries: rebuilt up to position 1200\nsearch: rebuilt up to position 1200\n')
  t.match(JSON.parse((await run(['rebuild', 'search', '--json'])).out), { name: 'search', position: '1200' })
  const stop = new AbortController()
  stop.abort()
  t.equal((await run(['rebuild'], { stop })).code, 75)

  const listed = await run(['projections'])
  t.match(
    listed.out,
    /^name +kind +version +state +position +behind +parked\nentries +projection +1 +stopped +12 +3 +1\n/,
  )
  t.match(listed.out, 'entries is stopped: A newer event.\nentries parked doc at 2026-01-01T00:00:00.000Z: It threw.\n')
  t.match(JSON.parse((await run(['projections', '--json'])).out), [{ name: 'entries', parked: [{ id: 'doc' }] }])
  const retried = await run(['projections', 'retry', 'entries'])
  t.match(retried, { code: 0, out: '4 parked\n', calls: [['retry', 'entries'], ['close']] })
  t.strictSame(JSON.parse((await run(['projections', 'retry', '--json'])).out), { retried: 4 })

  t.match(await run(['verify']), { code: 0, out: '9 events read\nentries: 2 documents, all as replayed\n' })
  const differing = { name: 'entries', documents: 2, different: 1, differences: ['doc: /lemma'] }
  const wrong = await run(['verify'], {
    app: { verify: async () => ({ events: 9, faults: ['at 3: no type'], damaged: [], projections: [differing] }) },
  })
  t.match(wrong, { code: 1, out: '9 events read\n  at 3: no type\nentries: 2 documents, 1 differ\n  doc: /lemma\n' })
  const hurt = [{ position: '3' }, { position: '5', soundAt: '2026-01-01T00:00:00.000Z' }]
  const upTo = { name: 'entries', documents: 2, different: 0, differences: [], readUpTo: '2' }
  const broken = await run(['verify'], {
    app: { verify: async () => ({ events: 9, faults: [], damaged: hurt, projections: [upTo] }) },
  })
  t.equal(broken.code, 1, 'damage alone is a failure')
  t.match(broken.out, /position 3 is damaged: .*; it was not looked at before\n.*position 5 .* sound at 2026-01-01T00/)
  t.match(broken.out, /all as replayed; the log can be read up to position 2 alone/)
  t.match(JSON.parse((await run(['verify', '--json'])).out), { events: 9 })
  const mended = '9 events read\nentries: 2 documents, 1 differed; built again\n'
  t.match(await run(['repair']), { code: 0, out: mended })
  const left = await run(['repair'], {
    app: {
      repair: async () => ({
        events: 9,
        faults: [],
        damaged: hurt,
        projections: [{ name: 'entries', documents: 2, different: 1, rebuilt: false, reason: 'the log is damaged' }],
      }),
    },
  })
  t.match(left, {
    code: 1,
    out: /Nothing here can repair an event.*\nentries: .* not built again: the log is damaged/s,
  })
  t.match(JSON.parse((await run(['repair', '--json'])).out), { projections: [{ rebuilt: true }] })
  t.equal((await run(['repair'], { stop })).code, 75)
  t.equal((await run(['verify'], { stop })).code, 75)
})

t.test('tokens, keys and settings', async t => {
  const made = await run(['token', 'create', '--role', 'editor', '--for', 'Ada', '--expires', '30m'])
  t.equal(made.out, 'ey.signed\n', 'nothing but the token, so that it can be captured')
  t.match(made.err, 'T1: editor for Ada until 2026-01-01T01:00:00.000Z\n')
  t.strictSame(made.calls[0], ['token', { role: 'editor', for: 'Ada', lifeMs: 1_800_000 }])
  const short = await run(['token', 'create', '--role', 'admin', '--for', 'A', '--expires', '90s', '--json'])
  t.match(JSON.parse(short.out), { token: 'ey.signed', id: 'T1' })
  t.strictSame(short.calls[0], ['token', { role: 'admin', for: 'A', lifeMs: 90_000 }])
  t.strictSame((await run(['token', 'create', '--role', 'admin', '--for', 'A'])).calls[0]?.[1], {
    role: 'admin',
    for: 'A',
    lifeMs: 3_600_000,
  })
  const tooLong = async () => refuse('token-life', 'A token lives for 24 hours at most.')
  const { tokens } = emptyApp([])
  t.match(
    await run(['token', 'create', '--role', 'admin', '--for', 'A', '--expires', '25h'], {
      app: { tokens: { ...tokens, create: tooLong } },
    }),
    {
      code: 2,
      out: '',
      err: /24h at most/,
    },
  )
  t.match((await run(['token', 'list'])).out, /T1 +editor +Ada +then +later +valid\nT2 +admin +- /)
  t.equal(JSON.parse((await run(['token', 'list', '--json'])).out).length, 2)
  t.match(await run(['token', 'revoke', 'T1']), { code: 0, out: 'T1 is revoked\n' })
  t.match(JSON.parse((await run(['token', 'revoke', 'T1', '--json'])).out), { state: 'revoked' })
  t.match(await run(['token', 'revoke', 'T9']), { code: 1, err: /no such token/ })
  t.match(await run(['keys', 'rotate']), { code: 0, out: 'k2 signs from soon\n' })
  t.match(JSON.parse((await run(['keys', 'rotate', '--json'])).out), { kid: 'k2' })
  const addresses = ['keys', 'rotate-addresses']
  const moved = await run(addresses)
  t.match(moved, { code: 0, out: 'key 2: 7 accounts moved to it\n', err: /from some day on[\s\S]*1 accounts wait/ })
  t.match(JSON.parse((await run([...addresses, '--json'])).out), { moved: 7, later: 1 })
  const end = { keys: { rotateAddresses: async () => ({ version: 2, moved: 0, later: 0, taken: ['A'], retired: 1 }) } }
  t.match(await run(addresses, { app: Object(end) }), { code: 1, err: /key 1 is retired[\s\S]*the address of A/ })

  const shown = await run(['config'], { environment: { PORT: '9999' } })
  t.match(shown, { code: 0, out: /PORT +9999 +environment +port to listen on/, opened: [] })
  t.match(JSON.parse((await run(['config', '--json'])).out)[0], {
    name: 'LEXICHRON_HOST',
    value: '127.0.0.1',
    from: 'default',
  })
})

t.test('import takes the language of the glosses and names what it kept', async t => {
  const asked: unknown[] = []
  const app: Partial<App> = {
    import: async (format, path, { target, onKept }) => {
      asked.push([format, path, target])
      onKept?.({ line: 7, reason: 'people have edited en noun word' })
      return { source: 's', complete: true, written: 0, unchanged: 0, kept: 1, faults: 0, left: 0, reasons: [] }
    },
  }
  const words = ['import', 'dictd', 'x.index', '--language', 'en', '--target', 'de']
  t.match(await run(words, { app }), { code: 0, err: /kept: line 7: people have edited en noun word/ })
  t.match(
    (await run([...words, '--json'], { app })).err,
    '{"kept":{"line":7,"reason":"people have edited en noun word"}}',
  )
  t.same(asked[0], ['dictd', 'x.index', 'de'])
})

t.test('doctor says what to do, and fails only for what has failed', async t => {
  const fine: Finding = { check: 'clock', state: 'ok', detail: 'it agrees' }
  const warned: Finding = { check: 'disk', state: 'warning', detail: 'little is left', advice: 'Make room.' }
  const bad: Finding = { check: 'keys', state: 'failed', detail: 'open to others', advice: 'chmod them.' }
  const mild = await run(['doctor'], { findings: [fine, warned] })
  t.match(mild, {
    code: 0,
    out: /warning +disk +little is left\n +-> Make room\.[\s\S]*0 failed, 1 warnings, 1 as they should/,
  })
  t.equal(mild.opened.length, 0, 'the program is not opened')
  t.match(await run(['doctor'], { findings: [bad] }), { code: 1, out: /FAILED +keys[\s\S]*-> chmod them/ })
  const json = await run(['doctor', '--json'], { findings: [fine, bad] })
  t.same(
    json.out
      .trim()
      .split('\n')
      .map(each => JSON.parse(each)),
    [fine, bad],
  )
})

t.test('jobs are listed, done again and given up; what is blocked; a mail is shown', async t => {
  const listed = await run(['jobs', 'list', '--state', 'parked'])
  t.match(listed, { code: 0, calls: [['jobs list', 'parked'], ['close']] })
  t.match(listed.out, /mail +parked +8 +- +e:t:m +nothing listens there/)
  t.match(await run(['jobs', 'list', '--json']), { code: 0, out: /"failures":8/ })
  t.match(await run(['jobs', 'list', '--state', 'lost']), {
    code: 2,
    err: /state lost is unknown: use waiting, running/,
  })
  const shown = await run(['jobs', 'show', 'e:r'])
  t.equal(shown.code, 0)
  for (const line of [/^kind +mail$/m, /^failures +8$/m, /^finishedAt +1970-01-01T/m, /^data\.recipient +account:1$/m])
    t.match(shown.out, line)
  t.match(JSON.parse((await run(['jobs', 'show', 'e:r', '--json'])).out), { key: 'e:r', data: { eventId: 'e' } })
  t.match(await run(['jobs', 'show', 'nobody']), { code: 1, err: /There is no job nobody/ })
  t.match(await run(['jobs', 'show']), { code: 2 })
  t.match(await run(['jobs', 'retry']), {
    code: 0,
    out: '1 will be done again\n',
    calls: [['jobs retry', undefined], ['close']],
  })
  t.match(await run(['jobs', 'retry', 'nobody']), { code: 1, err: /There is no job nobody that failed/ })
  t.match(await run(['jobs', 'drop', 'e:t:m', '--json']), { code: 0, out: '{"dropped":"e:t:m"}\n' })
  t.match(await run(['jobs', 'drop', 'nobody']), { code: 1, err: /no job nobody that waits or is parked/ })
  t.match(await run(['jobs', 'drop']), { code: 2 })
  const blocked = await run(['blocks', 'add', '203.0.113.0/24', '--reason', 'Floods.', '--expires', '7d'])
  t.match(blocked, { code: 0, out: '203.0.113.0/24 is blocked until it is removed: block-1\n' })
  t.same(blocked.calls[0], ['blocks add', '203.0.113.0/24', 'Floods.', 7 * 24 * 60 * 60 * 1000])
  const own = await run(['blocks', 'add', '127.0.0.0/8', '--reason', 'r'])
  t.match(own, { code: 0, err: /This machine is among them/ })
  t.notMatch(blocked.err, /This machine/)
  t.match(await run(['blocks', 'add', 'x', '--reason', 'r']), { code: 1, err: /This is no address/ })
  t.match(await run(['blocks', 'list']), { code: 0, out: /block-1 +203\.0\.113\.0\/24 +2026-\S+ +- +Floods\./ })
  t.match(await run(['blocks', 'list', '--json']), { out: /^\[\{"id":"block-1"/ })
  t.match(await run(['blocks', 'remove', '203.0.113.0/24']), { code: 0, out: /is not blocked any more/ })
  t.match(await run(['mail', 'preview']), { code: 0, out: 'entry-removed\ntoken-issued\n', calls: [] })
  t.match(await run(['mail', 'preview', 'token-issued', '--html']), { code: 0, out: /^<!doctype html>/ })
  t.match(await run(['mail', 'preview', 'token-issued', '--json', '--locale', 'es']), {
    code: 0,
    out: /"subject":"Se creó/,
  })
  const plain = { code: 0, out: /^Subject: An access token/ }
  t.match(await run(['mail', 'preview', 'token-issued', '--text']), plain)
  t.match(await run(['mail', 'preview', 'token-issued', '--locale', 'es-MX']), { out: /token de acceso/, err: '' })
  const french = await run(['mail', 'preview', 'token-issued', '--locale', 'fr'])
  t.match(french, { ...plain, err: 'Mails are not written in fr: this one is in en.\n' })
  t.match(await run(['mail', 'preview', 'token-issued', '--locale', '_']), { code: 2, err: /--locale is _/ })
  t.match(await run(['mail', 'preview', 'token-issued', '--text', '--html']), { code: 2, err: /one at a time/ })
})

t.test('a mail is sent to see whether it arrives', async t => {
  const folder = temporaryFolder(t)
  const environment = { LEXICHRON_MAIL: `file:${folder}` }
  const sent = await run(['mail', 'test', 'ada@example.org'], { environment })
  t.match(sent, { code: 0, out: /^taken as <[0-9a-f-]{36}@localhost>\n$/, calls: [] })
  const [name = ''] = readdirSync(folder)
  t.match(readFileSync(join(folder, name), 'utf8'), /^To: ada@example\.org\r$/m)
  t.match(await run(['mail', 'test', 'ada@example.org', '--locale', 'es', '--json'], { environment }), {
    code: 0,
    out: /^\{"messageId":/,
  })
  t.match(await run(['mail', 'test', 'ada@example.org\r\nBcc: x@y.example'], { environment }), {
    code: 1,
    err: /the address is none that mail can be sent to/,
  })
  const gone = { LEXICHRON_MAIL: 'smtp://us:secret@127.0.0.1:1', LEXICHRON_MAIL_FROM: 'a@b.example' }
  const refused = await run(['mail', 'test', 'ada@example.org'], { environment: gone })
  t.match(refused, { code: 75, err: /nothing listens there/ })
  t.notMatch(refused.err, /secret|ada/)
  t.match(JSON.parse((await run(['mail', 'test', 'a@b.example', '--json'], { environment: gone })).out), {
    failed: 'temporary',
  })
  t.match(await run(['mail', 'test']), { code: 2 })
})
