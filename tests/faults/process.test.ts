/** Whether another process still runs, as its name tells. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { identifyNode } from '../../src/adapters/host/process.ts'
import { startProcess } from '../support/processes.ts'
import { until } from '../support/until.ts'

const UUID = '00000000-0000-4000-8000-000000000000'

t.test(
  'a node knows of another on its machine whether it has ended',
  { skip: !readable() && 'there is no /proc' },
  async t => {
    const own = identifyNode(UUID)
    t.match(own.id, new RegExp(`^${UUID}@[0-9a-f-]{36}/\\d+/${process.pid}/\\d+$`))
    const [machine = ''] = /(?<=@)[0-9a-f-]{36}\/\d+/.exec(own.id) ?? []
    t.notOk(own.hasEnded(own.id), 'it runs itself')
    const started = (pid: number): string =>
      readFileSync(`/proc/${pid}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ')[19] ?? ''
    const name = (pid: number, start = started(pid), where = machine): string => `${UUID}@${where}/${pid}/${start}`

    const child = startProcess(t, 'sleep', ['60'])
    const { pid } = child
    const running = name(pid)
    t.notOk(own.hasEnded(running))
    t.ok(own.hasEnded(name(pid, '1')), 'its number was another process before')
    child.send('SIGSTOP')
    t.notOk(own.hasEnded(running), 'who sleeps is not dead')
    await child.stop('SIGKILL')
    t.ok(own.hasEnded(running))
    t.notOk(own.hasEnded(name(pid, '1', machine.replace(/\d+$/, '1'))), 'a process of another container cannot be seen')
    t.notOk(
      own.hasEnded(
        name(
          pid,
          '1',
          machine.replace(/^./, digit => (digit === '0' ? '1' : '0')),
        ),
      ),
      'nor one of another machine',
    )
    for (const strange of [
      '',
      UUID,
      `${UUID}@${machine}/0/1`,
      `${UUID}@${machine}/-1/1`,
      'x@y',
      `${UUID}@${machine}/1`,
    ])
      t.notOk(own.hasEnded(strange), `nothing is known of ${JSON.stringify(strange)}`)

    // Its parent has become another program that never collects it.
    const parent = startProcess(t, 'sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 60'], { leads: true })
    const [line] = await parent.says(/\d+(?=\n)/)
    const orphan = Number(line)
    const zombie = name(orphan)
    await until('it is a zombie', () => / Z /.test(readFileSync(`/proc/${orphan}/stat`, 'latin1')))
    t.ok(own.hasEnded(zombie), 'who is dead and not collected is dead')
  },
)

function readable(): boolean {
  try {
    return readFileSync('/proc/self/stat').length > 0
  } catch {
    return false
  }
}
