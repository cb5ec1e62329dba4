/** `lexichron jobs` and `lexichron mail`: what waits, what is parked, and how a mail looks. */
import { jobStates } from '../../ports/jobs.ts'
import { locales } from '../../ports/mailer.ts'
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
        ...all.map(each => [
          ...[each.kind, each.state, String(each.failures), each.nextRunAt?.toISOString() ?? '-'],
          ...[each.key, each.reason ?? ''],
        ]),
      ]))
        await terminal.result(line)
    if (all.length === MOST) terminal.note(`Only the first ${count(MOST)} are shown.`)
    return exitCodes.done
  },
}

export const jobsRetry: CliCommand = {
  name: 'jobs retry',
  usage: '[KEY]',
  summary: 'do parked jobs again: one, or all of them',
  options: {},
  about: {},
  positionals: [0, 1],
  run: async (input, { terminal, open }) => {
    const [key] = input.positionals
    const retried = await (await open('work')).jobs.retry(key)
    if (key !== undefined && retried === 0) {
      terminal.note(`There is no parked job ${key}: lexichron jobs list --state parked lists them.`)
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

export const mailPreview: CliCommand = {
  name: 'mail preview',
  usage: '[NAME] [--locale LOCALE] [--html]',
  summary: 'print a mail as it would be sent, with made-up data; without a name, the names',
  options: { locale: { type: 'string', default: 'en' }, html: { type: 'boolean' } },
  about: { locale: `LOCALE  ${locales.join(' or ')}; en by default`, html: 'the HTML instead of the text' },
  positionals: [0, 1],
  run: async (input, { terminal, mails }) => {
    const [name] = input.positionals
    const { names, preview } = await mails()
    if (name === undefined) {
      await terminal.result(terminal.json ? JSON.stringify(names) : names.join('\n'))
      return exitCodes.done
    }
    const mail = preview(oneOf(name, names, 'mail'), oneOf(input.option('locale') ?? 'en', locales, 'locale'))
    const shown = input.flag('html') ? mail.html : `Subject: ${mail.subject}\n\n${mail.text}`
    await terminal.result(terminal.json ? JSON.stringify(mail) : shown.trimEnd())
    return exitCodes.done
  },
}
