/** `lexichron account`: how the first administrator comes in. */
import { defined } from '../../domain/defined.ts'
import { roles } from '../../domain/roles.ts'
import { type CliCommand, exitCodes, needed, oneOf } from './command.ts'
import { refused } from './failures.ts'

export const accountCreate: CliCommand = {
  name: 'account create',
  usage: '--role ROLE --email ADDRESS [--reason TEXT]',
  summary: 'make an account that needs no mail, or give one that exists a role; its first password is printed once',
  options: { role: { type: 'string' }, email: { type: 'string' }, reason: { type: 'string' } },
  about: {
    role: 'ROLE     what it may do: contributor, editor, moderator, auditor, admin',
    email: 'ADDRESS  with which it signs in',
    reason: 'TEXT   why, of which the person is told by mail',
  },
  positionals: [0, 0],
  run: async (input, { terminal, open }) => {
    const email = needed(input, 'email', 'the address with which it signs in')
    const role = oneOf(needed(input, 'role', 'such as admin'), roles, 'role')
    const made = await (await open('work')).accounts.create({
      email,
      role,
      ...defined({ reason: input.option('reason') }),
    })
    const refusal = refused(terminal, made)
    if (refusal !== undefined || 'refused' in made) return refusal ?? exitCodes.failed
    await terminal.result(terminal.json ? JSON.stringify(made) : (made.password ?? made.accountId))
    if (!terminal.json)
      terminal.note(
        made.password === undefined
          ? `${made.accountId}: had an account, keeps its password and is ${role} now`
          : `${made.accountId}: ${role}; sign in with this password and change it`,
      )
    return exitCodes.done
  },
}
