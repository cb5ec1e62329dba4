/** `lexichron jobs`: what waits, what is parked, and what an operator does about it. */
import { type JobDetail, jobStates } from '../../ports/jobs.ts'
import { type CliCommand, exitCodes, oneOf } from './command.ts'
import { count, table } from './terminal.ts'

const MOST = 1_000

export const jobsList: CliCommand = {
  name: 'jobs list',
  usage: '[--state STATE]',
  summary: 'list jobs that wait, run or are parked, such as mails that could not be sent',
  options: { state: { type: 'string' } },
  about: { state: 'STATE  waiting, running, parked or done; all but done by default' },
  positionals: [0, 0],
  run: async (input, { terminal, open }) => {
    const state = input.option('state')
    const wanted = state === undefined ? {} : { state: oneOf(state, jobStates, 'state') }
    const all = await (await open('work')).jobs.list({ ...wanted, limit: MOST })
    if (terminal.json) await terminal.result(JSON.stringify(all))
    else
      for (const line of table([
        ['kind', 'state', 'failures', 'next', 'key', 'reason'],
        ...all.map(({ kind, state, failures, nextRunAt, key, reason = '' }) => [
          kind,
          state,
          String(failures),
          nextRunAt?.toISOString() ?? '-',
          key,
          reason,
        ]),
      ]))
        await terminal.text(line)
    if (all.length === MOST) terminal.note(`Only the first ${count(MOST)} are shown.`)
    return exitCodes.done
  },
}

const linesOf = ({ data, ...job }: JobDetail): readonly string[] =>
  table([
    ...Object.entries(job).map(([name, value]) => [name, value instanceof Date ? value.toISOString() : String(value)]),
    ...Object.entries(data).map(([name, value]) => [
      `data.${name}`,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  ])

export const jobsShow: CliCommand = {
  name: 'jobs show',
  usage: '<KEY>',
  summary: 'show all that is known of a job: what caused it, its failures, the node that has it',
  options: {},
  about: {},
  positionals: [1, 1],
  run: async (input, { terminal, open }) => {
    const [key = ''] = input.positionals
    const found = await (await open('work')).jobs.show(key)
    if (found.length === 0) {
      terminal.note(`There is no job ${key}: lexichron jobs list lists those that are not done.`)
      return exitCodes.failed
    }
    for (const job of found)
      for (const line of terminal.json ? [JSON.stringify(job)] : linesOf(job)) await terminal.text(line)
    return exitCodes.done
  },
}

export const jobsRetry: CliCommand = {
  name: 'jobs retry',
  usage: '[KEY]',
  summary: 'do jobs again now: one that is parked or waits for its next try, or all that are parked',
  options: {},
  about: {},
  positionals: [0, 1],
  run: async (input, { terminal, open }) => {
    const [key] = input.positionals
    const retried = await (await open('work')).jobs.retry(key)
    if (key !== undefined && retried === 0) {
      terminal.note(`There is no job ${key} that failed: lexichron jobs list lists them.`)
      return exitCodes.failed
    }
    await terminal.result(terminal.json ? JSON.stringify({ retried }) : `${count(retried)} will be done again`)
    return exitCodes.done
  },
}

export const jobsDrop: CliCommand = {
  name: 'jobs drop',
  usage: '<KEY>',
  summary: 'give a job up that waits or is parked; it is not added again',
  options: {},
  about: {},
  positionals: [1, 1],
  run: async (input, { terminal, open }) => {
    const [key = ''] = input.positionals
    const dropped = await (await open('work')).jobs.drop(key)
    if (!dropped) {
      terminal.note(`There is no job ${key} that waits or is parked: lexichron jobs list lists them.`)
      return exitCodes.failed
    }
    await terminal.result(terminal.json ? JSON.stringify({ dropped: key }) : `${key} is dropped`)
    return exitCodes.done
  },
}
