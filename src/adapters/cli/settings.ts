/** `lexichron config`: the settings in force. */
import { describeConfig } from '../../config/load.ts'
import { type CliCommand, exitCodes } from './command.ts'
import { table } from './terminal.ts'

export const config: CliCommand = {
  name: 'config',
  usage: '',
  summary: 'print the settings in force, secrets masked, or everything that is wrong with them',
  details: [
    'A setting LEXICHRON_NAME may also be given as a file: LEXICHRON_NAME_FILE=/run/secrets/name. PORT and NODE_ENV are read',
    'without the prefix as well.',
  ],
  options: {},
  about: {},
  positionals: [0, 0],
  run: async (_, context) => {
    const { terminal } = context
    const all = describeConfig(context.config())
    if (terminal.json) {
      await terminal.result(JSON.stringify(all))
      return exitCodes.done
    }
    const rows = all.map(({ name, value, from, about }) => [name, value === '' ? '-' : value, from, about])
    for (const line of table([['setting', 'value', 'from', 'about'], ...rows])) await terminal.text(line)
    return exitCodes.done
  },
}
