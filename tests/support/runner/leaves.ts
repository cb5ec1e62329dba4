import { spawn } from 'node:child_process'
import t from 'tap'

t.test('starts what it does not end', async t => {
  spawn('sleep', ['3600'], { stdio: 'inherit' }).unref()
  spawn('sh', ['-c', `sleep 3601 # ${process.env['TMPDIR']}`], { detached: true, stdio: 'ignore' }).unref()
  t.pass('and ends')
})
