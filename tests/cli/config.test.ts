import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { ConfigError, type Environment, loadConfig } from '../../src/config/load.ts'
import { masked, settings } from '../../src/config/settings.ts'
import { holds } from '../support/property.ts'

const cwd = '/srv/lexichron'
const faults = (environment: Environment): readonly string[] => {
  try {
    loadConfig(environment, cwd)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

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
    log: { level: 'debug', format: 'auto', to: 'stderr', fileMegabytes: 32, files: 14 },
    keyLifeMs: 90 * 24 * 60 * 60 * 1000,
    liveSockets: 100,
    nodeSockets: 20_000,
    limits: { reads: 600, suggest: 1200, search: 120, writes: 60, signIns: 10, streams: 2 },
  })
  t.strictSame(effective.map(each => each.name).toSorted(), Object.keys(settings).toSorted(), 'all settings are shown')
  t.ok(effective.every(each => each.from === 'default' && each.about !== ''))
  const frozen = loadConfig({}, cwd)
  t.ok(Object.isFrozen(frozen) && Object.isFrozen(frozen.limits) && Object.isFrozen(frozen.eventStore))
})

t.test('what is set is read', async t => {
  const config = loadConfig(
    {
      HOST: '::',
      PORT: '0',
      DATA_DIR: '/var/lib/lexichron',
      EVENT_STORE: 'sqlite:logs/e.db',
      LOG_LEVEL: 'warn',
      LOG_FORMAT: 'json',
      LOG_TO: 'both',
      LOG_FILE_MB: '5',
      LOG_FILES: '3',
      METRICS_PORT: '9100',
      KEY_DAYS: '30',

      READ_STORE: 'sqlite:///fast/read.db',
      KEYS: 'file:',
      CACHE: 'memory:',
      SAMPLE: 'none',
      LIMIT_WRITES: '1000',
      PUBLIC_URL: 'https://dictionary.example/',
      NODE_ENV: 'production',
      KEYS_SHARED: 'true',
      LIMIT_STREAMS: '',
      ALLOWED_ORIGINS: 'https://app.example, http://localhost:3000',
      TRUSTED_PROXIES: '10.0.0.0/8,::1,loopback',
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
    eventStore: { path: '/srv/lexichron/logs/e.db' },
    readStore: { path: '/fast/read.db' },
    keys: { path: '/var/lib/lexichron/keys' },
    publicUrl: 'https://dictionary.example',
    allowedOrigins: ['https://app.example', 'http://localhost:3000'],
    trustedProxies: ['10.0.0.0/8', '::1', 'loopback'],
    limits: { writes: 1000, streams: 2 },
    environment: 'production',
  })
  t.equal(config.settings.find(each => each.name === 'HOST')?.from, 'environment')
  t.equal(config.settings.find(each => each.name === 'LIMIT_STREAMS')?.from, 'default', 'empty counts as unset')
})

t.test("the level of the log follows the environment, and metrics do not take the service's port", async t => {
  const level = (environment: Environment) => loadConfig(environment, cwd).log.level
  t.equal(level({}), 'debug')
  t.equal(level({ NODE_ENV: 'production' }), 'info')
  t.equal(level({ NODE_ENV: 'test' }), 'warn')
  t.equal(level({ NODE_ENV: 'staging' }), 'info')
  t.equal(level({ NODE_ENV: 'production', LOG_LEVEL: 'trace' }), 'trace')
  t.match(faults({ METRICS_PORT: '8080' }).join(), 'METRICS_PORT is "8080": it is also PORT')
  t.equal(loadConfig({ METRICS_PORT: '0', PORT: '0' }, cwd).metricsPort, 0)
})

t.test('a sample only where nobody has said where the log is to be', async t => {
  const sample = (environment: Environment) => loadConfig(environment, cwd).sample
  t.equal(sample({}), 'wordnet')
  t.equal(sample({ NODE_ENV: 'development' }), 'wordnet')
  t.equal(sample({ NODE_ENV: 'production' }), 'none')
  t.equal(sample({ NODE_ENV: 'test' }), 'none')
  t.equal(sample({ EVENT_STORE: 'sqlite:' }), 'none')
  t.equal(sample({ EVENT_STORE: 'sqlite:', SAMPLE: 'wordnet', NODE_ENV: 'production' }), 'wordnet')
  t.equal(sample({ SAMPLE: 'none' }), 'none')
})

