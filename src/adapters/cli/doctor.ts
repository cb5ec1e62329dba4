/** `lexichron doctor`: what is wrong, and what to do about it. */
import { type CliCommand, exitCodes } from './command.ts'
import { table } from './terminal.ts'

const marks = { ok: 'ok', note: '-', warning: 'warning', failed: 'FAILED' } as const

export const doctor: CliCommand = {
  name: 'doctor',
  usage: '',
  summary: 'check settings, disk, clock, permissions, engines and read models, and say what to do',
  details: [
    'Reads only, whether or not a service runs on the same files; where one does it takes five seconds, to see whether',
    'who holds a lease is alive. Exit code 1 when a check has failed, 2 when it is the settings; warnings alone: 0.',
  ],
  options: {},
  about: {},
  positionals: [0, 0],
  run: async (_, { terminal, diagnose }) => {
    const found = await diagnose()
    const bad = found.filter(each => each.state === 'failed').length
    const warnings = found.filter(each => each.state === 'warning').length
    if (terminal.json) for (const each of found) await terminal.result(JSON.stringify(each))
    else {
      const rows = table(found.map(({ state, check, detail }) => [marks[state], check, detail]))
      for (const [at, line] of rows.entries()) {
        await terminal.text(line)
        const advice = found[at]?.advice
        if (advice !== undefined) await terminal.text(`         -> ${advice}`)
      }
      await terminal.result(`${bad} failed, ${warnings} warnings, ${found.length - bad - warnings} as they should be`)
    }
    if (found.some(each => each.check === 'settings' && each.state === 'failed')) return exitCodes.usage
    return bad > 0 ? exitCodes.failed : exitCodes.done
  },
}
