import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import type { Environment } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import { masked, settings } from '../../src/config/settings.ts'
import { holds } from '../support/property.ts'
import { faultsOf as settingFaults } from '../support/settings.ts'

const cwd = '/srv/lexichron'
const faults = (environment: Environment): readonly string[] => settingFaults(environment, cwd)

t.test('defaults', async t => {
  const { settings: effective, ...config } = loadConfig({}, cwd)
  t.strictSame(config, {
    host: '127.0.0.1',
    port: 8080,
    dataDir: '/srv/lexichron/data',
    eventStore: { engine: 'sqlite', path: '/srv/lexichron/data/events.db' },
    readStore: { engine: 'sqlite', path: '/srv/lexichron/data/read.db' },
    cache: { engine: 'memory' },
    keys: { engine: 'files', path: '/srv/lexichron/data/keys' },
    mail: { engine: 'files', path: '/srv/lexichron/data/outbox' },
    mailFrom: 'Lexichron <lexichron@localhost>',
    alertMail: [],
    sample: 'wordnet',
    environment: 'development',
    allowedOrigins: [],
    trustedProxies: [],
    openIdProviders: [],
    log: { level: 'info', format: 'auto', to: 'stderr', fileMegabytes: 32, files: 14 },
    keyLifeMs: 90 * 24 * 60 * 60 * 1000,
    keyBackupDays: 30,
    connections: 1_000,
    liveSockets: 100,
    liveReplays: 200,
    nodeSockets: 20_000,
    limits: {
      reads: 600,
      suggest: 1200,
      search: 120,
      writes: 60,
      signIns: 10,
      addressWork: 6_000,
      accountWork: 30_000,
      streams: 2,
      newComments: 3,
      reports: 20,
      reportsAbout: 5,
    },
    moderation: { hideWeight: 12, newLinks: 2, repeatMinutes: 6 },
  })
  t.strictSame(effective.map(each => each.name).toSorted(), Object.keys(settings).toSorted(), 'all settings are shown')
  t.ok(effective.every(each => each.from === 'default' && each.about !== ''))
  const frozen = loadConfig({}, cwd)
  t.ok(Object.isFrozen(frozen) && Object.isFrozen(frozen.limits) && Object.isFrozen(frozen.eventStore))
})

t.test('what is set is read', async t => {
  const config = loadConfig(
    {
      LEXICHRON_HOST: '::',
      PORT: '0',
      LEXICHRON_DATA_DIR: '/var/lib/lexichron',
      LEXICHRON_EVENT_STORE: 'sqlite:logs/e.db',
      LEXICHRON_LOG_LEVEL: 'warn',
      LEXICHRON_LOG_FORMAT: 'json',
      LEXICHRON_LOG_TO: 'both',
      LEXICHRON_LOG_FILE_MB: '5',
      LEXICHRON_LOG_FILES: '3',
      LEXICHRON_METRICS_PORT: '9100',
      LEXICHRON_KEY_DAYS: '30',
      LEXICHRON_KEY_BACKUP_DAYS: '7',

      LEXICHRON_READ_STORE: 'sqlite:///fast/read.db',
      LEXICHRON_KEYS: 'file:',
      LEXICHRON_CACHE: 'memory:',
      LEXICHRON_SAMPLE: 'none',
      LEXICHRON_LIMIT_WRITES: '1000',
      LEXICHRON_PUBLIC_URL: 'https://dictionary.example/',
      NODE_ENV: 'production',
      LEXICHRON_KEYS_SHARED: 'true',
      LEXICHRON_LIMIT_STREAMS: '',
      LEXICHRON_ALLOWED_ORIGINS: 'https://app.example, http://localhost:3000',
      LEXICHRON_TRUSTED_PROXIES: '10.0.0.0/8,::1,loopback',
    },
    cwd,
  )
  t.match(config, {
    host: '::',
    port: 0,
    dataDir: '/var/lib/lexichron',
    sample: 'none',
    log: { level: 'warn', format: 'json', to: 'both', fileMegabytes: 5, files: 3 },
    metricsPort: 9100,
    keyLifeMs: 30 * 24 * 60 * 60 * 1000,
    keyBackupDays: 7,
    eventStore: { path: '/srv/lexichron/logs/e.db' },
    readStore: { path: '/fast/read.db' },
    keys: { path: '/var/lib/lexichron/keys' },
    publicUrl: 'https://dictionary.example',
    allowedOrigins: ['https://app.example', 'http://localhost:3000'],
    trustedProxies: ['10.0.0.0/8', '::1', 'loopback'],
    limits: { writes: 1000, streams: 2 },
    environment: 'production',
  })
  t.equal(config.settings.find(each => each.name === 'LEXICHRON_HOST')?.from, 'environment')
  t.equal(
    config.settings.find(each => each.name === 'LEXICHRON_LIMIT_STREAMS')?.from,
    'default',
    'empty counts as unset',
  )
})

