/** The metrics of a process on a port of their own. */
import t from 'tap'
import { startService, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

t.test('a process serves them on LEXICHRON_METRICS_PORT; one that cannot says so and ends', async t => {
  const service = await startService(t, temporaryFolder(t), {
    LEXICHRON_METRICS_PORT: '0',
    LEXICHRON_LOG_LEVEL: 'info',
  })
  const port = await until('the port', () => /"port":(\d+)/.exec(service.output.err)?.[1])
  t.match(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(), 'lexichron_ready 1')
  await t.rejects(
    startService(t, temporaryFolder(t), { LEXICHRON_METRICS_PORT: port }),
    /LEXICHRON_METRICS_PORT \d+ on 127.0.0.1 is in use/,
  )
  t.equal(await service.stop(), 0)
})
