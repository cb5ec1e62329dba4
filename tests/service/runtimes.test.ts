/** The service on a runtime that is not Node; that it runs on Node, every other test of a service shows. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { entryId } from '../../src/domain/ids.ts'
import { importWords, tokenOf } from '../support/nodes.ts'
import { startProcess } from '../support/processes.ts'
import { environmentFor, main, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const json = async (url: string, init?: RequestInit): Promise<{ status: number; body: unknown }> => {
  const answer = await fetch(url, init)
  return { status: answer.status, body: await answer.json() }
}

t.test('Deno starts, serves, writes and stops', async t => {
  const data = temporaryFolder(t)
  await importWords(data, 3)
  const token = await tokenOf(data, 'contributor')
  // What tap puts into the environment of a Node is not for another runtime.
  const { NODE_V8_COVERAGE: _, ...env } = environmentFor(data, { NODE_OPTIONS: '', HOME: data })
  const args = ['run', '-A', '--node-modules-dir=manual', main, 'serve', '--json']
  const service = startProcess(t, join(root, 'node_modules/.bin/deno'), args, {
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
  t.equal(await service.stop(), 0, 'closes by itself when told to')
})
