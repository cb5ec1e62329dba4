/** `lexichron rebuild`, `projections`, `projections retry`, `verify` and `repair`: the read models, looked after. */
import type { App, DamagedEvent, Lookups, ProjectionStatus, RepairReport, VerifyReport, Watch } from './app-port.ts'
import { type CliCommand, type CliContext, type ExitCode, exitCodes, oneOf } from './command.ts'
import { count, table } from './terminal.ts'

const known = (app: App, name: string): string => oneOf(name, app.projectionNames, 'projection')

export const rebuild: CliCommand = {
  name: 'rebuild',
  usage: '[NAME]',
  summary: 'build one read model, or all of them, anew beside what is live, then swap',
  details: ['Queries go on with the old one meanwhile. Safe to stop: what is live stays live.'],
  options: {},
  about: {},
  positionals: [0, 1],
  run: async (input, context) => {
    const { terminal, signal } = context
    const app = await context.open('work')
    const [name] = input.positionals
    const names = name === undefined ? app.projectionNames : [known(app, name)]
    for (const each of names) {
      if (signal.aborted) return exitCodes.tryAgain
      const done = await context.watched(view => app.rebuild(each, { onProgress: view.show, signal }))
      if (signal.aborted) return exitCodes.tryAgain
      await terminal.result(
        terminal.json ? JSON.stringify(done) : `${done.name}: rebuilt up to position ${done.position}`,
      )
    }
    return exitCodes.done
  },
}

const rows = (all: readonly ProjectionStatus[]): readonly string[] =>
  table([
    ['name', 'kind', 'version', 'state', 'position', 'behind', 'parked'],
    ...all.map(each => [
      each.name,
      each.kind,
      String(each.version ?? ''),
      each.progress === undefined
        ? each.state
        : `${each.state}, ${Math.floor(each.progress * 100)}% of a new one built`,
      each.position,
      each.lag,
      String(each.parked.length),
    ]),
  ])

const listParked = async ({ terminal }: CliContext, all: readonly ProjectionStatus[]): Promise<void> => {
  for (const { name, reason, parked } of all) {
    if (reason !== undefined) await terminal.result(`${name} is stopped: ${reason}`)
    for (const each of parked) await terminal.result(`${name} parked ${each.id} at ${each.since}: ${each.reason}`)
  }
}

export const projections: CliCommand = {
  name: 'projections',
  usage: '',
  summary: 'list read models and subscribers: position, how far behind, what is parked',
  options: {},
  about: {},
  positionals: [0, 0],
  run: async (_, context) => {
    const { terminal } = context
    const all = await (await context.open('work')).projections()
    if (terminal.json) await terminal.result(JSON.stringify(all))
    else {
      for (const line of rows(all)) await terminal.text(line)
      await listParked(context, all)
    }
    return exitCodes.done
  },
}

export const retry: CliCommand = {
  name: 'projections retry',
  usage: '[NAME]',
  summary: 'try again what is parked: of one read model or subscriber, or of all',
  options: {},
  about: {},
  positionals: [0, 1],
  run: async (input, { terminal, open }) => {
    const app = await open('work')
    const [name] = input.positionals
    const retried = await app.retry(
      name === undefined ? undefined : oneOf(name, [...app.projectionNames, ...app.subscriberNames], 'projection'),
    )
    await terminal.result(terminal.json ? JSON.stringify({ retried }) : `${count(retried)} parked`)
    return exitCodes.done
  },
}

export const damageLine = ({ position, soundAt }: DamagedEvent): string =>
  `  the event at position ${position} is damaged: it does not fit its checksum; ${
    soundAt === undefined ? 'it was not looked at before' : `it was sound at ${soundAt}`
  }`