t.test('proxies that would be everybody are refused', async t => {
  const proxies = (value: string) => () => loadConfig({ LEXICHRON_TRUSTED_PROXIES: value }, cwd)
  const blocks = Array.from({ length: 17 }, (_, n) => `${n + 20}.0.0.0/8`).join()
  for (const all of [
    '0.0.0.0/0',
    '::/0',
    '10.0.0.1,0.0.0.0/0',
    '0.0.0.0/00',
    '0.0.0.0/1,128.0.0.0/1',
    '::/1,8000::/1',
    '0.0.0.0/1',
    '::/1',
    '::ffff:0:0/96',
    '::ffff:0.0.0.0/97',
    '2000::/3',
    '2a00::/12',
    'fe80::1%eth0',
    blocks,
  ])
    t.throws(proxies(all), /LEXICHRON_TRUSTED_PROXIES/, all)
  for (const some of [
    '10.0.0.0/8',
    '10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7,fe80::/10,::1',
    'loopback,linklocal,uniquelocal',
    '::ffff:10.0.0.0/104',
    '2400:cb00::/32,2606:4700::/32',
    Array.from({ length: 40 }, () => '10.0.0.0/8').join(),
  ])
    t.doesNotThrow(proxies(some), some)
})

t.test("the level of the log follows the environment, and metrics do not take the service's port", async t => {
  const level = (environment: Environment) => loadConfig(environment, cwd).log.level
  t.equal(level({}), 'info')
  t.equal(level({ NODE_ENV: 'production' }), 'info')
  t.equal(level({ NODE_ENV: 'test' }), 'warn')
  t.equal(level({ NODE_ENV: 'staging' }), 'info')
  t.equal(level({ NODE_ENV: 'production', LEXICHRON_LOG_LEVEL: 'trace' }), 'trace')
  t.match(
    faults({ LEXICHRON_METRICS_PORT: '8080' }).join(),
    'LEXICHRON_METRICS_PORT is "8080": it is also LEXICHRON_PORT',
  )
  t.equal(loadConfig({ LEXICHRON_METRICS_PORT: '0', PORT: '0' }, cwd).metricsPort, 0)
})

t.test('a sample only where nobody has said where the log is to be', async t => {
  const sample = (environment: Environment) => loadConfig(environment, cwd).sample
  t.equal(sample({}), 'wordnet')
  t.equal(sample({ NODE_ENV: 'development' }), 'wordnet')
  t.equal(sample({ NODE_ENV: 'production' }), 'none')
  t.equal(sample({ NODE_ENV: 'test' }), 'none')
  t.equal(sample({ LEXICHRON_EVENT_STORE: 'sqlite:' }), 'none')
  t.equal(sample({ LEXICHRON_EVENT_STORE: 'sqlite:', LEXICHRON_SAMPLE: 'wordnet', NODE_ENV: 'production' }), 'wordnet')
  t.equal(sample({ LEXICHRON_SAMPLE: 'none' }), 'none')
})

