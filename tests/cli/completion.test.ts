/** Completion in real shells. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { commands } from '../../src/adapters/cli/run.ts'
import { runLine } from '../support/command-line.ts'
import { runProcess } from '../support/processes.ts'
import { temporaryFolder } from '../support/service.ts'

const folder = temporaryFolder(t)
const script = async (shell: string): Promise<string> => {
  const { code, out } = await runLine(folder, ['completion', shell])
  if (code !== 0) throw new Error(`completion ${shell} ended with ${code}`)
  const path = join(folder, `lexichron.${shell}`)
  writeFileSync(path, out)
  return path
}

/** What is typed, with the last word to be completed, and what has to be offered, or must not be. */
const typed: readonly (readonly [words: readonly string[], offered: readonly string[], not: readonly string[]])[] = [
  [[''], [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? ''))], ['create']],
  [['im'], ['import'], ['export']],
  [['import', ''], ['wordnet', 'dictd', 'ndjson', 'stories', '--strict'], ['--role']],
  [['import', 'ndjson', '--s'], ['--source', '--strict'], ['--language']],
  [['token', ''], ['create', 'list', 'revoke'], ['rotate']],
  [['token', 'create', '--'], ['--role', '--for', '--expires', '--json'], ['--strict']],
  [['projections', ''], ['retry', '--json'], []],
  [['completion', ''], ['bash', 'zsh', 'fish'], []],
]

const inBash = async (path: string, words: readonly string[]): Promise<readonly string[]> => {
  const asked = ['lexichron', ...words].map(word => `'${word}'`).join(' ')
  const { code, out, err } = await runProcess('bash', [
    '--norc',
    '-c',
    `source ${path}; COMP_WORDS=(${asked}); COMP_CWORD=${words.length}; _lexichron; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ])
  if (code !== 0 || err !== '') throw new Error(err)
  return out.split('\n').filter(line => line !== '')
}

/** zsh completes on a terminal alone: what the script would add is told instead. */
const inZsh = async (path: string, words: readonly string[]): Promise<readonly string[]> => {
  const { code, out, err } = await runProcess('zsh', [
    '-f',
    '-c',
    `compdef() { :; }; _files() { :; }; source ${path}; compadd() { shift; printf '%s\\n' "$@"; }
     words=(lexichron ${words.map(word => `'${word}'`).join(' ')}); CURRENT=${words.length + 1}; _lexichron`,
  ])
  if (code !== 0 || err !== '') throw new Error(err)
  const last = words.at(-1) ?? ''
  return out.split('\n').filter(line => line !== '' && line.startsWith(last))
}

const inFish = async (path: string, words: readonly string[]): Promise<readonly string[]> => {
  const { code, out, err } = await runProcess('fish', [
    '--no-config',
    '-c',
    `source ${path}; complete -C 'lexichron ${words.join(' ')}'`,
  ])
  if (code !== 0) throw new Error(err)
  return out.split('\n').flatMap(line => line.split('\t')[0] ?? [])
}

const completers = { bash: inBash, zsh: inZsh, fish: inFish } as const

const lacks = (shell: string): string | false =>
  spawnSync(shell, ['-c', 'true']).status === 0 ? false : `${shell} is not installed: .ci/run installs it`

for (const shell of ['bash', 'zsh', 'fish'] as const)
  t.test(`${shell} completes commands, options and closed lists`, { skip: lacks(shell) }, async t => {
    const path = await script(shell)
    for (const [words, offered, not] of typed) {
      const found = await completers[shell](path, words)
      for (const each of offered) t.ok(found.includes(each), `${words.join(' ')}: ${each} of ${found.join(' ')}`)
      for (const each of not) t.notOk(found.includes(each), `${words.join(' ')}: no ${each}`)
    }
  })

t.test('files are offered where a command takes one', async t => {
  const path = await script('bash')
  mkdirSync(join(folder, 'words.d'))
  t.strictSame(await inBash(path, ['import', 'wordnet', join(folder, 'words')]), [join(folder, 'words.d')])
  t.strictSame(await inBash(path, ['verify', join(folder, 'words')]), [])
})

t.test('a shell that is not known is refused', async t => {
  t.match(await runLine(folder, ['completion', 'csh']), { code: 2, err: /shell csh is unknown: use bash, zsh, fish/ })
})
