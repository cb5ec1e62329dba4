/** Deno, where there is one: what DENO names, what .ci/run has fetched, or what stands on the PATH. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const fetched = fileURLToPath(new URL('../../.deno/node_modules/.bin/deno', import.meta.url))

export const denoPath = (): string | undefined => {
  const named = process.env['DENO']
  if (named !== undefined && named !== '') return named
  if (existsSync(fetched)) return fetched
  return spawnSync('deno', ['--version']).error ? undefined : 'deno'
}

/**
 * What the service may do on Deno, and no more: the flags of README.md's own command, for this data folder; relative paths
 * start from the repository. @throws when README.md has no such command.
 */
export const denoPermissions = (root: string, dataDir: string): readonly string[] => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8').replaceAll('\\\n', ' ')
  const flags = /^deno run (.*) src\/main\.ts serve$/m.exec(readme)?.[1]
  if (flags === undefined) throw new Error('README.md has no line `deno run ... src/main.ts serve`')
  return flags
    .trim()
    .replaceAll(/\bDATA\b/g, dataDir)
    .split(/\s+/)
}
