import { spawn } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { denoPath, denoPermissions } from '../support/deno.ts'
import { environmentFor, lexichron, temporaryFolder } from '../support/service.ts'

t.setTimeout(240_000)

const root = fileURLToPath(new URL('../..', import.meta.url))
const BOUND_MS = 60_000

const deno = denoPath()
const runtimes = [
  { name: 'node', command: process.execPath, args: () => [], skip: false },
  {
    ...{ name: 'deno', command: deno ?? '', skip: deno === undefined && 'there is no Deno: .ci/run fetches it' },
    args: (data: string) => ['run', ...denoPermissions(root, data)],
  },
]

const line = JSON.stringify({
  ...{ language: 'en', lemma: 'serendipity', partOfSpeech: 'noun', licence: 'CC0-1.0' },
  senses: [{ gloss: 'a lucky find' }],
})

const json = async (url: string, init?: RequestInit): Promise<{ status: number; body: unknown }> => {
  const answer = await fetch(url, { signal: AbortSignal.timeout(20_000), ...init })
  return { status: answer.status, body: await answer.json() }
}

for (const { name, command, args, skip } of runtimes)
  t.test(`${name} starts, serves, writes and stops`, { timeout: BOUND_MS + 20_000, skip }, async t => {
    const data = temporaryFolder(t)
    const file = join(data, 'words.ndjson')
    writeFileSync(file, `${line}\n`)
    t.match(await lexichron(data, ['import', 'ndjson', file]), { code: 0 })
    const issued = await lexichron(data, ['token', 'create', '--role', 'contributor', '--for', 'runtimes'])
    t.equal(issued.code, 0, issued.err)

    // What tap puts into the environment of a Node is not for another runtime.
    const { NODE_V8_COVERAGE: _, ...environment } = environmentFor(data)
    const env = name === 'node' ? environmentFor(data) : { ...environment, NODE_OPTIONS: '', HOME: data }
    const service = spawn(command, [...args(data), join(root, 'src/main.ts'), 'serve', '--json'], {
      ...{ cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] },
    })
    let [out, err] = ['', '']
    const ended = new Promise<number | null>(done => service.once('close', done))
    const bound = setTimeout(() => service.kill('SIGKILL'), BOUND_MS)
    t.teardown(() => {
      clearTimeout(bound)
      service.kill('SIGKILL')
    })
    service.stderr.on('data', chunk => {
      err += String(chunk)
    })
    const url = await new Promise<string>((listening, failed) => {
      service.stdout.on('data', chunk => {
        out += String(chunk)
        const address = /\{"listening":"([^"]+)"\}/.exec(out)?.[1]
        if (address !== undefined) listening(address)
      })
      void ended.then(code => failed(new Error(`ended with ${code}: ${err}`)))
    })

    t.match(await json(`${url}/health/ready`), { status: 200, body: { status: 'ready' } })
    t.match(await json(`${url}/health`), { status: 200, body: { state: 'ok' } }, 'every part, the disk too')
    const docs = await fetch(`${url}/docs`, { signal: AbortSignal.timeout(20_000) })
    t.match(docs, { status: 200 })
    t.match(await docs.text(), 'swagger-ui', 'files of a dependency')
    t.match(await json(`${url}/v1/search?q=serendipty`), {
      status: 200,
      body: { items: [{ entry: { lemma: 'serendipity' }, matched: 'fuzzy', distance: 1 }] },
    })
    const drafted = await json(`${url}/v1/entries`, {
      method: 'POST',
      headers: { authorization: `Bearer ${issued.out.trim()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ language: 'de', lemma: 'Straße', partOfSpeech: 'noun' }),
    })
    // Ids are made from names, and have to come out alike on every runtime.
    t.match(drafted, { status: 201, body: { id: '7e0dc63f-77f8-53b9-b5b2-271a040b6596', revision: '0' } })
    for (const file of ['events.db', 'read.db'])
      t.equal(statSync(join(data, file)).mode & 0o077, 0, `${file} is its owner's alone`)
    service.kill('SIGTERM')
    t.equal(await ended, 0, 'closes by itself when told to')
  })
