/** `lexichron completion`: what a shell needs to complete commands, options and closed lists, made from the declarations. */
import { type CliCommand, exitCodes, oneOf } from './command.ts'

const shells = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof shells)[number]

/** What may follow a command: options of its own, what is a closed list, and whether a file may. */
type Completed = {
  readonly name: string
  readonly words: readonly string[]
  readonly files: boolean
  readonly about: string
}

/** `<wordnet|dictd|ndjson> <path>`: the list, and a file. */
const listed = (usage: string): readonly string[] => /<([a-z]+(?:\|[a-z]+)+)>/.exec(usage)?.[1]?.split('|') ?? []
const takesFile = (usage: string): boolean => /<(?:path|file)>|FILE/.test(usage)

const completedOf = ({ name, usage, summary, options }: CliCommand): Completed => ({
  name,
  words: [...listed(usage), ...Object.keys(options).map(each => `--${each}`), '--json', '--help'],
  files: takesFile(usage),
  about: summary,
})

/** The second words of commands that have two, by their first. */
const groupsOf = (all: readonly Completed[]): ReadonlyMap<string, readonly string[]> => {
  const groups = new Map<string, readonly string[]>()
  for (const { name } of all) {
    const [first = '', second] = name.split(' ')
    if (second !== undefined) groups.set(first, [...(groups.get(first) ?? []), second])
  }
  return groups
}

const firstsOf = (all: readonly Completed[]): readonly string[] => [
  ...new Set(all.map(({ name }) => name.split(' ')[0] ?? '')),
]

/** The body of a `case` of sh, which bash and zsh read alike: sets `words` and `files` for what stands on the line. */
const cases = (all: readonly Completed[]): string =>
  [
    ...all.map(({ name, words, files }) => {
      const [first, second] = name.split(' ')
      return `    '${first} ${second ?? ''}') words='${words.join(' ')}' files=${files ? 1 : 0};;`
    }),
    // A command of one word: what follows it is no part of its name.
    ...all
      .filter(({ name }) => !name.includes(' '))
      .map(({ name, words, files }) => {
        const seconds = groupsOf(all).get(name) ?? []
        return `    '${name} '*) words='${[...seconds, ...words].join(' ')}' files=${files ? 1 : 0};;`
      }),
  ].join('\n')

const bash = (
  all: readonly Completed[],
): string => `# lexichron completion bash > ~/.local/share/bash-completion/completions/lexichron
_lexichron() {
  local current=\${COMP_WORDS[COMP_CWORD]} words='' files=0 second=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -le 1 ]; then
    COMPREPLY=($(compgen -W '${[...firstsOf(all), '--help', '--version'].join(' ')}' -- "$current"))
    return
  fi
  [ "$COMP_CWORD" -gt 2 ] && second=\${COMP_WORDS[2]}
  case "\${COMP_WORDS[1]} $second" in
${cases(all)}
  esac
  if [ "$COMP_CWORD" -eq 2 ]; then
    case "\${COMP_WORDS[1]}" in
${[...groupsOf(all)].map(([first, seconds]) => `      ${first}) words="${seconds.join(' ')} $words";;`).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ "$files" = 1 ] && [ "\${current#-}" = "$current" ] && COMPREPLY+=($(compgen -f -- "$current"))
}
complete -o filenames -F _lexichron lexichron
`

const zsh = (all: readonly Completed[]): string => `#compdef lexichron
# lexichron completion zsh > "\${fpath[1]}/_lexichron"
_lexichron() {
  local line='' files=0 second=''
  if (( CURRENT <= 2 )); then
    compadd -- ${[...firstsOf(all), '--help', '--version'].join(' ')}
    return
  fi
  (( CURRENT > 3 )) && second=\${words[3]}
  local first=\${words[2]} given=''
  case "$first $second" in
${cases(all).replaceAll(" words='", " given='")}
  esac
  if (( CURRENT == 3 )); then
    case "$first" in
${[...groupsOf(all)].map(([first, seconds]) => `      ${first}) given="${seconds.join(' ')} $given";;`).join('\n')}
    esac
  fi
  compadd -- \${=given}
  if (( files )); then _files; fi
}
if [ "$funcstack[1]" = _lexichron ]; then _lexichron "$@"; else compdef _lexichron lexichron; fi
`

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

const fish = (all: readonly Completed[]): string =>
  [
    '# lexichron completion fish > ~/.config/fish/completions/lexichron.fish',
    'complete -c lexichron -f',
    ...all.map(({ name, about }) => {
      const [first = '', second] = name.split(' ')
      const when = second === undefined ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${first}`
      return `complete -c lexichron -n ${quoted(when)} -a ${second ?? first} -d ${quoted(about)}`
    }),
    ...[...groupsOf(all).keys()]
      .filter(first => !all.some(({ name }) => name === first))
      .map(first => `complete -c lexichron -n __fish_use_subcommand -a ${first}`),
    ...all.flatMap(({ name, words, files }) => {
      const seen = name
        .split(' ')
        .map(word => `__fish_seen_subcommand_from ${word}`)
        .join('; and ')
      return [`complete -c lexichron -n ${quoted(seen)} ${files ? '-F ' : ''}-a ${quoted(words.join(' '))}`]
    }),
    '',
  ].join('\n')

const scripts: Readonly<Record<Shell, (all: readonly Completed[]) => string>> = { bash, zsh, fish }

/** `all` is asked for when it runs: it is one of them. */
export const completion = (all: () => readonly CliCommand[]): CliCommand => ({
  name: 'completion',
  usage: '<bash|zsh|fish>',
  summary: 'write a script with which a shell completes commands and options',
  details: ['The first line of the script says where it belongs.'],
  options: {},
  about: {},
  positionals: [1, 1],
  run: async (input, { terminal }) => {
    const shell = oneOf(input.positionals[0], shells, 'shell')
    await terminal.result(scripts[shell](all().map(completedOf)).trimEnd())
    return exitCodes.done
  },
})
