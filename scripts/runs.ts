/** The newest whole run of each kind of tests, for what reads it afterwards: the coverage gate, the table of .ci/run. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FileRun } from './test-file.ts'

export const KINDS = ['fast', 'service', 'explore', 'deno'] as const
export type Kind = (typeof KINDS)[number]
export type Summary = { readonly runs: readonly FileRun[]; readonly unsteady: readonly string[] }

const pointerOf = (root: string, kind: Kind): string => join(root, '.tap', `last-${kind}`)

/** The folder of the newest run; undefined where there was none. */
export const newestRun = (root: string, kind: Kind): string | undefined => {
  try {
    return readFileSync(pointerOf(root, kind), 'utf8')
  } catch {
    return undefined
  }
}

/** Makes a run the newest, at once for whoever reads, and drops the one before. */
export const publishRun = (root: string, kind: Kind, folder: string): void => {
  const before = newestRun(root, kind)
  writeFileSync(`${folder}.pointer`, folder)
  renameSync(`${folder}.pointer`, pointerOf(root, kind))
  if (before !== undefined && before !== folder) rmSync(before, { recursive: true, force: true })
}

/** How the newest run went; undefined where there was none. */
export const lastSummary = (root: string, kind: Kind): Summary | undefined => {
  const folder = newestRun(root, kind)
  if (folder === undefined) return undefined
  try {
    // Written by this project's own runner alone.
    return JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8'))
  } catch {
    return undefined
  }
}
