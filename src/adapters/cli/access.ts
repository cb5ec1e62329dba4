/** `lexichron token`: what services act with. */
import { roles } from '../../domain/roles.ts'
import { type CliCommand, durationMs, exitCodes, needed, oneOf, UsageError } from './command.ts'
import { refused } from './failures.ts'
import { table } from './terminal.ts'

const MAX_LIFE_MS = 24 * 60 * 60 * 1000

export const tokenCreate: CliCommand = {
  name: 'token create',
  usage: '--role ROLE --for NAME [--expires LIFE]',
  summary: 'issue an access token and print it; it is shown once and stored nowhere',
  options: { role: { type: 'string' }, for: { type: 'string' }, expires: { type: 'string', default: '1h' } },
  about: {
    role: 'ROLE     what it may do: reader, contributor, editor, moderator, auditor, admin',
    for: 'NAME      who acts with it, in the history for ever: a name of a service or a pseudonym',
    expires: 'LIFE  90s, 30m, 1h (the default); 24h at most',
  },
  positionals: [0, 0],
  run: async (input, { terminal, open }) => {
    const name = needed(input, 'for', 'the name of who acts with it')
    const role = needed(input, 'role', 'such as contributor, editor or admin')
    const lifeMs = durationMs(input.option('expires') ?? '1h', 'expires')
    if (lifeMs > MAX_LIFE_MS) throw new UsageError('--expires is 24h at most: ask for a new token in time.')
    const app = await open('work')
    const issued = await app.tokens.create({ role: oneOf(role, roles, 'role'), for: name, lifeMs })
    const refusal = refused(terminal, issued)
    if (refusal !== undefined || 'refused' in issued) return refusal ?? exitCodes.failed
    await terminal.result(terminal.json ? JSON.stringify(issued) : issued.token)
    if (!terminal.json) terminal.note(`${issued.id}: ${issued.role} for ${issued.for} until ${issued.expiresAt}`)
    return exitCodes.done
  },
}

export const tokenList: CliCommand = {
  name: 'token list',
  usage: '',
  summary: 'list the tokens that were issued, without their secrets',
  options: {},
  about: {},
  positionals: [0, 0],
  run: async (_, { terminal, open }) => {
    const all = await (await open('work')).tokens.list()
    if (terminal.json) await terminal.result(JSON.stringify(all))
    else
      for (const line of table([
        ['id', 'role', 'for', 'issued', 'expires', 'state'],
        ...all.map(each => [each.id, each.role, each.for ?? '-', each.issuedAt, each.expiresAt, each.state]),
      ]))
        await terminal.text(line)
    return exitCodes.done
  },
}

export const tokenRevoke: CliCommand = {
  name: 'token revoke',
  usage: '<ID>',
  summary: 'end a token before its time, on every node within a second',
  options: {},
  about: {},
  positionals: [1, 1],
  run: async (input, { terminal, open }) => {
    const [id] = input.positionals
    if (id === undefined) throw new UsageError('The id of the token is missing: see lexichron token list.')
    const revoked = await (await open('work')).tokens.revoke(id)
    const refusal = refused(terminal, revoked)
    if (refusal !== undefined || 'refused' in revoked) return refusal ?? exitCodes.failed
    await terminal.result(terminal.json ? JSON.stringify(revoked) : `${revoked.id} is ${revoked.state}`)
    return exitCodes.done
  },
}