const lookupLines = (lookups: Lookups | undefined): readonly string[] => {
  if (!lookups) return []
  const { different, differences, setAside, repaired, kept } = lookups
  const aside = setAside.map(each => `  ${each}`)
  if (different === 0) return aside
  const said = repaired === undefined ? '' : repaired ? '; made again' : '; making it again was of no use'
  return [
    `log: ${count(different)} of its own tables and indexes do not fit${said}`,
    ...differences.map(each => `  ${each}`),
    ...(kept === undefined ? [] : [`  The file was made again from its events; the one before is kept: ${kept}`]),
    ...aside,
  ]
}

const verdict = ({ events, faults, damaged, lookups, projections: checked }: VerifyReport): readonly string[] => [
  `${count(events)} events read`,
  ...damaged.map(damageLine),
  ...faults.map(each => `  ${each}`),
  ...lookupLines(lookups),
  ...checked.flatMap(({ name, documents, different, differences, readUpTo }) => [
    `${name}: ${count(documents)} documents, ${different === 0 ? 'all as replayed' : `${count(different)} differ`}${
      readUpTo === undefined
        ? ''
        : `; the log can be read up to position ${readUpTo} alone, and later ones were not compared`
    }`,
    ...differences.map(each => `  ${each}`),
  ]),
]

type Checked = { readonly different: number }
type Report<C extends Checked> = Pick<VerifyReport, 'faults' | 'damaged' | 'lookups'> & {
  readonly projections: readonly C[]
}
type Reporting<R> = {
  readonly work: (watch: Watch) => Promise<R>
  readonly lines: (report: R) => readonly string[]
}

/** Looks through all there is, says what was found, and fails where something damaged is left. */
const reported = async <C extends Checked, R extends Report<C>>(
  { watched, terminal, signal }: CliContext,
  { work, lines }: Reporting<R & Report<C>>,
  isSound: (checked: C) => boolean,
): Promise<ExitCode> => {
  const report = await watched(view => work({ onProgress: view.show, signal }))
  if (signal.aborted) return exitCodes.tryAgain
  if (terminal.json) await terminal.result(JSON.stringify(report))
  else for (const line of lines(report)) await terminal.text(line)
  const { lookups } = report
  const found = lookups === undefined || lookups.different === 0 || lookups.repaired === true
  const sound = found && report.faults.length + report.damaged.length === 0 && report.projections.every(isSound)
  return sound ? exitCodes.done : exitCodes.failed
}

export const verify: CliCommand = {
  name: 'verify',
  usage: '',
  summary: 'replay the whole log, check every event against its schema and compare the read models with it',
  details: ['Exit code 1 when anything differs.'],
  options: {},
  about: {},
  positionals: [0, 0],
  run: async (_, context) => {
    const app = await context.open('work')
    return reported(context, { work: app.verify, lines: verdict }, ({ different }) => different === 0)
  },
}

const outcome = ({ rebuilt, reason, different }: RepairReport['projections'][number]): string => {
  if (rebuilt) return `${count(different)} differed; built again`
  return different === 0
    ? 'all as replayed'
    : `${count(different)} differ; not built again: ${reason ?? 'it was stopped'}`
}

const repairs = ({ events, faults, damaged, lookups, projections: checked }: RepairReport): readonly string[] => [
  `${count(events)} events read`,
  ...damaged.map(damageLine),
  ...faults.map(fault => `  ${fault}`),
  ...lookupLines(lookups),
  ...(damaged.length > 0
    ? ['  Nothing here can repair an event: restore a backup of the log that has it, or go on with a copy of the log.']
    : []),
  ...checked.map(each => `${each.name}: ${count(each.documents)} documents, ${outcome(each)}`),
]

export const repair: CliCommand = {
  name: 'repair',
  usage: '',
  summary: 'verify, and build again what is damaged: read models, tables of the log; events cannot be repaired',
  details: ['Exit code 1 when something damaged is left.'],
  options: {},
  about: {},
  positionals: [0, 0],
  run: async (_, context) => {
    const app = await context.open('work')
    return reported(
      context,
      { work: app.repair, lines: repairs },
      ({ different, rebuilt }: RepairReport['projections'][number]) => different === 0 || rebuilt,
    )
  },
}