t.test('every fault is listed at once', async t => {
  const found = faults({
    PORT: '70000',
    LEXICHRON_HOST: 'a b',
    LEXICHRON_LOG_LEVEL: 'loud',
    LEXICHRON_SAMPLE: 'all',
    LEXICHRON_KEYS_SHARED: 'yes',
    LEXICHRON_LIMIT_READS: '-1',

    LEXICHRON_PUBLIC_URL: 'https://x.example/path',
    LEXICHRON_ALLOWED_ORIGINS: '*,https://a.example/',
    LEXICHRON_TRUSTED_PROXIES: '10.0.0.0/33',

    LEXICHRON_EVENT_STORE: 'postgres://x',
    LEXICHRON_READ_STORE: 'sqlite::memory:',
    LEXICHRON_CACHE: 'memory:x',
    LEXICHRON_MAIL: 'file:x?y',
    LEXICHRON_DATA_DIR: '\0',

    NODE_ENV: '1',
    LEXICHRON_METRICS_PORT: '99999',
    LEXICHRON_LOG_FORMAT: 'xml',
    LEXICHRON_LOG_TO: 'x',
    LEXICHRON_LOG_FILES: '0',
    LEXICHRON_KEY_DAYS: '',
    LEXICHRON_MASTER_KEY: 'abc',
  })
  const named = new Set(found.map(each => each.split(' ')[0]))
  t.strictSame(
    [...named].toSorted(),
    [
      'PORT',
      'LEXICHRON_HOST',
      'LEXICHRON_LOG_LEVEL',
      'LEXICHRON_SAMPLE',
      'LEXICHRON_KEYS_SHARED',
      'LEXICHRON_LIMIT_READS',
      'LEXICHRON_PUBLIC_URL',
      'LEXICHRON_ALLOWED_ORIGINS',
      'LEXICHRON_CACHE',
      'LEXICHRON_LOG_FORMAT',
      'LEXICHRON_LOG_TO',
      'LEXICHRON_LOG_FILES',
      'LEXICHRON_TRUSTED_PROXIES',
      'LEXICHRON_EVENT_STORE',
      'LEXICHRON_READ_STORE',
      'LEXICHRON_MAIL',
      'LEXICHRON_DATA_DIR',
      'NODE_ENV',
      'LEXICHRON_METRICS_PORT',
      'LEXICHRON_MASTER_KEY',
    ].toSorted(),
  )
  t.equal(found.filter(each => each.startsWith('LEXICHRON_ALLOWED_ORIGINS')).length, 2)
  t.match(
    found.find(each => each.startsWith('PORT')),
    'PORT is "70000": it has to be a whole number from 0 to 65535.',
  )
  t.notMatch(found.join('\n'), 'abc', 'a secret is not said')
})