t.test('every fault is listed at once', async t => {
  const found = faults({
    PORT: '70000',
    HOST: 'a b',
    LOG_LEVEL: 'loud',
    SAMPLE: 'all',
    KEYS_SHARED: 'yes',
    LIMIT_READS: '-1',

    PUBLIC_URL: 'https://x.example/path',
    ALLOWED_ORIGINS: '*,https://a.example/',
    TRUSTED_PROXIES: '10.0.0.0/33',

    EVENT_STORE: 'postgres://x',
    READ_STORE: 'sqlite::memory:',
    CACHE: 'memory:x',
    MAIL: 'file:x?y',
    DATA_DIR: '\0',

    NODE_ENV: '1',
    METRICS_PORT: '99999',
    LOG_FORMAT: 'xml',
    LOG_TO: 'x',
    LOG_FILES: '0',
    KEY_DAYS: '',
    MASTER_KEY: 'abc',
  })
  const named = new Set(found.map(each => each.split(' ')[0]))
  t.strictSame(
    [...named].toSorted(),
    [
      'PORT',
      'HOST',
      'LOG_LEVEL',
      'SAMPLE',
      'KEYS_SHARED',
      'LIMIT_READS',
      'PUBLIC_URL',
      'ALLOWED_ORIGINS',
      'CACHE',
      'LOG_FORMAT',
      'LOG_TO',
      'LOG_FILES',
      'TRUSTED_PROXIES',
      'EVENT_STORE',
      'READ_STORE',
      'MAIL',
      'DATA_DIR',
      'NODE_ENV',
      'METRICS_PORT',
      'MASTER_KEY',
    ].toSorted(),
  )
  t.equal(found.filter(each => each.startsWith('ALLOWED_ORIGINS')).length, 2)
  t.match(
    found.find(each => each.startsWith('PORT')),
    'PORT is "70000": it has to be a whole number from 0 to 65535.',
  )
  t.notMatch(found.join('\n'), 'abc', 'a secret is not said')
})

