/** `lexichron blocks`: who is not served, whatever node they come to. */
import { holds, readAddress, readNetwork } from '../../domain/network.ts'
import { type CliCommand, durationMs, exitCodes, needed } from './command.ts'
import { refused } from './failures.ts'
import { table } from './terminal.ts'

const holdsThisMachine = (target: string): boolean => {
  const network = readNetwork(target)
  return ['127.0.0.1', '::1'].some(each => {
    const own = readAddress(each)
    return network !== undefined && own !== undefined && holds(network, own)
  })
}

export const blocksAdd: CliCommand = {
  name: 'blocks add',
  usage: '<ADDRESS|NETWORK|ACCOUNT> --reason TEXT [--expires LIFE]',
  summary: 'serve nothing to an address, a network (CIDR) or an account, on every node within a second',
  details: ['An IPv6 address alone stands for its /64. Added again, the newest reason and end hold.'],
  options: { reason: { type: 'string' }, expires: { type: 'string' } },
  about: {
    reason: 'TEXT     why, for those who look at it later',
    expires: 'LIFE    90s, 30m, 24h, 30d; without it until it is removed',
  },
  positionals: [1, 1],
  run: async (input, { terminal, open }) => {
    const [target = ''] = input.positionals
    const reason = needed(input, 'reason', 'why it is blocked')
    const life = input.option('expires')
    const ends = life === undefined ? {} : { lifeMs: durationMs(life, 'expires') }
    const added = await (await open('work')).blocks.add({ target, reason, ...ends })
    const refusal = refused(terminal, added)
    if (refusal !== undefined || 'refused' in added) return refusal ?? exitCodes.failed
    if (added.kind === 'network' && holdsThisMachine(added.target ?? ''))
      terminal.note(
        'This machine is among them: probes, and a proxy on it that LEXICHRON_TRUSTED_PROXIES does not name, come from there.',
      )
    const until = added.expiresAt === undefined ? 'until it is removed' : `until ${added.expiresAt}`
    await terminal.result(terminal.json ? JSON.stringify(added) : `${added.target} is blocked ${until}: ${added.id}`)
    return exitCodes.done
  },
}

export const blocksList: CliCommand = {
  name: 'blocks list',
  usage: '',
  summary: 'list what is blocked now, newest first',
  options: {},
  about: {},
  positionals: [0, 0],
  run: async (_, { terminal, open }) => {
    const all = await (await open('work')).blocks.list()
    const refusal = refused(terminal, all)
    if (refusal !== undefined || 'refused' in all) return refusal ?? exitCodes.failed
    if (terminal.json) await terminal.result(JSON.stringify(all))
    else
      for (const line of table([
        ['id', 'blocked', 'since', 'until', 'reason'],
        ...all.map(each => [each.id, each.target ?? '', each.at, each.expiresAt ?? '-', each.reason ?? '']),
      ]))
        await terminal.text(line)
    return exitCodes.done
  },
}

export const blocksRemove: CliCommand = {
  name: 'blocks remove',
  usage: '<ADDRESS|NETWORK|ACCOUNT|ID>',
  summary: 'take a block away, named by its id or by what it blocks',
  options: {},
  about: {},
  positionals: [1, 1],
  run: async (input, { terminal, open }) => {
    const [named = ''] = input.positionals
    const removed = await (await open('work')).blocks.remove(named)
    const refusal = refused(terminal, removed)
    if (refusal !== undefined || 'refused' in removed) return refusal ?? exitCodes.failed
    await terminal.result(terminal.json ? JSON.stringify(removed) : `${removed.target} is not blocked any more`)
    return exitCodes.done
  },
}
