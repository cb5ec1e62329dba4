/** The two tiers of the tests, told by where a file lies. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

/**
 * `fast`: in this process, the same at each run, nothing killed, no engine of others. `service`: real processes, engines,
 * faults, browsers, the commands of the documents.
 */
export type Tier = 'fast' | 'service'

const SERVICE =
  /^tests\/(?:service|faults|docs|attacks\/cost)\/|^tests\/contracts\/.*-(?:mongodb|redis|eventstoredb)\.test\.ts$/

export const tierOf = (file: string): Tier => (SERVICE.test(file) ? 'service' : 'fast')

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
  return [...text.matchAll(/from '(\.\/[^']+)'/g)].some(([, beside = '']) =>
    readFileSync(join(root, dirname(file), beside), 'utf8').includes('support/property.ts'),
  )
}