t.test('engines by URL, and what would not be shared', async t => {
  const carried = (environment: Environment) => faults(environment).join('\n')
  t.notMatch(carried({ EVENT_STORE: 'esdb://admin:s3/cret@db:2113?tls=false' }), /s3/)
  t.match(carried({ EVENT_STORE: 'esdb+discover://db:2113' }), 'KEYS_SHARED=true')
  for (const url of ['esdb://db:2113', 'esdb+discover://admin:secret@db', 'kurrentdb://a,b,c?tls=true']) {
    const { eventStore } = loadConfig({ EVENT_STORE: url, KEYS_SHARED: 'true' }, '/srv')
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
    const said = carried({ EVENT_STORE: url, KEYS_SHARED: 'true' })
    t.match(said, /^EVENT_STORE is "/)
    t.match(said, says)
    t.notMatch(said, /hush@|:hush/)
  }
  const smtp = { MAIL: 'smtp://me:s3cret@mail:587', MAIL_FROM: 'Words <words@dictionary.example>' }
  t.match(loadConfig(smtp, cwd), { mail: { engine: 'smtp', url: smtp.MAIL }, mailFrom: smtp.MAIL_FROM })
  t.notMatch(JSON.stringify(loadConfig(smtp, cwd).settings), /s3cret/)
  t.match(carried({ MAIL: 'redis://mail' }), 'names no engine that can stand there')
  for (const [more, says] of [
    ['?tls=no', 'the option tls, which is not known'],
    ['?requireTLS=maybe', 'requireTLS, which is true or false'],
    ['/inbox', 'takes no path'],
  ] as const)
    t.match(carried({ ...smtp, MAIL: smtp.MAIL + more }), says)
  for (const [name, address] of [
    ['MAIL', 'smtp://me:se%zzcret@mail:587'],
    ['MAIL', 'smtp://me:se%ffcret@mail:587'],
    ['READ_STORE', 'mongodb://me:se%zzcret@db/words'],
    ['READ_STORE', 'mongodb://db/%zz'],
    ['KEYS', 'mongodb://db/%zz'],
    ['CACHE', 'redis://me:se%zzcret@cache'],
    ['EVENT_STORE', 'esdb://me:se%zzcret@log:2113'],
  ] as const) {
    const told = carried({ ...smtp, [name]: address })
    t.match(told, new RegExp(`${name} is `), `${name} ${address}`)
    t.notMatch(told, /cret/)
  }
  t.match(
    carried({ ALERT_MAIL: Array.from({ length: 1001 }, (_, n) => `a${n}@b.example`).join(',') }),
    'addresses separated by commas, 1000 at most',
  )
  t.match(carried({ ...smtp, MAIL: 'smtps://mail?requireTLS=false' }), 'is encrypted from the start')
  t.same(loadConfig({ ...smtp, MAIL: 'smtp://mail?requireTLS=false' }, cwd).mail.engine, 'smtp')
  const shell = loadConfig({ MAIL: '/var/mail/me' }, cwd)
  t.match(
    shell,
    { mail: { engine: 'files', path: '/srv/lexichron/data/outbox' } },
    'what login shells say is not about us',
  )
  for (const DEBUG of ['http,esdb:*', '*', 'es*', 'http e*:connection', 'esdb:connection', '-http,esdb*'])
    t.match(carried({ NODE_ENV: 'production', DEBUG }), 'its password', DEBUG)
  for (const DEBUG of ['', 'resdb', 'http,-esdb:*', 'esdb.*', 'esdb:x'])
    t.notMatch(carried({ NODE_ENV: 'production', DEBUG }), 'its password', DEBUG)
  t.match(carried({ CACHE: 'sqlite:x' }), 'no engine that can stand there')
  const key = Buffer.alloc(32, 1).toString('base64')
  const shared = { READ_STORE: 'mongodb+srv://db/x', KEYS: 'mongodb://me:s3cret@db/keys', MASTER_KEY: key }
  t.match(loadConfig(shared, cwd), { readStore: { engine: 'mongodb' }, keys: { engine: 'mongodb', masterKey: key } })
  t.match(carried({ KEYS: 'mongodb://me:s3cret@db/keys' }), /^KEYS names a database.*MASTER_KEY, which is not set/)
  t.match(carried({ MASTER_KEY: key }), /^MASTER_KEY is set, but it wraps keys in a database, and KEYS names a folder/)
  t.match(carried({ ...shared, READ_STORE: 'mongodb://db/keys?x=1' }), 'name the same database')
  t.match(carried({ READ_STORE: 'mongodb://' }), 'names no host')
  for (const url of ['redis:/nope', 'redis:nope', 'redis:///0', 'redis://me:s3cret@'])
    t.match(carried({ CACHE: url }), /^CACHE is .*it names no host/, url)
  t.notMatch(JSON.stringify(loadConfig(shared, cwd).settings), /s3cret|AQEB/)
  t.match(carried({ EVENT_STORE: 'sqlite:a.db', READ_STORE: 'sqlite:./a.db' }), 'the same file')
  t.match(carried({ EVENT_STORE: 'sqlite://host/x' }), 'names a host')
})

t.test('a setting as a file', async t => {
  const folder = t.testdir({ host: '127.0.0.2\n', empty: '\n' })
  const config = loadConfig({ HOST_FILE: join(folder, 'host') }, cwd)
  t.equal(config.host, '127.0.0.2')
  t.equal(config.settings.find(each => each.name === 'HOST')?.from, 'file')
  writeFileSync(join(folder, 'store'), 'sqlite:/x/y.db')
  const { sample } = loadConfig({ EVENT_STORE_FILE: join(folder, 'store') }, cwd)
  t.equal(sample, 'none', 'a log named in a file is named')
  t.match(faults({ HOST_FILE: join(folder, 'none') }), [/HOST_FILE names .*, which cannot be read \(ENOENT\)\./])
  t.match(faults({ HOST_FILE: join(folder, 'empty') }), [/HOST_FILE names .*, which is empty\./])
  t.match(faults({ HOST_FILE: folder }), [/EISDIR/])
  t.match(faults({ HOST: 'x', HOST_FILE: join(folder, 'host') }), [
    'HOST and HOST_FILE are both set: keep one of them.',
  ])
})

t.test('secrets are masked', async t => {
  t.equal(masked('MASTER_KEY', 'abc'), '***')
  t.equal(masked('MASTER_KEY', ''), '')
  t.equal(masked('MAIL', 'smtp://me:pa@ss@host:25'), 'smtp://me:***@host:25')
  t.equal(masked('MAIL', 'smtp:me:pass@host'), 'smtp:me:***@host')
  t.equal(masked('CACHE', 'redis://:pass@host'), 'redis://:***@host')
  t.equal(masked('CACHE', 'redis://token@host'), 'redis://***@host')
  t.equal(masked('EVENT_STORE', 'esdb://h?userCertPassword=x&tls=true'), 'esdb://h?userCertPassword=***&tls=true')
  t.equal(masked('KEYS', 'file:/a/keys'), 'file:/a/keys')
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