t.test('engines by URL, and what would not be shared', async t => {
  const carried = (environment: Environment) => faults(environment).join('\n')
  t.notMatch(carried({ LEXICHRON_EVENT_STORE: 'esdb://admin:s3/cret@db:2113?tls=false' }), /s3/)
  t.match(carried({ LEXICHRON_EVENT_STORE: 'esdb+discover://db:2113' }), 'LEXICHRON_KEYS_SHARED=true')
  for (const url of ['esdb://db:2113', 'esdb+discover://admin:secret@db', 'kurrentdb://a,b,c?tls=true']) {
    const { eventStore } = loadConfig({ LEXICHRON_EVENT_STORE: url, LEXICHRON_KEYS_SHARED: 'true' }, '/srv')
    t.same(eventStore, { engine: 'eventstoredb', url })
  }
  for (const [url, says] of [
    ['esdb://me:hush@db:x', /names a host that is not host or host:port/],
    ['esdb://me@db', /has a login that is not user:password/],
    ['esdb://db?tsl=false', /has the option tsl, which is not known/],
    ['esdb://db?keepAliveInterval=1', /keepAliveInterval, which has to be a whole number from 10000 up/],
    ['esdb://me?hush@db', /something after the \? that is not option=value/],
    ['esdb://me:hush', /names a host that is not/],
  ] as const) {
    const said = carried({ LEXICHRON_EVENT_STORE: url, LEXICHRON_KEYS_SHARED: 'true' })
    t.match(said, /^LEXICHRON_EVENT_STORE is "/)
    t.match(said, says)
    t.notMatch(said, /hush@|:hush/)
  }
  const smtp = { LEXICHRON_MAIL: 'smtp://me:s3cret@mail:587', LEXICHRON_MAIL_FROM: 'Words <words@dictionary.example>' }
  t.match(loadConfig(smtp, cwd), {
    mail: { engine: 'smtp', url: smtp.LEXICHRON_MAIL },
    mailFrom: smtp.LEXICHRON_MAIL_FROM,
  })
  t.notMatch(JSON.stringify(loadConfig(smtp, cwd).settings), /s3cret/)
  t.match(carried({ LEXICHRON_MAIL: 'redis://mail' }), 'names no engine that can stand there')
  for (const [more, says] of [
    ['?tls=no', 'the option tls, which is not known'],
    ['?requireTLS=maybe', 'requireTLS, which is true or false'],
    ['/inbox', 'takes no path'],
  ] as const)
    t.match(carried({ ...smtp, LEXICHRON_MAIL: smtp.LEXICHRON_MAIL + more }), says)
  for (const [name, address] of [
    ['LEXICHRON_MAIL', 'smtp://me:se%zzcret@mail:587'],
    ['LEXICHRON_MAIL', 'smtp://me:se%ffcret@mail:587'],
    ['LEXICHRON_READ_STORE', 'mongodb://me:se%zzcret@db/words'],
    ['LEXICHRON_READ_STORE', 'mongodb://db/%zz'],
    ['LEXICHRON_KEYS', 'mongodb://db/%zz'],
    ['LEXICHRON_CACHE', 'redis://me:se%zzcret@cache'],
    ['LEXICHRON_EVENT_STORE', 'esdb://me:se%zzcret@log:2113'],
  ] as const) {
    const told = carried({ ...smtp, [name]: address })
    t.match(told, new RegExp(`${name} is `), `${name} ${address}`)
    t.notMatch(told, /cret/)
  }
  t.match(
    carried({ LEXICHRON_ALERT_MAIL: Array.from({ length: 1001 }, (_, n) => `a${n}@b.example`).join(',') }),
    'addresses separated by commas, 1000 at most',
  )
  t.match(carried({ ...smtp, LEXICHRON_MAIL: 'smtps://mail?requireTLS=false' }), 'is encrypted from the start')
  t.same(loadConfig({ ...smtp, LEXICHRON_MAIL: 'smtp://mail?requireTLS=false' }, cwd).mail.engine, 'smtp')
  for (const DEBUG of ['http,esdb:*', '*', 'es*', 'http e*:connection', 'esdb:connection', '-http,esdb*'])
    t.match(carried({ NODE_ENV: 'production', DEBUG }), 'its password', DEBUG)
  for (const DEBUG of ['', 'resdb', 'http,-esdb:*', 'esdb.*', 'esdb:x'])
    t.notMatch(carried({ NODE_ENV: 'production', DEBUG }), 'its password', DEBUG)
  t.match(carried({ LEXICHRON_CACHE: 'sqlite:x' }), 'no engine that can stand there')
  const key = Buffer.alloc(32, 1).toString('base64')
  const shared = {
    LEXICHRON_READ_STORE: 'mongodb+srv://db/x',
    LEXICHRON_KEYS: 'mongodb://me:s3cret@db/keys',
    LEXICHRON_MASTER_KEY: key,
  }
  t.match(loadConfig(shared, cwd), { readStore: { engine: 'mongodb' }, keys: { engine: 'mongodb', masterKey: key } })
  t.match(
    carried({ LEXICHRON_KEYS: 'mongodb://me:s3cret@db/keys' }),
    /^LEXICHRON_KEYS names a database.*LEXICHRON_MASTER_KEY, which is not set/,
  )
  t.match(
    carried({ LEXICHRON_MASTER_KEY: key }),
    /^LEXICHRON_MASTER_KEY is set, but it wraps keys in a database, and LEXICHRON_KEYS names a folder/,
  )
  t.match(carried({ ...shared, LEXICHRON_READ_STORE: 'mongodb://db/keys?x=1' }), 'name the same database')
  t.match(carried({ LEXICHRON_READ_STORE: 'mongodb://' }), 'names no host')
  for (const url of ['redis:/nope', 'redis:nope', 'redis:///0', 'redis://me:s3cret@'])
    t.match(carried({ LEXICHRON_CACHE: url }), /^LEXICHRON_CACHE is .*it names no host/, url)
  t.notMatch(JSON.stringify(loadConfig(shared, cwd).settings), /s3cret|AQEB/)
  t.match(carried({ LEXICHRON_EVENT_STORE: 'sqlite:a.db', LEXICHRON_READ_STORE: 'sqlite:./a.db' }), 'the same file')
  t.match(carried({ LEXICHRON_EVENT_STORE: 'sqlite://host/x' }), 'names a host')
})

t.test('what others export is not about us, but for PORT and NODE_ENV', async t => {
  const others: Environment = {
    MAIL: '/var/mail/me',
    HOST: 'x86_64-conda-linux-gnu',
    CACHE: '/home/me/.cache',
    KEYS: 'vi',
    DATA_DIR: '/somewhere/else',
    SAMPLE: '1',
    LOG_LEVEL: 'loud',
    HOST_FILE: '/none',
    PORT_FILE: '/none',
    NODE_ENV_FILE: '/none',
    OPENID_GOOGLE_CLIENT_ID: 'x',
    lexichron_port: 'x',
    XLEXICHRON_PORT: 'x',
    LEXICHRON: 'x',
  }
  t.strictSame(loadConfig(others, cwd), loadConfig({}, cwd))
  const plain = loadConfig({ PORT: '1', NODE_ENV: 'production' }, cwd)
  t.match(plain, { port: 1, environment: 'production' })
  t.match(
    plain.settings.filter(each => each.from === 'environment'),
    [{ name: 'LEXICHRON_PORT' }, { name: 'LEXICHRON_NODE_ENV' }],
  )
  const both = { PORT: 'x', LEXICHRON_PORT: '2', NODE_ENV: '1', LEXICHRON_NODE_ENV: 'test' }
  t.match(loadConfig(both, cwd), { port: 2, environment: 'test' }, 'the prefixed name comes first')
  t.equal(loadConfig({ PORT: '3', LEXICHRON_PORT: '' }, cwd).port, 3, 'empty counts as unset')
  t.match(faults({ LEXICHRON_PORT: 'x', PORT: '1' }), [/^LEXICHRON_PORT is "x"/])
  t.match(faults({ PORT: 'x' }), [/^PORT is "x"/], 'a fault names the variable')
})

t.test('an unknown name with the prefix is a fault that names the nearest one', async t => {
  const nearest = (name: string): string => {
    const [fault = '', ...more] = faults({ [name]: 's3cret' })
    t.strictSame(more, [])
    t.notMatch(fault, 's3cret')
    return /^(?:\S+) is no setting: the nearest one is (\w+)\.$/.exec(fault)?.[1] ?? fault
  }
  t.equal(nearest('LEXICHRON_KEYZ'), 'LEXICHRON_KEYS')
  t.equal(nearest('LEXICHRON_DATADIR'), 'LEXICHRON_DATA_DIR')
  t.equal(nearest('LEXICHRON_EVNET_STORE'), 'LEXICHRON_EVENT_STORE')
  t.equal(nearest('LEXICHRON_Port'), 'LEXICHRON_PORT')
  t.equal(nearest('LEXICHRON_MASTER_KEY_FIEL'), 'LEXICHRON_MASTER_KEY_FILE')
  t.equal(nearest('LEXICHRON_LIMIT_READS_FILE_FILE'), 'LEXICHRON_LIMIT_READS_FILE')
  t.match(nearest('LEXICHRON_'), /^LEXICHRON_[A-Z_]+$/)
  t.match(faults({ 'LEXICHRON_\u001b[2J': 'x' }), [/^"LEXICHRON_\\u001b\[2J" is no setting/])
  t.strictSame(faults({ LEXICHRON_KEYZ: '' }), [], 'empty counts as unset')
  t.match(faults({ LEXICHRON_KEYZ: 'x', LEXICHRON_HSOT: 'x', PORT: 'x' }), [
    /^PORT/,
    /^LEXICHRON_KEYZ/,
    /^LEXICHRON_HSOT/,
  ])
  const provider = {
    LEXICHRON_PUBLIC_URL: 'https://words.example',
    LEXICHRON_OPENID_PROVIDERS: 'corporate',
    LEXICHRON_OPENID_CORPORATE_ISSUER: 'https://login.example',
    LEXICHRON_OPENID_CORPORATE_CLIENT_ID: 'us',
  }
  t.match(
    faults({ ...provider, LEXICHRON_OPENID_CORPORATE_SECRET: 's3cret' }),
    [
      'LEXICHRON_OPENID_CORPORATE_SECRET is no setting: the nearest one is LEXICHRON_OPENID_CORPORATE_ISSUER.',
      /^LEXICHRON_OPENID_CORPORATE_CLIENT_SECRET is not set/,
    ],
    'settings of the providers that are named are among them',
  )
  t.strictSame(faults({ ...provider, LEXICHRON_OPENID_CORPORATE_CLIENT_SECRET: 's3cret-of-ours' }), [])
  t.match(faults({ LEXICHRON_OPENID_OTHER_ISSUER: 'https://x.example' }), [/names no such provider/])
})

t.test('what Kubernetes says of a service with our name is no setting', async t => {
  const links = {
    LEXICHRON_SERVICE_HOST: '10.0.0.11',
    LEXICHRON_SERVICE_PORT: '80',
    LEXICHRON_SERVICE_PORT_HTTP: '80',
    LEXICHRON_PORT: 'tcp://10.0.0.11:80',
    LEXICHRON_PORT_80_TCP: 'tcp://10.0.0.11:80',
    LEXICHRON_PORT_80_TCP_PROTO: 'tcp',
    LEXICHRON_PORT_80_TCP_PORT: '80',
    LEXICHRON_PORT_80_TCP_ADDR: '10.0.0.11',
    LEXICHRON_METRICS_SERVICE_HOST: '10.0.0.12',
    LEXICHRON_METRICS_PORT: 'tcp://10.0.0.12:9464',
    LEXICHRON_METRICS_PORT_9464_TCP: 'tcp://10.0.0.12:9464',
  }
  t.strictSame(loadConfig(links, cwd), loadConfig({}, cwd))
  t.equal(loadConfig({ ...links, PORT: '9000' }, cwd).port, 9000)
})

t.test('a setting as a file', async t => {
  const folder = t.testdir({ host: '127.0.0.2\n', empty: '\n' })
  const config = loadConfig({ LEXICHRON_HOST_FILE: join(folder, 'host') }, cwd)
  t.equal(config.host, '127.0.0.2')
  t.equal(config.settings.find(each => each.name === 'LEXICHRON_HOST')?.from, 'file')
  writeFileSync(join(folder, 'store'), 'sqlite:/x/y.db')
  const { sample } = loadConfig({ LEXICHRON_EVENT_STORE_FILE: join(folder, 'store') }, cwd)
  t.equal(sample, 'none', 'a log named in a file is named')
  t.match(faults({ LEXICHRON_HOST_FILE: join(folder, 'none') }), [
    /LEXICHRON_HOST_FILE names .*, which cannot be read \(ENOENT\)\./,
  ])
  t.match(faults({ LEXICHRON_HOST_FILE: join(folder, 'empty') }), [/LEXICHRON_HOST_FILE names .*, which is empty\./])
  t.match(faults({ LEXICHRON_HOST_FILE: folder }), [/EISDIR/])
  t.match(faults({ LEXICHRON_HOST: 'x', LEXICHRON_HOST_FILE: join(folder, 'host') }), [
    'LEXICHRON_HOST and LEXICHRON_HOST_FILE are both set: keep one of them.',
  ])
})

t.test('secrets are masked', async t => {
  t.equal(masked('LEXICHRON_MASTER_KEY', 'abc'), '***')
  t.equal(masked('LEXICHRON_MASTER_KEY', ''), '')
  t.equal(masked('LEXICHRON_MAIL', 'smtp://me:pa@ss@host:25'), 'smtp://me:***@host:25')
  t.equal(masked('LEXICHRON_MAIL', 'smtp:me:pass@host'), 'smtp:me:***@host')
  t.equal(masked('LEXICHRON_CACHE', 'redis://:pass@host'), 'redis://:***@host')
  t.equal(masked('LEXICHRON_CACHE', 'redis://token@host'), 'redis://***@host')
  t.equal(
    masked('LEXICHRON_EVENT_STORE', 'esdb://h?userCertPassword=x&tls=true'),
    'esdb://h?userCertPassword=***&tls=true',
  )
  t.equal(masked('LEXICHRON_KEYS', 'file:/a/keys'), 'file:/a/keys')
})

t.test('no text makes it throw anything but its faults', async t => {
  const names = Object.keys(settings)
  holds(
    fc.property(fc.dictionary(fc.constantFrom(...names), fc.string({ unit: 'binary' })), environment => {
      for (const fault of faults(environment)) if (!/^[A-Z_]+ /.test(fault)) return false
      return true
    }),
    300,
  )
  t.pass('300 environments')
})
