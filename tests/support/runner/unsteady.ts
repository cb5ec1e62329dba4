import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

t.test('holds at the second try', async t => {
  const tried = join(process.env['RUNNER_TRIED'] ?? '', 'tried')
  t.ok(existsSync(tried), 'tried before')
  writeFileSync(tried, '')
})
