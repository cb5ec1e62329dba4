/** What a person sees on a terminal: whole lines, with a bar below them that fits. */
import t from 'tap'
import { barLine, openProgress } from '../../src/adapters/cli/progress.ts'
import { openTerminal, wrapped } from '../../src/adapters/cli/terminal.ts'
import { readableLine } from '../../src/adapters/logging/readable.ts'
import { openTerminalStream } from '../support/emulator.ts'
import { until } from '../support/until.ts'

const filling = { step: 'import wordnet-3.1', done: 12_000, total: 156_000, unit: 'entries' as const }
const measured = { ...filling, rate: 4_000, secondsLeft: 36 }

t.test('the bar fits any width, with rate and time left', async t => {
  t.equal(
    barLine(measured, 119),
    `import wordnet-3.1 [===${' '.repeat(37)}] 7% 12,000 of 156,000, 4,000 entries/s, 36 s left`,
  )
  t.equal(
    barLine(measured, 79),
    `import wordnet-3.1 [=${' '.repeat(8)}] 7% 12,000 of 156,000, 4,000 entries/s, 36 s left`,
  )
  t.equal(barLine(measured, 39), 'import [=       ] 7% 4,000/s, 36 s left')
  for (let columns = 24; columns < 200; columns += 1) {
    const line = barLine(measured, columns)
    t.ok(line.length <= columns, `${columns}: ${line}`)
    t.match(line, /7%.* 4,000.*\/s, 36 s left$/, `${columns}`)
  }
  t.equal(barLine({ ...measured, total: 0, secondsLeft: undefined }, 79), 'import wordnet-3.1: 12,000, 4,000 entries/s')
  t.match(barLine({ ...measured, done: 160_000 }, 79), '100%', 'more than was thought is no more than all')
  const bytes = { ...measured, unit: 'bytes' as const, done: 1e6, total: 2e6, rate: 1e6, secondsLeft: 1 }
  t.match(barLine(bytes, 30), /50% 1\.0 MB\/s, 1 s left$/)
})

t.test('lines come above the bar, whole, at 80 columns, at 40, and when it is resized', async t => {
  const { stream, lines, resize } = openTerminalStream(80)
  const terminal = openTerminal({ stdout: stream, stderr: stream }, false)
  let at = 0
  const view = openProgress(terminal, () => at)
  const said: string[] = []
  const say = async (): Promise<void> => {
    const text = `${said.length} ${'a line of the log '.repeat(said.length % 3)}`.trimEnd()
    said.push(text)
    if (said.length % 2 === 0) terminal.note(text)
    else await terminal.result(text)
  }
  const step = async (done: number): Promise<void> => {
    at += 100
    view.show({ ...filling, done })
    await say()
  }
  const looksRight = async (columns: number): Promise<void> => {
    const seen = await until('all of it to be written', async saw => {
      const now = await lines()
      saw(now.join('\n'))
      return now.length === said.length + 1 && now
    })
    t.strictSame(seen.slice(0, -1), said)
    const bar = seen.at(-1) ?? ''
    t.match(bar, /^import.*\[[= ]+\] \d+%.*\/s.* left$/)
    t.ok(bar.length < columns, bar)
  }
  for (let done = 0; done < 40_000; done += 1_000) await step(done)
  await looksRight(80)
  resize(40)
  await looksRight(40)
  for (let done = 40_000; done < 80_000; done += 1_000) await step(done)
  await looksRight(40)
  resize(120)
  await step(80_000)
  await looksRight(120)
  view.end()
  await say()
  const end = await until('the end', async () => {
    const now = await lines()
    return now.length === said.length && now
  })
  t.strictSame(end, said, 'nothing of the bar is left')
})

t.test('what is broken at the width of a terminal is broken between words, below where it began', async t => {
  const line = '  jobs list             list jobs that wait, run or are parked, such as mails that could not be sent'
  t.equal(wrapped(line, 200), line)
  t.strictSame(wrapped(line, 80).split('\n'), [
    '  jobs list             list jobs that wait, run or are parked, such as mails',
    '                        that could not be sent',
  ])
  t.strictSame(wrapped(line, 40).split('\n'), [
    '  jobs list',
    '    list jobs that wait, run or are',
    '    parked, such as mails that could not',
    '    be sent',
  ])
  t.equal(wrapped('one that-has-no-space', 10), 'one\nthat-has-no-space')
  const { stream, lines } = openTerminalStream(40)
  const terminal = openTerminal({ stdout: stream, stderr: stream }, false)
  await terminal.text(`${line}\n\nEvery command takes --help and --json.`)
  await terminal.result(line)
  t.strictSame(await lines(), [...wrapped(line, 40).split('\n'), '', 'Every command takes --help and --json.', line])
})

t.test('a terminal that cannot move its cursor gets lines', async t => {
  const { stream, lines } = openTerminalStream(80)
  const terminal = openTerminal({ stdout: stream, stderr: stream, dumb: true }, false)
  let at = 0
  const view = openProgress(terminal, () => at)
  for (let done = 0; done <= 20_000; done += 10_000) {
    view.show({ ...filling, done })
    at += 6_000
  }
  view.end()
  t.match((await lines())[0], /^import wordnet-3\.1: 10,000 of 156,000 \(6%\)/)
})

t.test('a request is one short line, with its id only where something went wrong', async t => {
  const request = {
    level: 'info',
    time: '2026-11-30T12:04:31.000Z',
    req: 'r-1',
    trace: 't-1',
    method: 'GET',
    path: '/v1/search',
    status: 200,
    ms: 7.4,
    msg: 'request',
  }
  const shown = (more: object = {}): string => readableLine(`${JSON.stringify({ ...request, ...more })}\n`)
  t.match(shown(), /^\d\d:\d\d:31 GET \/v1\/search 200 7\.4 ms\n$/)
  t.match(shown({ ms: 1234.5 }), / 1235 ms\n$/)
  t.match(shown({ status: 404 }), /GET \/v1\/search 404 7\.4 ms\n$/)
  t.match(shown({ status: 503 }), /GET \/v1\/search 503 7\.4 ms, request r-1\n$/)
  t.match(shown({ cut: true }), /, cut off, request r-1\n$/)
  t.equal(shown({ path: '/\u009b2J\u001b' }).split(' ')[2], '/?2J?', 'nothing that a terminal would obey')
  const other = (level: string): string =>
    readableLine(`${JSON.stringify({ level, time: request.time, req: 'r-1', trace: 't-1', msg: 'swept' })}\n`)
  t.match(other('info'), 'swept')
  t.notMatch(other('info'), 'r-1')
  t.match(other('error'), 'r-1')
})
