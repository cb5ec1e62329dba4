/**
 * One server a process for bench/http.ts, by name. Prints `{url, token?}` once it listens. The peers share Fastify, its
 * schema validation and the bytes answered; they differ in what is measured.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import fastify from 'fastify'
import pino from 'pino'
import Type from 'typebox'
import { openMemoryCache } from '../../src/adapters/cache/memory.ts'
import { openSqliteEventStore } from '../../src/adapters/eventstore/sqlite/store.ts'
import type { HttpDeps } from '../../src/adapters/http/deps.ts'
import { entryExample, exampleId } from '../../src/adapters/http/examples.ts'
import { dictionaryProblems } from '../../src/adapters/http/problems/dictionary.ts'
import { type EntryQueries, entryRoutes } from '../../src/adapters/http/routes/entries.ts'
import { openHttpServer } from '../../src/adapters/http/server.ts'
import { openFileKeys } from '../../src/adapters/keys/file.ts'
import { systemClock as clock } from '../../src/app/core.ts'
import { openApp } from '../../src/app/program.ts'
import { loadConfig } from '../../src/config/load.ts'
import { openLog } from '../../src/core/log/open.ts'
import { openExecutor } from '../../src/core/write/execute.ts'
import { openTransactor } from '../../src/core/write/transact.ts'
import { defined } from '../../src/domain/defined.ts'
import { entryEvents } from '../../src/domain/entry/events.ts'
import { entryAggregate } from '../../src/domain/entry/state.ts'
import { openTurns } from '../../src/domain/turns.ts'
import type { EventStore } from '../../src/ports/event-store.ts'
import { wordOfTheDay } from '../../src/queries/days.ts'
import * as entries from '../../src/queries/entries.ts'
import { randomEntry } from '../../src/queries/entry-draw.ts'
import { exportEntries } from '../../src/queries/entry-export.ts'
import { listEntries } from '../../src/queries/entry-lists.ts'
import { EntrySchema, type EntryView } from '../../src/queries/entry-view.ts'
import { searchEntries, suggestEntries } from '../../src/queries/search-entries.ts'
import { anonymousPermissions, permissionsOf } from '../../tests/support/roles.ts'

const [name = '', folder = ''] = process.argv.slice(2)
const { author: _a, contributors: _c, ...rest } = entryExample('published', '1')
const view: EntryView = { ...JSON.parse(JSON.stringify(rest)) }

/** The route as anybody would write it first: parameters and answer by schema, the object in memory. */
const bare = async () => {
  const app = fastify()
  app.get(
    '/v1/entries/:id',
    {
      schema: {
        params: Type.Object({ id: Type.String({ pattern: '^[0-9a-f-]{36}$' }) }),
        response: { 200: JSON.parse(JSON.stringify({ ...EntrySchema, $id: undefined })) },
      },
    },
    async () => view,
  )
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }) }
}

/** An event store that forgets: it answers at once that it is written. */
const forgetful = (): EventStore => {
  let position = 0n
  const written = { outcome: 'written', revision: 0n, recordedAt: '2026-01-01T00:00:00.000Z', repeated: false } as const
  const append = async () => {
    position += 1n
    return { ...written, position }
  }
  const none = async function* () {}
  return {
    logId: 'forgetful',
    append,
    readStream: none,
    readAll: none,
    subscribe: none,
    appendMany: async appends => Promise.all(appends.map(append)),

    readAt: async () => [],
    head: async () => position,
    close: async () => undefined,
  }
}

/** The edge and the write side on a store, without projections and without limits; the one entry it reads is in memory. */
const edge = async (store: EventStore) => {
  const keys = await openFileKeys({ folder: join(folder, 'keys'), randomBytes, clock })
  const log = openLog({ store, keys, types: [...entryEvents] })
  const cache = openMemoryCache({ clock, max: 1000 })
  const absent = (): never => {
    throw new Error('This benchmark reads nothing here.')
  }
  const nothing = {
    name: '',
    get: absent,
    find: absent,
    select: absent,
    count: absent,
    generation: () => '',
    position: () => 0n,
  }
  const none = { ...nothing, waitFor: async () => undefined, scopes: async () => undefined, ready: async () => true }
  const streams = openTransactor({ aggregate: entryAggregate, log, clock, random: Math.random, cachedStreams: 10_000 })
  const reads = { entries: none, log, streams, folds: openTurns(1, 1) }
  const queries: EntryQueries = {
    getEntry: { ...entries.getEntry(reads), run: async () => ({ value: view, position: 1n }) },
    listEntries: listEntries(reads),
    entryHistory: entries.entryHistory(reads),
    randomEntry: randomEntry(reads, absent),
    exportEntries: exportEntries(reads),
    wordOfTheDay: wordOfTheDay({ reads, clock, chosen: absent, choose: absent, pointOf: absent }),
    searchEntries: searchEntries({ search: none, entries: none }),
    suggestEntries: suggestEntries({ search: none, entries: none }),
  }
  const deps: HttpDeps = {
    settings: {
      allowedOrigins: [],
      trustedProxies: [],
      connections: 0,
      limits: { reads: 0, suggest: 0, search: 0, writes: 0, signIns: 0, addressWork: 0, accountWork: 0, streams: 0 },
    },
    version: '0',
    problems: [dictionaryProblems],
    routes: [entryRoutes({ transactor: streams, queries })],
    execute: openExecutor({ cache, clock, newId: randomUUID }),
    freshness: { position: () => 1n, waitFor: async () => undefined, scopes: async () => undefined },
    log,
    keys,
    cache,
    clock,
    newId: randomUUID,
    logger: pino({ level: 'silent' }),
    authority: {
      authenticate: () => ({ actor: { kind: 'service', id: 'bench' }, permissions: permissionsOf('editor') }),
      current: () => undefined,
      strangers: anonymousPermissions,
      deafFor: () => 0,
      reached: async () => true,
    },
  }
  const server = await openHttpServer(deps)
  return { url: (await server.listen('127.0.0.1', 0)).address, token: 'bench' }
}

