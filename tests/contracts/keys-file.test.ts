import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openFileKeys } from '../../src/adapters/keys/file.ts'
import { KeysError } from '../../src/ports/keys.ts'
import { fakeClock } from '../support/clocks.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'
import { keysContract } from './keys.ts'

const temporary = (t: Test): string => join(temporaryFolder(t), 'data', 'keys')

keysContract(t, 'files', async t => {
  const folder = temporary(t)
  return { open: clock => openFileKeys({ folder, randomBytes, clock }) }
})

const open = async (t: Test, folder = temporary(t)) => {
  const clock = fakeClock()
  const keys = await openFileKeys({ folder, randomBytes, clock })
  t.teardown(() => keys.close())
  return { folder, clock, keys }
}
const all = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .map(each => join(each.parentPath, each.name))
    .sort()
const files = (folder: string): string[] =>
  all(folder).filter(path => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
const only = (paths: readonly string[]): string => {
  const [first, ...rest] = paths
  if (first === undefined || rest.length > 0) throw new Error(`${paths.length} files`)
  return first
}

const fill = async (t: Test) => {
  const opened = await open(t)
  const { keys, clock } = opened
  const document = await keys.take()
  await keys.subject('subject:somebody@example.org')
  await keys.secret('cursor')
  await keys.signing(clock.now())
  return { ...opened, document }
}

t.test('files are for their owner only, whole, and tell nothing by their names', async t => {
  const { folder } = await fill(t)
  for (const path of [folder, ...all(folder)])
    t.equal(statSync(path).mode & 0o777, statSync(path).isDirectory() ? 0o700 : 0o600, path)
  t.equal(files(folder).length, 4, 'and nothing is left over from writing them')
  t.notMatch(files(folder).join(), /somebody/)
})

t.test('a destroyed secret is no longer in the file', async t => {
  const { folder, keys, document } = await fill(t)
  const path = only(files(join(folder, 'document')))
  t.ok(readFileSync(path).includes(Buffer.from(document.secret)))
  await keys.destroy(document.name)
  t.notOk(readFileSync(path).includes(Buffer.from(document.secret)))
  const subject = await keys.subject('subject:x')
  if (subject === 'destroyed') return t.fail('destroyed')
  await keys.destroy('subject:x')
  t.notOk(files(folder).some(file => readFileSync(file).includes(Buffer.from(subject.secret))))
})

t.test('a batch is made ahead of need, before the last one is used up', async t => {
  const { folder, keys } = await open(t)
  const batches = () => files(join(folder, 'document')).filter(path => path.endsWith('.keys')).length
  for (let n = 0; n < 191; n += 1) await keys.take()
  t.equal(batches(), 1)
  await keys.take()
  await until('the next batch', () => batches() >= 2)
  for (let n = 0; n < 64; n += 1) await keys.take()
  t.equal(batches(), 2)
})

t.test('damaged, lost or exposed files are told by name, never taken for removed text', async t => {
  const { folder, keys, document, clock } = await fill(t)
  const batch = only(files(join(folder, 'document')))
  const whole = readFileSync(batch)
  const names = new Set([document.name])
  /** What a process that has nothing in memory says. */
  const fresh = async (use: (keys: Awaited<ReturnType<typeof openFileKeys>>) => Promise<unknown>) => {
    const other = await openFileKeys({ folder, randomBytes, clock })
    try {
      return await use(other).then(
        () => 'fine',
        (error: unknown) => (error instanceof KeysError ? `${error.code}: ${error.message}` : error),
      )
    } finally {
      await other.close()
    }
  }
  const find = () => fresh(keys => keys.find(names))
  t.equal(await find(), 'fine')

  const flipped = Buffer.from(whole)
  flipped[64] = (flipped[64] ?? 0) ^ 1
  writeFileSync(batch, flipped)
  t.match(await find(), /^corrupt: .*\.keys is damaged at key 0/)
  t.match(await fresh(keys => keys.destroy(document.name)), /^corrupt: /)
  truncateSync(batch, 200)
  t.match(await find(), /^corrupt: .*\.keys is damaged/)
  writeFileSync(batch, 'something else')
  t.match(await find(), /^corrupt: /)
  chmodSync(batch, 0o640)
  t.match(await find(), /^corrupt: Others may read .*mode 640.*0600/)
  rmSync(batch)
  t.match(await find(), /^corrupt: .*is missing: restore it/)
  t.match(await fresh(keys => keys.destroy(document.name)), /^corrupt: .*is missing/)
  await clock.advance(1000)
  await t.rejects(keys.find(names), { code: 'corrupt' }, 'a process that had it in memory notices')
  t.match(await fresh(keys => keys.find(new Set(['document:none.1']))), /^corrupt: /, 'a name that is no name')

  const secret = only(files(join(folder, 'secret')))
  writeFileSync(secret, readFileSync(secret).fill(0, 64))
  t.match(await fresh(keys => keys.secret('cursor')), /^corrupt: .*cursor\.key holds no secret/)
  const signing = only(files(join(folder, 'signing')))
  const pair: unknown = JSON.parse(readFileSync(signing, 'utf8'))
  for (const text of [
    '{',
    'null',
    '{"kid":"x"}',
    JSON.stringify({ ...Object(pair), publicKey: 'none' }),
    JSON.stringify({ ...Object(pair), activeFrom: 'soon' }),
  ]) {
    writeFileSync(signing, text)
    t.match(await fresh(keys => keys.signing(clock.now())), /^corrupt: The signing key .*first\.json is damaged/, text)
  }
  rmSync(join(folder, 'document'), { recursive: true })
  writeFileSync(join(folder, 'document'), '')
  await t.rejects(openFileKeys({ folder, randomBytes, clock }), { code: 'unavailable' })
})

t.test('a signing key that has left is no longer on the disk', async t => {
  const { folder, keys, clock } = await fill(t)
  const count = () => files(join(folder, 'signing')).length
  const at = (hours: number) => new Date(clock.now().getTime() + hours * 3_600_000)
  await keys.rotate(at(0))
  await keys.rotate(at(24))
  t.equal(count(), 3, 'tokens of the first may still be about')
  await keys.rotate(at(49))
  t.equal(count(), 2, 'the first two left at 24:10 and 48:10')
})

t.test('a folder that others may read is refused at the start', async t => {
  const { folder, clock } = await open(t)
  chmodSync(folder, 0o755)
  await t.rejects(openFileKeys({ folder, randomBytes, clock }), { code: 'corrupt', message: /mode 755.*0700/ })
  chmodSync(folder, 0o700)
  chmodSync(join(folder, 'secret'), 0o750)
  await t.rejects(openFileKeys({ folder, randomBytes, clock }), { code: 'corrupt', message: /secret.*0700/ })
})

t.test('keys that cannot be made are an error that tells why, and later they can', async t => {
  const { folder, keys } = await open(t)
  rmSync(join(folder, 'document'), { recursive: true })
  await t.rejects(keys.take(), { name: 'KeysError', code: 'unavailable', message: /ENOENT/ })
  await openFileKeys({ folder, randomBytes, clock: fakeClock() })
  t.ok(await keys.take())
})

t.test('what a killed process left half-written is swept once it is old', async t => {
  const { folder, clock } = await fill(t)
  const now = clock.now().getTime() / 1000
  for (const [name, age] of [
    ['old', 7200],
    ['new', 60],
  ] as const) {
    const path = join(folder, 'document', `${name}.tmp`)
    writeFileSync(path, 'half', { mode: 0o600 })
    utimesSync(path, now - age, now - age)
  }
  await openFileKeys({ folder, randomBytes, clock })
  t.same(
    readdirSync(join(folder, 'document')).filter(name => name.endsWith('.tmp')),
    ['new.tmp'],
  )
})
