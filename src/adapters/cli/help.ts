/** What `--help` says, made from the declarations. */
import type { CliCommand } from './command.ts'
import { table } from './terminal.ts'

const everywhere = [
  ['--json', 'results as JSON, one text a line'],
  ['--help', 'this text'],
] as const

export const overview = (commands: readonly CliCommand[]): string =>
  [
    'lexichron <command> [options]',
    '',
    ...table(commands.map(each => [`  ${each.name}`, each.summary])),
    '',
    'Every command takes --help and --json. Settings come from the environment: lexichron config prints them.',
    'Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 75 try again.',
  ].join('\n')

/** `about` of an option begins with the name of its value, two spaces or more, then what it is for. */
const optionRow = (name: string, about: string): readonly [string, string] => {
  const [, value = '', text = about] = /^(\S*)\s{2,}(\S.*)$/.exec(about) ?? []
  return [`--${name}${value === '' ? '' : ` ${value}`}`, text]
}

/** Its name and arguments, and the options that it has beside those of every command, each once. */
export const usageOf = ({ name, usage, about }: CliCommand): string =>
  [
    'lexichron',
    name,
    ...(usage === '' ? [] : [usage]),
    ...Object.entries(about)
      .filter(([option]) => !usage.includes(`--${option}`))
      .map(([option, text]) => `[${optionRow(option, text)[0]}]`),
  ].join(' ')

export const helpOf = (command: CliCommand): string =>
  [
    `lexichron ${command.name}${command.usage === '' ? '' : ` ${command.usage}`}`,
    '',
    `  ${command.summary}`,
    ...(command.details ? ['', ...command.details.map(each => `  ${each}`)] : []),
    '',
    ...table(
      [...Object.entries(command.about).map(([name, about]) => optionRow(name, about)), ...everywhere].map(
        ([option, text]) => [`  ${option}`, text],
      ),
    ),
  ].join('\n')