/** Publishes the entry that is read. */
const publish = async (url: string, token: string): Promise<void> => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const { language, lemma, partOfSpeech, homograph, senses, pronunciations } = view
  const plain = (senses ?? []).map(({ id: _, ...sense }) => sense)
  const body = JSON.stringify({ language, lemma, partOfSpeech, homograph, senses: plain, pronunciations })
  await fetch(`${url}/v1/entries`, { method: 'POST', headers, body })
  const path = `${url}/v1/entries/${exampleId}`
  const done = await fetch(`${path}/publish`, { method: 'POST', headers: { ...headers, 'if-match': '*' }, body: '{}' })
  await fetch(path, { headers: { 'sync-token': done.headers.get('sync-token') ?? '' } })
}

/** The service as it is started in earnest: tokens, limits, log, projections. */
const service = async () => {
  const many = '1000000'
  const limits = {
    LEXICHRON_LIMIT_READS: many,
    LEXICHRON_LIMIT_WRITES: many,
    LEXICHRON_LIMIT_SEARCH: many,
    LEXICHRON_LIMIT_SUGGEST: many,
    LEXICHRON_LIMIT_WORK_ADDRESS: '0',
    LEXICHRON_LIMIT_WORK_ACCOUNT: '0',
  }
  const cache = process.env['BENCH_CACHE']
  const env = {
    ...defined({ LEXICHRON_CACHE: cache }),
    LEXICHRON_DATA_DIR: folder,
    PORT: '0',
    LEXICHRON_SAMPLE: 'none',
    LEXICHRON_LOG_LEVEL: 'info',
    ...limits,
  }
  const app = await openApp(loadConfig(env, folder), { purpose: 'serve', version: '0' })
  const url = await app.listen()
  const issued = await app.tokens.create({ role: 'editor', for: 'bench', lifeMs: 3_600_000 })
  if ('refused' in issued) throw new Error(issued.detail)
  await publish(url, issued.token)
  return { url, token: issued.token }
}

const sqlite = () => openSqliteEventStore({ path: join(folder, 'events.db'), clock, newId: randomUUID })
/** The service with `BENCH_PEOPLE` accounts more, `known0@bench.example` and on; prints their passwords too. */
const people = async () => {
  const env = { BENCH_PEOPLE: '0', ...process.env }
  const many = {
    LEXICHRON_LIMIT_SIGN_INS: '1000000',
    LEXICHRON_LIMIT_READS: '1000000',
    LEXICHRON_LIMIT_WORK_ADDRESS: '0',
    LEXICHRON_LIMIT_WORK_ACCOUNT: '0',
  }
  const settings = {
    LEXICHRON_DATA_DIR: folder,
    PORT: '0',
    LEXICHRON_SAMPLE: 'none',
    LEXICHRON_TRUSTED_PROXIES: '127.0.0.1',
    LEXICHRON_LOG_LEVEL: 'info',
    ...many,
  }
  const app = await openApp(loadConfig(settings, folder), { purpose: 'serve', version: '0' })
  const url = await app.listen()
  const issued = await app.tokens.create({ role: 'editor', for: 'bench', lifeMs: 3_600_000 })
  if ('refused' in issued) throw new Error(issued.detail)
  await publish(url, issued.token)
  const passwords: string[] = []
  for (let n = 0; n < Number(env.BENCH_PEOPLE); n += 1) {
    const made = await app.accounts.create({ email: `known${n}@bench.example`, role: 'contributor' })
    if ('refused' in made) throw new Error(made.detail)
    passwords.push(made.password ?? '')
  }
  return { url, passwords }
}

const servers: Readonly<Record<string, () => Promise<{ readonly url: string; readonly token?: string }>>> = {
  bare,
  service,
  unprotected: async () => ({ url: (await edge(forgetful())).url }),
  forgetful: () => edge(forgetful()),
  paused: async () => edge(await sqlite()),
  people,
}
const open = servers[name]
if (!open) throw new Error(`There is no server ${name}.`)
process.stdout.write(`${JSON.stringify(await open())}\n`)
