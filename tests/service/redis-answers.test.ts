/** Two nodes that keep answers in one Redis, asked by people who may see different things, while entries change. */
import { Redis } from 'ioredis'
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import type { Role } from '../../src/domain/roles.ts'
import { ask, NOT_YET, tokenOf } from '../support/nodes.ts'
import { noRedis, startRedis } from '../support/redis.ts'
import { startService, temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const reason = noRedis()

if (reason !== undefined) t.test('answers kept in Redis', { skip: reason }, () => undefined)
else
  t.test('two nodes keep answers together: none is another actor’s, none behind what was seen', async t => {
    const redis = await startRedis(t)
    const folder = temporaryFolder(t)
    const env = {
      LEXICHRON_CACHE: redis.url,
      LEXICHRON_LIMIT_SEARCH: '0',
      LEXICHRON_LIMIT_READS: '0',
      LEXICHRON_LIMIT_WRITES: '0',
      LEXICHRON_LIMIT_SUGGEST: '0',
    }
    const nodes = [await startService(t, folder, env), await startService(t, folder, env)] as const
    const urls = [nodes[0].url, nodes[1].url] as const
    const bearer = async (role: Role) => ({ authorization: `Bearer ${await tokenOf(folder, role, role, env)}` })
    const [author, admin, editor] = [await bearer('contributor'), await bearer('admin'), await bearer('editor')]
    const call = async (
      node: 0 | 1,
      path: string,
      headers: Record<string, string> = {},
      body?: object,
      method = 'POST',
    ) => {
      const answer = await ask(
        urls[node] + path,
        {
          headers: { ...headers, ...defined({ 'content-type': body && 'application/json' }) },
          ...(body && { method, body: JSON.stringify(body) }),
        },
        NOT_YET,
      )
      return { ...answer, sync: answer.headers.get('sync-token') ?? '' }
    }
    await until('Redis in use', async () => {
      const health = await Promise.all(([0, 1] as const).map(node => call(node, '/health', editor)))
      return health.every(each => /"cache":\{"state":"ok"/.test(each.text)) ? true : undefined
    })

    const drafted = await call(0, '/v1/entries', author, {
      language: 'en',
      lemma: 'kept',
      partOfSpeech: 'noun',
      senses: [{ gloss: 'secret until published' }],
    })
    const path = drafted.headers.get('location') ?? ''
    const seen = { 'sync-token': drafted.sync }
    const asked = [path, '/v1/entries?language=en', '/v1/search?q=kept', `${path}?fields=senses`]
    for (const node of [0, 1] as const) {
      t.match((await call(node, path, { ...author, ...seen })).text, /secret/, 'their own draft')
      for (const each of asked) {
        const forStranger = await call(node, each, seen)
        t.notMatch(forStranger.text, /secret/, `${each} for a stranger, after its author asked`)
        const other = await call(node, each, { ...author, ...seen })
        t.equal(other.headers.get('cache-control'), 'private, no-store')
      }
    }
    const raw = new Redis(redis.url)
    t.teardown(() => raw.disconnect())
    const kept = async () =>
      (await Promise.all((await raw.keys('*}v')).map(key => raw.get(key)))).map(String).join('\n')
    t.notMatch(await kept(), 'secret', 'nothing of a draft is in Redis')

    let etag = drafted.headers.get('etag') ?? ''
    for (const [at, change] of ['publish', 'edit', 'edit', 'retire', 'restore'].entries()) {
      const node = at % 2 === 0 ? (0 as const) : (1 as const)
      const done =
        change === 'edit'
          ? await call(node, path, { ...editor, 'if-match': etag }, { etymology: `form ${at}` }, 'PATCH')
          : await call(
              node,
              `${path}/${change}`,
              { ...editor, 'if-match': etag },
              change === 'publish' ? {} : { reason: 'test' },
            )
      t.equal(done.status, 200, done.text)
      etag = done.headers.get('etag') ?? ''
      for (const reader of [0, 1, 0, 1] as const) {
        const after = { 'sync-token': done.sync }
        const one = await call(reader, path, after)
        const list = await call(reader, '/v1/entries?language=en', after)
        const all = await call(reader, '/v1/entries', { ...after, ...editor })
        t.equal(one.status, change === 'retire' ? 410 : 200)
        for (const answer of change === 'edit' ? [one, list, all] : []) t.match(answer.text, `form ${at}`)
        for (const answer of [list, all]) t.equal(answer.text.includes('"kept"'), change !== 'retire', change)
        t.equal((await call(reader, '/v1/search?q=kept', after)).text.includes('"kept"'), change !== 'retire')
        const again = await call(reader, '/v1/entries?language=en', { 'if-none-match': list.headers.get('etag') ?? '' })
        t.equal(again.status, 304)
        t.equal(list.headers.get('cache-control'), 'public, no-cache')
        t.match(list.headers.get('vary'), /Authorization, Cookie/)
      }
    }
    // A verb has changed nothing about nouns.
    for (const asked of ['noun', 'verb']) {
      const list = `/v1/entries?language=en&partOfSpeech=${asked}`
      await call(0, list)
      t.equal((await call(0, list)).status, 200)
    }
    const marksOf = async () =>
      new Set(
        (await Promise.all((await raw.keys('*}v')).map(key => raw.get(key)))).map(
          each => each?.slice(21).split('\n')[0],
        ),
      )
    const before = await marksOf()
    const verb = await call(0, '/v1/entries', author, {
      language: 'en',
      lemma: 'keep',
      partOfSpeech: 'verb',
      senses: [{ gloss: 'not to lose' }],
    })
    const verbPath = verb.headers.get('location') ?? ''
    const shown = await call(0, `${verbPath}/publish`, { ...editor, 'if-match': '*' }, {})
    const nouns = await call(0, '/v1/entries?language=en&partOfSpeech=noun', { 'sync-token': shown.sync })
    t.notMatch(nouns.text, 'not to lose')
    // Loaded anew it may be, where this node is ahead of what it has told Redis, but under the same marks.
    t.same((await marksOf()).difference(before).size, 0, 'nothing that the list of nouns depends on has changed')
    const verbs = await call(0, '/v1/entries?language=en&partOfSpeech=verb', { 'sync-token': shown.sync })
    t.match(verbs.text, 'not to lose')
    t.match(await kept(), 'secret', 'what is published is')
    const removed = await call(0, `${path}/redact`, { ...admin, 'if-match': etag }, { ground: 'privacy' })
    t.equal(removed.status, 200, removed.text)
    for (const node of [0, 1] as const) {
      t.equal((await call(node, path, { 'sync-token': removed.sync })).status, 404)
      t.notMatch((await call(node, '/v1/entries', { 'sync-token': removed.sync })).text, 'secret')
    }
    await until('its text gone from Redis', async () => ((await kept()).includes('secret') ? undefined : true))
    // Both end, and a new one finds an empty Redis: what was asked most is there before it is asked for.
    for (const node of nodes) t.equal(await node.stop(), 0)
    await raw.flushall()
    await startService(t, folder, env)
    await until('the list loaded', async () => ((await kept()).includes('not to lose') ? true : undefined))
  })
