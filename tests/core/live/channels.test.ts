/** Channels as areas declare them: their names, who may listen, what is checked of clients, and what is told to whom. */
import t from 'tap'
import Type from 'typebox'
import { asyncApi } from '../../../src/adapters/ws/asyncapi.ts'
import { systemClock } from '../../../src/app/core.ts'
import { type LiveChannel, listeningFault, newsOf, openChannels } from '../../../src/core/live/channels.ts'
import { idMember, typeMember } from '../../../src/core/live/filter-members.ts'
import { FilterFault, openFilters } from '../../../src/core/live/filters.ts'
import { openHub } from '../../../src/core/live/hub.ts'
import { openMessages } from '../../../src/core/live/messages.ts'
import { replayPageBytes } from '../../../src/core/live/replays.ts'
import { closedSchema, liveEventSchemas, membersOf } from '../../../src/core/live/schemas.ts'
import type { LiveSink } from '../../../src/core/live/transport.ts'
import { openMemory } from '../../../src/core/memory/memory.ts'
import { eventType } from '../../../src/domain/event.ts'
import { idOf } from '../../../src/domain/ids.ts'
import { NO_MARK } from '../../../src/domain/mark.ts'
import type { Permission } from '../../../src/domain/roles.ts'
import { memoryLog } from '../../support/memory-log.ts'
import { until } from '../../support/until.ts'

const Shelved = eventType('Shelved', Type.Object({ title: Type.String() }, { additionalProperties: false }))
const ShelfMoved = eventType('ShelfMoved', Type.Object({}, { additionalProperties: false }))
const categories = [{ category: 'shelf', events: [Shelved, ShelfMoved] }]

const [one, other] = ['01890000-0000-7000-8000-00000000000a', '01890000-0000-7000-8000-000000000002']

const shelves: LiveChannel = {
  name: 'shelves',
  about: 'What is shelved.',
  filters: { type: typeMember, id: idMember },
  carried: {
    from: { types: [Shelved.type] },
    scope: () => 'all',
    wants: () => true,
    data: ({ event }) => event.data,
    schema: type => closedSchema(membersOf(type).properties, membersOf(type).required),
  },
}
const shelf: LiveChannel = {
  ...shelves,
  name: 'shelf:{id}',
  about: 'What happens to one shelf.',
  needs: 'actor',
  filters: {},
  carried: {
    from: { categories: ['shelf'] },
    scope: () => 'all',
    wants: ({ event, id }) => idOf(event.stream) === id,
    data: ({ event }) => event.data,
    schema: type => closedSchema(membersOf(type).properties, membersOf(type).required),
  },
}
const dust = {
  name: 'dust',
  about: 'How much there is.',
  filters: { kind: { judge: (value: string) => value, fits: () => false } },
  clocked: { Dust: { schema: Type.Object({}) }, Secret: { schema: Type.Object({}), needs: 'entries:edit' as const } },
}
const channels = openChannels([shelves, shelf, dust])
const stranger = { permissions: new Set<never>() }

t.test('a channel is found by its name, one of many by an id in it', async t => {
  t.match(channels.find('shelves'), { channel: { name: 'shelves' }, name: 'shelves', id: undefined })
  t.match(channels.find(`shelf:${one}`), { channel: { name: 'shelf:{id}' }, name: `shelf:${one}`, id: one })
  for (const name of ['shelf', 'shelf:', 'shelf:{id}', `shelf:${one}x`, `shelf:${one.toUpperCase()}`, `shelves:${one}`])
    t.equal(channels.find(name), undefined, name)
  const words = openChannels([{ ...shelf, ids: '[a-z]{1,5}|x' }])
  t.equal(words.find('shelf:botany'), undefined)
  t.match(words.find('shelf:plant'), { id: 'plant' })
  t.throws(() => openChannels([shelves, dust, shelves]), { message: 'two channels are called shelves' })
  t.throws(() => openChannels([{ ...shelves, name: 'a:b' }]), { message: 'a:b is no name of a channel' })
})

t.test('who may listen is what the channel says', async t => {
  const [all, single] = [channels.find('shelves'), channels.find(`shelf:${one}`)]
  if (!all || !single) throw new Error('They are not there.')
  t.equal(listeningFault(all, stranger), undefined)
  t.match(listeningFault(single, stranger), { detail: `The channel shelf:${one} needs an access token.` })
  t.equal(listeningFault(single, { ...stranger, actor: { kind: 'account', id: 'a' } }), undefined)
  const kept = openChannels([{ ...shelves, needs: 'entries:edit' }]).find('shelves')
  t.match(kept && listeningFault(kept, stranger), { refused: 'permission-denied' })
})

