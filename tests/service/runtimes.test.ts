/** The service on a runtime that is not Node; that it runs on Node, every other test of a service shows. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { entryId } from '../../src/domain/ids.ts'
import { denoPath, denoPermissions } from '../support/deno.ts'
import { tokenOf, wordsFile } from '../support/nodes.ts'
import { startProcess } from '../support/processes.ts'
import { environmentFor, lexichron, main, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const json = async (url: string, init?: RequestInit): Promise<{ status: number; body: unknown }> => {
  const answer = await fetch(url, init)
  return { status: answer.status, body: await answer.json() }
}

const deno = denoPath()
const skip = deno === undefined && 'there is no Deno: .ci/run fetches it'

t.test('Deno starts, serves, writes and stops', { skip }, async t => {
  const data = temporaryFolder(t)
  // As a process, which makes its files for their owner alone.
  t.match(await lexichron(data, ['import', 'ndjson', wordsFile(data, 3)]), { code: 0 })
  const token = await tokenOf(data, 'contributor')
  // What tap puts into the environment of a Node is not for another runtime.
  const { NODE_V8_COVERAGE: _, ...env } = environmentFor(data, { NODE_OPTIONS: '', HOME: data })
  const args = ['run', ...denoPermissions(root, data), main, 'serve', '--json']
  const service = startProcess(t, deno ?? '', args, {
    cwd: root,
    env,
    leads: true,
  })
  const [, url = ''] = await service.says(/\{"listening":"([^"]+)"\}/)

  await until('it is ready', async saw => {
    const answer = await json(`${url}/health/ready`)
    saw(answer)
    return answer.status === 200
  })
  await until('every part to be well, the disk too', async saw => {
    const answer = await json(`${url}/health`)
    saw(answer)
    return answer.status === 200 && Object(answer.body).state === 'ok'
  })
  const docs = await fetch(`${url}/docs`)
  t.equal(docs.status, 200)
  t.match(await docs.text(), 'swagger-ui', 'files of a dependency')
  t.match(await json(`${url}/v1/search?q=imprted%201`), {
    status: 200,
    body: { items: [{ entry: { lemma: 'imported 1' }, matched: 'fuzzy', distance: 1 }] },
  })
  const drafted = await json(`${url}/v1/entries`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ language: 'de', lemma: 'Straße', partOfSpeech: 'noun' }),
  })
  // Ids are made from names, and have to come out alike on every runtime: this is one of Node.
  const id = '7e0dc63f-77f8-53b9-b5b2-271a040b6596'
  t.equal(entryId({ language: 'de', lemma: 'Straße', partOfSpeech: 'noun', homograph: 1 }), id)
  t.match(drafted, { status: 201, body: { id, revision: '0' } })
  for (const file of ['events.db', 'read.db'])
    t.equal(statSync(join(data, file)).mode & 0o077, 0, `${file} is its owner's alone`)
  t.equal(await service.stop(), 0, 'closes by itself when told to')
})
