import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { runHere } from '../support/here.ts'
import { importWords, ready } from '../support/nodes.ts'
import { runProcess, startProcess } from '../support/processes.ts'
import { environmentFor, main, startService, temporaryFolder } from '../support/service.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Makes a Node believe that it is an older one, before anything else is loaded. */
const older = `data:text/javascript,${encodeURIComponent(
  "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })",
)}`

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
  t.match(await runProcess(process.execPath, [launcher, '3', 'x']), { code: 3, out: '3 x' })
})

t.test('on an older one it starts the Node that came with the dependencies', async t => {
  const launcher = installed(t.testdir({}), echo, true)
  const ran = await runProcess(process.execPath, ['--import', older, launcher, '75', '--json'])
  t.match(ran, { code: 75, out: '75 --json' }, 'arguments and exit code come through')
})

t.test('on an older one without that it says in one line what is missing', async t => {
  const launcher = installed(t.testdir({}), echo, false)
  const ran = await runProcess(process.execPath, ['--import', older, launcher])
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
  const start = async () => {
    const running = startProcess(t, process.execPath, ['--import', older, launcher], { leads: true })
    await running.says(/ready/)
    return running
  }
  const told = await start()
  told.send('SIGTERM')
  t.match(await told.ended, { code: 7, out: /terminated$/ })
  const killed = await start()
  killed.send('SIGKILL')
  // The pipe closes once the program behind the launcher has ended too.
  t.match(await killed.ended, { signal: 'SIGKILL', out: /left alone$/ })
})

t.test('the real program behind it answers', async t => {
  const launcher = join(root, 'bin/lexichron.mjs')
  t.match(await runProcess(process.execPath, [launcher, '--help']), { code: 0, out: /projections retry/ })
  t.match(await runProcess(process.execPath, ['--import', older, launcher, 'frob'], { leads: true }), {
    code: 2,
    err: /no command frob/,
  })
  t.match(await runProcess(process.execPath, [launcher, 'config'], { env: { ...process.env, PORT: 'x' } }), {
    code: 2,
    err: /PORT is "x"/,
  })
  // What the system calls node may be old in earnest: then this is no rehearsal.
  const system = ['/usr/bin/node', '/usr/local/bin/node'].find(existsSync)
  if (system === undefined) return
  const env = { PATH: process.env['PATH'] }
  t.match(await runProcess(system, [launcher, '--version'], { env, leads: true }), { code: 0 })
})

t.test('a port in use is one line and exit code 1', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(listening => server.once('listening', listening))
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const ran = await runHere(temporaryFolder(t), ['serve'], { PORT: String(port), LEXICHRON_LOG_LEVEL: 'silent' })
  t.match(ran, { code: 1, out: '' })
  t.match(ran.err, /^lexichron: Port \d+ on 127\.0\.0\.1 is in use by another program\.\n$/)
})

t.test('a folder that cannot be made is one line and exit code 1, not a try for ever', async t => {
  const folders = ['/etc/passwd', ...(existsSync('/proc/self') ? ['/proc/lexichron'] : [])]
  for (const ran of await Promise.all(folders.map(folder => runHere(folder, ['serve']))))
    t.match(ran, { code: 1, out: '', err: /cannot be opened/ })
})

t.test('a reader that has enough ends the export; one Ctrl-C that arrives twice ends the service', async t => {
  const data = temporaryFolder(t)
  // More than a pipe holds.
  await importWords(data, 400, 'x'.repeat(1_000))
  const service = await startService(t, data)
  await ready(service)
  // Under pipefail the shell's exit code is the export's.
  const exportTo = (reader: string) =>
    runProcess('bash', ['-c', `set -o pipefail; "$0" "$1" export | ${reader}`, process.execPath, main], {
      env: environmentFor(data),
      leads: true,
    })
  t.match(await exportTo('wc -l'), { code: 0, out: /^\s*400\s*$/, err: '400 entries\n' })
  const cut = await exportTo('head -n 1')
  t.match(cut, { code: 0, err: '' })
  t.match(JSON.parse(cut.out), { status: 'published' })
  service.send('SIGINT')
  t.equal(await service.stop('SIGINT'), 0)
})
