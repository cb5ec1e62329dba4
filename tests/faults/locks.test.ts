/** A process that is stopped inside a transaction keeps all others from writing: health of each of them says which it is. */
import { join } from 'node:path'
import t from 'tap'
import { serveHere } from '../support/here.ts'
import { draft, ready, tokenOf } from '../support/nodes.ts'
import { startProcess } from '../support/processes.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

/** Takes the write lock of the file and stops itself (SIGSTOP). */
const holder = `
  const { DatabaseSync } = require('node:sqlite')
  const db = new DatabaseSync(process.argv[1], { timeout: 5000 })
  db.exec('BEGIN IMMEDIATE')
  console.log('held')
  process.kill(process.pid, 'SIGSTOP')
  db.exec('ROLLBACK')
  console.log('given back')
`

for (const file of ['events.db', 'read.db'])
  t.test(`stopped inside a transaction on ${file}`, { skip: process.platform !== 'linux' }, async t => {
    const folder = temporaryFolder(t)
    const token = await tokenOf(folder, 'admin')
    const node = await serveHere(t, folder)
    await ready(node)
    const health = async () => {
      const response = await fetch(`${node.url}/health`, { headers: { authorization: `Bearer ${token}` } })
      return JSON.parse(await response.text())
    }
    t.match(await health(), { parts: { locks: { state: 'ok' } } })
    const child = startProcess(t, process.execPath, ['-e', holder, join(folder, file)])
    await child.says(/held/)
    const told = await until('health tells of it', async saw => {
      const { state, parts } = await health()
      saw(parts)
      return parts.locks.state === 'degraded' && { state, locks: parts.locks }
    })
    t.match(told, {
      state: /degraded|failed/,
      locks: { detail: { [file]: { holder: new RegExp(`^process ${child.pid}, which is stopped`) } } },
    })
    const later = await until('it counts on', async () => {
      const { heldMs } = (await health()).parts.locks.detail[file]
      return heldMs > told.locks.detail[file].heldMs && heldMs
    })
    t.ok(later >= 2_000)
    if (file === 'events.db') t.equal((await draft(node.url, token, 'under', 'under')).status, 503)
    child.send('SIGCONT')
    await child.says(/given back/)
    await until('it is well again', async () => (await health()).parts.locks.state === 'ok')
    t.equal((await draft(node.url, token, 'after', 'after')).status, 201)
  })
