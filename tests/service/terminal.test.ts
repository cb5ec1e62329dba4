/** The first start on a real terminal (a pseudo-terminal of util-linux's `script`), as a person sees it. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openEmulator } from '../support/emulator.ts'
import { runProcess, startProcess } from '../support/processes.ts'
import { environmentFor, main, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const BAR = /^import.*\[[= ]+\] \d+%/

t.test('log lines and the bar share a terminal of 80 columns, and one that is made narrower', async t => {
  const folder = temporaryFolder(t)
  const told = join(folder, 'tty')
  const start = `tty > ${told}; echo $$ >> ${told}; stty cols 80 rows 24; exec ${process.execPath} ${main} serve`
  const env = environmentFor(folder, { LEXICHRON_SAMPLE: 'wordnet', LEXICHRON_LOG_LEVEL: 'info', TERM: 'xterm' })
  const { output, ended } = startProcess(t, 'script', ['-qfec', start, '/dev/null'], {
    env,
    input: 'open',
    leads: true,
  })
  // In a session of its own: who ends `script` does not end it.
  let isOver = false
  const over = (): void => {
    isOver = true
  }
  void ended.then(over, over)
  t.teardown(async () => {
    if (isOver || !existsSync(told)) return
    await runProcess('kill', ['-KILL', readFileSync(told, 'utf8').split('\n')[1] ?? ''])
  })
  const emulator = openEmulator(80)
  let taken = 0
  const seen = async (): Promise<readonly string[]> => {
    const more = output.out.slice(taken)
    taken += more.length
    await emulator.write(more)
    return emulator.lines()
  }
  const first = await until('the bar', async saw => {
    const lines = await seen()
    saw(lines.join('\n'))
    return BAR.test(lines.at(-1) ?? '') && lines
  })
  const url = /http:\S+/.exec(first.find(line => line.startsWith('Lexichron listens on')) ?? '')?.[0] ?? ''
  const asked = async (path: string, times: number): Promise<void> => {
    for (let each = 0; each < times; each += 1) await (await fetch(url + path)).text()
  }
  const whole = (lines: readonly string[], path: string, times: number) =>
    lines.filter(line => new RegExp(`^\\d\\d:\\d\\d:\\d\\d GET ${path} 200 [\\d.]+ ms$`).test(line)).length === times
  await asked('/v1/search?q=secret', 30)
  const wide = await until('a line a request', async saw => {
    const lines = await seen()
    saw(lines.join('\n'))
    return whole(lines, '/v1/search', 30) && BAR.test(lines.at(-1) ?? '') && lines
  })
  t.ok((wide.at(-1)?.length ?? 0) < 80)
  t.match(wide.at(-1), /\/s.* left$/)
  t.notMatch(wide.join('\n'), /secret|DEBUG/)

  t.ok(existsSync(told))
  const [device = '', pid = ''] = readFileSync(told, 'utf8').split('\n')
  t.match(await runProcess('stty', ['-F', device, 'cols', '40']), { code: 0 })
  // What was written for 80 columns is shown in 80, as a window does that is made narrower at one moment.
  const narrowed = await until('what is drawn for 40 columns', async () => {
    const bar = output.out.indexOf('import [', taken)
    return bar >= 0 && { at: output.out.lastIndexOf('\r\u001b[J', bar) }
  })
  await emulator.write(output.out.slice(taken, narrowed.at))
  taken = narrowed.at
  emulator.resize(40)
  const narrow = await until('a bar that fits', async saw => {
    const lines = await seen()
    saw(lines.join('\n'))
    return (lines.at(-1)?.length ?? 99) < 40 && BAR.test(lines.at(-1) ?? '') && lines
  })
  t.match(narrow.at(-1), /\/s.* left$/)
  await asked('/v1/suggest?q=se', 30)
  const after = await until('whole lines', async saw => {
    const lines = await seen()
    saw(lines.join('\n'))
    return whole(lines, '/v1/suggest', 30) && BAR.test(lines.at(-1) ?? '') && lines
  })
  t.ok(whole(after, '/v1/search', 30), 'and nothing that was there is gone')
  t.equal(after.filter(line => BAR.test(line)).length, 1, 'there is one bar')
  process.kill(Number(pid), 'SIGINT')
  const last = await until('the end', async () => {
    const lines = await seen()
    return !BAR.test(lines.at(-1) ?? '') && lines
  })
  t.equal(last.filter(line => BAR.test(line)).length, 0, 'nothing of it is left')
  t.match(await ended, { code: 0 })
})
