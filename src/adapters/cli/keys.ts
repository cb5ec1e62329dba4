/** `lexichron keys`: keys are replaced by new ones, and what stands under the old ones moves. */
import { type CliCommand, exitCodes } from './command.ts'
import { refused } from './failures.ts'

export const keysRotate: CliCommand = {
  name: 'keys rotate',
  usage: '',
  summary: 'make a new key that signs access tokens; it stands in the JWKS ten minutes before it signs',
  options: {},
  about: {},
  positionals: [0, 0],
  run: async (_, { terminal, open }) => {
    const key = await (await open('work')).keys.rotate()
    await terminal.result(terminal.json ? JSON.stringify(key) : `${key.kid} signs from ${key.activeFrom}`)
    return exitCodes.done
  },
}

export const keysRotateAddresses: CliCommand = {
  name: 'keys rotate-addresses',
  usage: '',
  summary:
    'give the streams of addresses a new key, or go on with it: the old one is retired by a run eight days later',
  options: {},
  about: {},
  positionals: [0, 0],
  run: async (_, { terminal, open }) => {
    const rotation = await (await open('work')).keys.rotateAddresses()
    const refusal = refused(terminal, rotation)
    if (refusal !== undefined || 'refused' in rotation) return refusal ?? exitCodes.failed
    const { version, moved, later, taken, retired, retireFrom } = rotation
    await terminal.result(terminal.json ? JSON.stringify(rotation) : `key ${version}: ${moved} accounts moved to it`)
    if (!terminal.json) {
      if (retired !== undefined) terminal.note(`key ${retired} is retired: no address is looked for under it`)
      if (retireFrom !== undefined)
        terminal.note(
          `addresses are found under both keys: run this again from ${retireFrom} on, which retires the old one`,
        )
      if (later > 0) terminal.note(`${later} accounts wait for a link that is on its way: the next run moves them`)
    }
    if (taken.length === 0) return exitCodes.done
    terminal.note(`another account has the address of ${taken.join(', ')}: let their owners choose which one stays`)
    return exitCodes.failed
  },
}