t.test('what clients ask for is checked against it', async t => {
  const read = openMessages(channels)
  const subscribe = (channel: string) => read(JSON.stringify({ op: 'subscribe', id: 'a', channel }))
  t.match(subscribe(`shelf:${one}`), { message: { channel: { id: one } } })
  for (const channel of ['shelf:x', 'entries', ''])
    t.match(subscribe(channel), {
      fault: {
        code: 'message-invalid',
        pointer: '/channel',
        detail: 'subscribe: /channel: This has to be one of shelves, shelf:{id}, dust.',
      },
    })
  const filter = openFilters(channels, categories, [])
  t.strictSame(filter(shelves, { id: one.toUpperCase() }), { id: one })
  t.match(filter(shelves, { type: 'ShelfMoved' }), { message: 'type has to be one of Shelved.', member: 'type' })
  t.ok(filter(shelf, { type: 'Shelved' }) instanceof FilterFault)
  t.throws(() => filter({ ...shelves }, {}), { message: 'the channel shelves is none of these' })
})

t.test('the documents are made of it', async t => {
  const schemas = liveEventSchemas(channels.all, categories)
  t.strictSame(
    schemas.map(({ channel, type }) => `${channel} ${type}`),
    ['shelves Shelved', 'shelf:{id} Shelved', 'shelf:{id} ShelfMoved', 'dust Dust', 'dust Secret'],
  )
  const text = JSON.stringify(asyncApi('1', channels.all, schemas))
  t.match(text, 'What happens to one shelf. Filters: none. Needs actor.')
  t.match(text, '"One of shelves, shelf:{id}, dust."')
  t.match(text, '#/channels/live/messages/shelf-of-one.ShelfMoved')
})

/** Keeps the channels' words as they come. */
const sinkOf = (took: (text: string) => void): LiveSink => ({
  owner: 'owner',
  transport: {
    name: 'words',
    encode: ({ op }) => Buffer.from(op),
    around: ({ type, data }) => ({ before: Buffer.from(`${type} `), after: Buffer.from(` ${JSON.stringify(data)}`) }),
    join: ({ before, after }, id) => Buffer.concat([before, id, after]),
  },
  send: bytes => took(String(bytes)),
  flush: () => undefined,
  alone: () => true,
  full: () => false,
  drained: async () => true,
  tooSlow: () => undefined,
})

t.test('the hub tells each what is of its channel, and its id', async t => {
  const log = memoryLog()
  const ending = new AbortController()
  t.teardown(() => ending.abort())
  const hub = openHub({
    log: { ...log, types: new Map() },
    clock: { ...systemClock, sleep: async () => new Promise(resolve => setImmediate(resolve)) },
    signal: ending.signal,
    from: { position: 0n, mark: NO_MARK },
    tokenOf: ({ position }) => String(position),
    news: newsOf(dust, { Dust: () => [{ kind: 'fine' }, { kind: 'coarse' }], Secret: () => [{ kind: 'fine' }] }),
    standings: { refresh: async () => undefined, note: () => undefined, of: () => undefined },
    replays: 100,
    pages: openMemory(8_000_000).region('replays').cache({ max: 1, sizeOf: replayPageBytes }),
    onError: error => t.fail('the hub complained', { error }),
  })
  const heard: Record<string, string[]> = {}
  const listen = (name: string, filter = {}, permissions: ReadonlySet<Permission> = new Set()) => {
    const channel = channels.find(name)
    if (!channel) throw new Error(`There is no channel ${name}.`)
    const id = `${name}${permissions.size}`
    const told: string[] = []
    heard[id] = told
    hub.subscribe(
      { id, channel, filter, listener: { permissions } },
      sinkOf(text => told.push(text)),
    )
    return told
  }
  const [all, first, second] = [listen('shelves'), listen(`shelf:${one}`), listen(`shelf:${other}`)]
  const [fine, secret] = [
    listen('dust', { kind: 'fine' }),
    listen('dust', { kind: 'fine' }, new Set(['entries:edit' as const])),
  ]
  log.write(`shelf-${one}`, 'Shelved', { title: 'a' })
  log.write(`shelf-${other}`, 'ShelfMoved', {})
  log.write(`shelf-${other}`, 'Shelved', { title: 'b' })
  await until('the last event', () => second.some(text => text.includes('"b"')))
  const events = (told: readonly string[]) => [...told.join().matchAll(/Shel\w+/g)].map(([type]) => type)
  t.strictSame([all, first, second].map(events), [['Shelved', 'Shelved'], ['Shelved'], ['ShelfMoved', 'Shelved']])
  await until('what the clock tells', () => fine.join().includes('Dust') && secret.join().includes('Secret'))
  t.notMatch([...fine, ...secret].join(), 'coarse')
  t.notMatch(fine.join(), 'Secret')
})
