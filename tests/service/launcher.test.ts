import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { environmentFor, lexichron, startService, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

t.setTimeout(240_000)

const root = fileURLToPath(new URL('../..', import.meta.url))
const BOUND_MS = 20_000

/** Makes a Node believe that it is an older one, before anything else is loaded. */
const older = `data:text/javascript,${encodeURIComponent(
  "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })",
)}`

type Ran = {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** Runs until its end, or kills it when that is not near. `onLine` sees standard output as it comes. */
const run = (
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; onOutput?: (out: string, child: ChildProcess) => void } = {},
): Promise<Ran> =>
  new Promise((done, failed) => {
    const child = spawn(command, [...args], { env: options.env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] })
    const bound = setTimeout(() => child.kill('SIGKILL'), BOUND_MS)
    let [out, err] = ['', '']
    child.stdout.on('data', chunk => {
      out += String(chunk)
      options.onOutput?.(out, child)
    })
    child.stderr.on('data', chunk => {
      err += String(chunk)
    })
    child.on('error', failed)
    child.on('close', (code, signal) => {
      clearTimeout(bound)
      done({ code, signal, out, err })
    })
  })

/** The launcher with a program of ours behind it; with or without a Node among the dependencies. */
const installed = (folder: string, program: string, withNode: boolean): string => {
  mkdirSync(join(folder, 'bin'))
  mkdirSync(join(folder, 'src'))
  copyFileSync(join(root, 'bin/lexichron.mjs'), join(folder, 'bin/lexichron.mjs'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'src/main.ts'), program)
  const node = join(folder, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
  if (withNode) {
    mkdirSync(dirname(node), { recursive: true })
    symlinkSync(process.execPath, node)
  }
  return join(folder, 'bin/lexichron.mjs')
}

const echo =
  'const words: string[] = process.argv.slice(2)\nprocess.stdout.write(words.join(" "))\nprocess.exitCode = Number(words[0])\n'

t.test('on a Node that is new enough it runs in the same process', async t => {
  const launcher = installed(t.testdir({}), echo, false)
  t.match(await run(process.execPath, [launcher, '3', 'x']), { code: 3, out: '3 x' })
})

t.test('on an older one it starts the Node that came with the dependencies', async t => {
  const launcher = installed(t.testdir({}), echo, true)
  const ran = await run(process.execPath, ['--import', older, launcher, '75', '--json'])
  t.match(ran, { code: 75, out: '75 --json' }, 'arguments and exit code come through')
})

t.test('on an older one without that it says in one line what is missing', async t => {
  const launcher = installed(t.testdir({}), echo, false)
  const ran = await run(process.execPath, ['--import', older, launcher])
  t.match(ran, { code: 1, out: '', err: /^lexichron: Node 24 or newer is needed and this is v[\d.]+: [^\n]*\n$/ })
})

const waits = `
process.on('SIGTERM', () => { process.stdout.write('terminated'); process.exit(7) })
process.on('disconnect', () => { process.stdout.write('left alone'); process.exit(0) })
process.channel?.unref()
setInterval(() => {}, 1000)
process.stdout.write('ready ' + process.pid + ' ')
`

t.test('signals come through, and a launcher that is killed does not leave the program behind', async t => {
  const launcher = installed(t.testdir({}), waits, true)
  const args = ['--import', older, launcher]
  let sent = false
  const stop = (signal: NodeJS.Signals) => (out: string, child: ChildProcess) => {
    if (sent || !out.includes('ready')) return
    sent = true
    child.kill(signal)
  }
  t.match(await run(process.execPath, args, { onOutput: stop('SIGTERM') }), { code: 7, out: /terminated$/ })
  sent = false
  // The pipe closes once the program behind the launcher has ended too.
  t.match(await run(process.execPath, args, { onOutput: stop('SIGKILL') }), { signal: 'SIGKILL', out: /left alone$/ })
})

t.test('the real program behind it answers', async t => {
  const launcher = join(root, 'bin/lexichron.mjs')
  t.match(await run(process.execPath, [launcher, '--help']), { code: 0, out: /projections retry/ })
  t.match(await run(process.execPath, ['--import', older, launcher, 'frob']), { code: 2, err: /no command frob/ })
  t.match(await run(process.execPath, [launcher, 'config'], { env: { ...process.env, PORT: 'x' } }), {
    ...{ code: 1, err: /PORT is "x"/ },
  })
  // What the system calls node may be old in earnest: then this is no rehearsal.
  const system = ['/usr/bin/node', '/usr/local/bin/node'].find(existsSync)
  if (system) t.match(await run(system, [launcher, '--version'], { env: { PATH: process.env['PATH'] } }), { code: 0 })
})

t.test('a port in use is one line and exit code 1', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(listening => server.once('listening', listening))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const ran = await run(process.execPath, [join(root, 'src/main.ts'), 'serve'], {
    env: { ...process.env, PORT: String(port), DATA_DIR: t.testdir({}), SAMPLE: 'none', LOG_LEVEL: 'silent' },
  })
  server.close()
  t.match(ran, { code: 1, out: '' })
  t.match(ran.err, /^lexichron: Port \d+ on 127\.0\.0\.1 is in use by another program\.\n$/)
})

t.test('a folder that cannot be made is one line and exit code 1, not a try for ever', async t => {
  for (const folder of ['/etc/passwd', ...(existsSync('/proc/self') ? ['/proc/lexichron'] : [])]) {
    const env = { ...process.env, PORT: '0', DATA_DIR: folder, SAMPLE: 'none' }
    const ran = await run(process.execPath, [join(root, 'src/main.ts'), 'serve'], { env })
    t.match(ran, { code: 1, out: '', err: /cannot be opened/ }, folder)
  }
})

t.test('one Ctrl-C that arrives twice closes gracefully', async t => {
  const service = await startService(t, temporaryFolder(t))
  process.kill(service.pid, 'SIGINT')
  t.equal(await service.stop('SIGINT'), 0)
})

t.test('a reader that has enough ends the export and is no failure', async t => {
  const data = temporaryFolder(t)
  const lines = Array.from({ length: 400 }, (_, at) =>
    JSON.stringify({
      ...{ language: 'en', lemma: `word ${at}`, partOfSpeech: 'noun', licence: 'CC0-1.0' },
      senses: [{ gloss: 'x'.repeat(1000) }],
    }),
  )
  const file = join(data, 'words.ndjson')
  writeFileSync(file, lines.join('\n'))
  t.match(await lexichron(data, ['import', 'ndjson', file]), { code: 0 })
  const service = await startService(t, data)
  // Ready: the read model is built, which the export reads.
  await until('readiness', async () => ((await fetch(`${service.url}/v1/entries?limit=1`)).ok ? true : undefined))
  const whole = await lexichron(data, ['export'])
  t.equal(whole.code, 0, whole.err)
  t.equal(whole.out.trim().split('\n').length, 400)
  // Under pipefail the shell's exit code is the export's.
  const cut = await run('bash', ['-c', `set -o pipefail; "$0" src/main.ts export | head -n 1`, process.execPath], {
    env: { ...environmentFor(data) },
  })
  t.match(cut, { code: 0, err: '' })
  t.match(JSON.parse(cut.out), { status: 'published' })
  t.equal(await service.stop(), 0)
})
