import t from 'tap'
import { openMemoryCache } from '../../../src/adapters/cache/memory.ts'
import { publishEntry, retireEntry } from '../../../src/commands/entries.ts'
import { type CommandRequest, openExecutor } from '../../../src/core/write/execute.ts'
import type { Accepted, Transactor } from '../../../src/core/write/transact.ts'
import type { EntryEvent } from '../../../src/domain/entry/events.ts'
import { noPast } from '../../../src/domain/entry/past.ts'
import { type EntryState, entryAggregate } from '../../../src/domain/entry/state.ts'
import { refuse } from '../../../src/domain/refusal.ts'
import type { Role } from '../../../src/domain/roles.ts'
import { fakeClock } from '../../support/clocks.ts'
import { permissionsOf } from '../../support/roles.ts'

const accepted = (stream: string): Accepted<EntryState> => ({
  outcome: 'accepted',
  stream,
  state: entryAggregate.initial,
  revision: 1n,
  mark: '',
  position: 5n,
  replayed: false,
  events: [],
})

const published: EntryState = {
  past: noPast,
  entry: {
    language: 'en',
    lemma: 'word',
    partOfSpeech: 'noun',
    homograph: 1,
    status: 'published',
    licence: 'l',
    rank: 0,
    content: { variants: [], senses: [], forms: [], pronunciations: [], categories: [] },
    edited: true,
    removed: false,
    contributors: [],
    createdAt: '',
    updatedAt: '',
  },
}

/** A transactor that answers when it is told to. */
const open = () => {
  const clock = fakeClock()
  const running: (() => void)[] = []
  let refused = false
  const ran: string[] = []
  const absent = async () => {
    throw new Error('nothing is asked of it unopened')
  }
  const transactor: Transactor<EntryState, EntryEvent> = {
    aggregate: entryAggregate,
    unopened: { run: absent, load: absent },
    run: async stream => {
      ran.push(stream)
      await new Promise<void>(resolve => running.push(resolve))
      return refused ? refuse('entry-not-found', 'There is no such entry.') : accepted(stream)
    },
    load: async stream => ({
      state: stream === 'entry-there' ? published : entryAggregate.initial,
      revision: stream === 'entry-missing' ? 'none' : 0n,
      mark: '',
      position: 1n,
    }),
    forget: () => undefined,
  }
  let ids = 0
  const newId = (): string => {
    ids += 1
    return `id-${ids}`
  }
  const execute = openExecutor({ cache: openMemoryCache({ clock, max: 100 }), clock, newId })
  const settle = async () => {
    for (let turn = 0; turn < 5; turn += 1) await new Promise<void>(resolve => setImmediate(resolve))
    for (const go of running.splice(0)) go()
  }
  return {
    clock,
    transactor,
    execute,
    settle,
    ran,
    refuse: (value: boolean): void => {
      refused = value
    },
  }
}

const request = (more: Partial<CommandRequest> = {}, role: Role = 'editor'): CommandRequest => ({
  caller: { actor: { kind: 'service', id: 'me' }, permissions: permissionsOf(role) },
  commandId: 'c1',
  fingerprint: 'f1',
  correlationId: 'r',
  keyed: true,
  ifMatch: { revision: 0n },
  ...more,
})
const input = { id: '1', body: {} }

t.test('who may, and which revision they must state', async t => {
  const { execute, transactor, ran } = open()
  t.match(await execute(transactor, publishEntry, input, request({}, 'contributor')), { refused: 'permission-denied' })
  const { ifMatch: _, ...unstated } = request()
  t.match(await execute(transactor, publishEntry, input, unstated), { refused: 'revision-required' })
  t.same(ran, [])
})

t.test('the same key while the first is running, and with another payload elsewhere', async t => {
  const { execute, transactor, settle } = open()
  const first = execute(transactor, publishEntry, input, request())
  await new Promise<void>(resolve => setImmediate(resolve))
  t.match(await execute(transactor, publishEntry, input, request()), { refused: 'idempotency-running' })
  t.match(await execute(transactor, publishEntry, { ...input, id: '2' }, request({ fingerprint: 'f2' })), {
    refused: 'idempotency-key-reused',
  })
  await settle()
  t.match(await first, { outcome: 'accepted' })
  const repeated = execute(transactor, publishEntry, input, request())
  await settle()
  t.match(await repeated, { outcome: 'accepted' }, 'afterwards it goes to the log, which knows its first answer')
})

t.test('a refused command leaves its key free, and one without a key claims nothing', async t => {
  const opened = open()
  const { execute, transactor, settle } = opened
  opened.refuse(true)
  const first = execute(transactor, publishEntry, input, request())
  await settle()
  t.match(await first, { refused: 'entry-not-found' })
  opened.refuse(false)
  const better = execute(transactor, publishEntry, input, request({ fingerprint: 'f2' }))
  await settle()
  t.match(await better, { outcome: 'accepted' })
  const two = [1, 2].map(() => execute(transactor, publishEntry, input, request({ keyed: false, commandId: 'c2' })))
  await settle()
  t.match(await Promise.all(two), [{ outcome: 'accepted' }, { outcome: 'accepted' }])
})

t.test('what has to exist beforehand', async t => {
  const { execute, transactor, settle, ran } = open()
  const retire = (replacedBy: string) =>
    execute(
      transactor,
      retireEntry,
      { id: '1', body: { reason: 'a duplicate', replacedBy } },
      request({ keyed: false }),
    )
  t.match(await retire('draft'), { refused: 'replacement-unknown' }, "what is not published is nobody's to be sent to")
  t.match(await retire('missing'), { refused: 'replacement-unknown', errors: [{ pointer: '/replacedBy' }] })
  t.same(ran, [])
  const there = retire('there')
  await settle()
  t.match(await there, { outcome: 'accepted' })
})
