/** The two tiers of the tests, told by where a file lies. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

/**
 * `fast`: in this process, the same at each run, nothing killed, no engine of others. `service`: real processes, engines,
 * faults, browsers, the commands of the documents.
 */
export type Tier = 'fast' | 'service'

const SERVICE =
  /^tests\/(?:service|faults|docs|attacks\/cost)\/|^tests\/contracts\/.*-(?:mongodb|redis|eventstoredb)\.test\.ts$/

export const tierOf = (file: string): Tier => (SERVICE.test(file) ? 'service' : 'fast')

/** Whether a file runs in one process with others, so that what they all load is loaded once: one that works in its own process alone. */
export const sharesProcess = (file: string): boolean => tierOf(file) === 'fast' || file.startsWith('tests/contracts/')

/** What takes longest, longest first: where no earlier run tells, these begin first, so that the end does not wait for one of them. */
const LONG = [
  'faults/matrix',
  'faults/disk',
  'service/mail',
  'service/containers',
  'faults/two-nodes',
  'faults/crash',
].map(name => `tests/${name}.test.ts`)

/** How long a file may take, to order them by, where no run has told yet. */
export const guessedSeconds = (file: string): number => {
  const at = LONG.indexOf(file)
  return at < 0 ? 0 : 1_000 - at
}

/** Every test file of the project, from its root, in order. */
export const testFiles = (root: string): readonly string[] =>
  readdirSync(join(root, 'tests'), { recursive: true, encoding: 'utf8' })
    .map(file => posix.join('tests', file.replaceAll('\\', '/')))
    .filter(file => file.endsWith('.test.ts'))
    .toSorted()

/** Whether a test file draws values, itself or in a suite beside it that it runs. */
export const hasProperties = (root: string, file: string): boolean => {
  const text = readFileSync(join(root, file), 'utf8')
  if (text.includes('support/property.ts')) return true
  const suites = [...text.matchAll(/from '(\.\/[^']+)'/g)].map(([, beside = '']) => join(root, dirname(file), beside))
  // What only looks like an import, in a test about imports, leads nowhere.
  return suites.some(suite => existsSync(suite) && readFileSync(suite, 'utf8').includes('support/property.ts'))
}

/** What runs on Deno as well: the API, the live feed and the contracts of the ports. Their processes are Node's own affair. */
export const denoFiles: readonly string[] = [
  'contracts/read-store-mongodb',
  'contracts/event-store-sqlite',
  'contracts/event-store-eventstoredb',
  'contracts/event-store-memory',
  'contracts/read-store-sqlite',
  'contracts/keys-mongodb',
  'contracts/jobs-sqlite',
  'contracts/jobs-mongodb',
  'contracts/cache-memory',
  'contracts/cache-redis',
  'api/conventions',
  'api/openapi',
  'api/history',
  'api/access-tokens',
  'api/analytics',
  'ws/live',
  'ws/edge',
  'ws/feed',
  'mail/mail',
  'faults/mongodb-sockets',
].map(name => `tests/${name}.test.ts`)
