import { randomBytes } from 'node:crypto'
import canonicalize from 'canonicalize'
import fc from 'fast-check'
import t from 'tap'
import Type from 'typebox'
import { type Log, type NewEvent, UndecodableEventError } from '../../../src/core/log/log.ts'
import { openLog } from '../../../src/core/log/open.ts'
import { defined } from '../../../src/domain/defined.ts'
import { entryEvents } from '../../../src/domain/entry/events.ts'
import { type EventMeta, type EventType, eventType, type JsonObject, type Recorded } from '../../../src/domain/event.ts'
import type { EventStore, LoggedEvent, StoredEvent } from '../../../src/ports/event-store.ts'
import { openMemoryEventStore } from '../../support/memory-event-store.ts'
import { openMemoryKeys } from '../../support/memory-keys.ts'
import { holdsAsync } from '../../support/property.ts'

const sealed = { seal: 'document' as const }
const Noted = eventType(
  'Noted',
  Type.Object(
    {
      topic: Type.String(),
      text: Type.String({ minLength: 1, ...sealed }),
      extra: Type.Optional(Type.Unknown(sealed)),
    },
    { additionalProperties: false },
  ),
)
const Starred = eventType('Starred', Type.Object({ stars: Type.Integer() }, { additionalProperties: false }))
const Anything = eventType('Anything', Type.Unsafe<JsonObject>(Type.Object({})))
const Joined = eventType('Joined', Type.Object({ account: Type.String(), email: Type.String({ seal: 'subject' }) }), {
  subject: data => String(data['account']),
})
const types: readonly EventType[] = [Noted, Starred, Anything, Joined]

const metaOf = (kind: EventMeta['actor']['kind'] = 'account'): NewEvent['meta'] => ({
  actor: { kind, id: 'someone' },
  commandId: 'c-1',
  correlationId: 'r-1',
  causationId: 'c-1',
  at: '2026-01-01T00:00:00.000Z',
  route: { visibility: 'public', language: 'en' },
})

let made = 0
const newEvent = (type: string, data: JsonObject, kind?: EventMeta['actor']['kind']): NewEvent => {
  made += 1
  return { id: `e-${made}`, type, data, meta: metaOf(kind) }
}

const open = (declared = types) => {
  const store = openMemoryEventStore({ pageSize: 4 })
  const keys = openMemoryKeys()
  return { store, keys, log: openLog({ store, keys, types: declared }) }
}

const write = async (log: Log, stream: string, events: readonly NewEvent[], key?: string) => {
  const encoded = await log.encode(stream, 'none', events, key)
  const result = await log.append(encoded)
  if (result.outcome !== 'written') throw new Error(result.outcome)
  return encoded
}

const read = async (log: Log, stream: string): Promise<Recorded[]> => {
  const events: Recorded[] = []
  for await (const page of log.readStream(stream)) events.push(...page)
  return events
}

/** What was read before the failure, and the failure. */
const readUntilFailure = async (pages: AsyncIterable<{ readonly events: readonly Recorded[] }>) => {
  const seen: string[] = []
  try {
    for await (const { events } of pages) seen.push(...events.map(event => event.type))
  } catch (error) {
    if (error instanceof UndecodableEventError) return { types: seen, error }
    throw error
  }
  return { types: seen, error: undefined }
}

/** Writes past the codec. */
const writeRaw = async (store: EventStore, stream: string, events: readonly StoredEvent[]) => {
  await store.append(stream, 'none', events)
}
const only = <T>(list: readonly T[]): T => {
  const [first, ...rest] = list
  if (first === undefined || rest.length > 0) throw new Error(`${list.length} where one was expected`)
  return first
}

t.test('clear events come back as they went in, as canonical JSON', async t => {
  const { log, store } = open()
  const encoded = await write(log, 'note-1', [newEvent('Starred', { stars: 3 })])
  const stored = only(encoded.events)
  t.equal(stored.data, '{"stars":3}')
  t.equal(stored.meta, canonicalize(JSON.parse(stored.meta)), 'meta is canonical')
  t.equal(encoded.key, undefined, 'no key was needed')
  const event = only(await read(log, 'note-1'))
  t.same(event.data, { stars: 3 })
  t.same(event.meta, { ...metaOf(), schema: 1 })
  t.notOk(event.removed)
  t.equal(event.revision, 0n)
  t.equal(await log.head(), await store.head())
  t.equal(log.logId, store.logId)
  t.equal(log.types.get('Noted'), Noted)
})

t.test('meta is canonical with every member there is', async t => {
  const { log } = open()
  const full = {
    id: 'x',
    type: 'Starred',
    data: { stars: 1 },
    meta: {
      ...metaOf(),
      fingerprint: 'f"\\é\u2028',
      traceparent: '00-1-2-01',
      route: { visibility: 'owner' as const, owner: 'o', language: 'de' },
    },
  }
  const stored = only((await log.encode('note-1', 'none', [full])).events)
  t.equal(stored.meta, canonicalize({ ...full.meta, schema: 1 }))
})

t.test('people’s text is sealed under one key an append, and opened again', async t => {
  const { log, keys } = open()
  const encoded = await write(log, 'note-1', [
    newEvent('Noted', { topic: 'a', text: 'secret words', extra: { deep: [1, 'x'] } }),
    newEvent('Starred', { stars: 1 }),
    newEvent('Noted', { topic: 'b', text: 'more words' }),
  ])
  const [first, second, third] = encoded.events
  t.notMatch(JSON.stringify(encoded.events), /words|deep/, 'no text in the store')
  t.match(first?.data, /^\{"\$sealed":"[\w-]+","topic":"a"\}$/)
  t.equal(JSON.parse(first?.meta ?? '{}').key, encoded.key)
  t.equal(JSON.parse(third?.meta ?? '{}').key, encoded.key)
  t.equal(JSON.parse(second?.meta ?? '{}').key, undefined)
  const blob = Buffer.from(JSON.parse(first?.data ?? '{}').$sealed, 'base64url')
  t.equal(blob.length, 12 + '{"extra":{"deep":[1,"x"]},"text":"secret words"}'.length + 16)
  const events = await read(log, 'note-1')
  t.same(
    events.map(event => event.data),
    [{ topic: 'a', text: 'secret words', extra: { deep: [1, 'x'] } }, { stars: 1 }, { topic: 'b', text: 'more words' }],
  )
  t.equal(keys.asked.length, 1, 'one look-up of keys a page')

  const again = await log.encode('note-1', 2n, [newEvent('Noted', { topic: 'c', text: 'later' })], encoded.key)
  t.equal(again.key, encoded.key, 'the stream keeps its key')
  await keys.destroy(encoded.key ?? '')
  const fresh = await log.encode('note-1', 2n, [newEvent('Noted', { topic: 'c', text: 'later' })], encoded.key)
  t.not(fresh.key, encoded.key, 'a destroyed key seals nothing more')
  const clear = await log.encode('note-1', 2n, [newEvent('Starred', { stars: 1 })], encoded.key)
  t.equal(clear.key, encoded.key, 'nothing to seal leaves the key as it is')
})

t.test('a type that asks for a fresh key gets one, and what follows goes on under it', async t => {
  const Turned = eventType('Turned', Type.Object({ text: Type.String(sealed), isFresh: Type.Boolean() }), {
    freshKey: ({ isFresh }) => isFresh === true,
  })
  const { log, keys } = open([...types, Turned])
  const append = async (expected: bigint | 'none', event: NewEvent, key?: string) => {
    const encoded = await log.encode('note-1', expected, [event], key)
    await log.append(encoded)
    return encoded.key
  }
  const first = await append('none', newEvent('Noted', { topic: 'a', text: 'one' }))
  const kept = await append(0n, newEvent('Turned', { text: 'two', isFresh: false }), first)
  const second = await append(1n, newEvent('Turned', { text: 'three', isFresh: true }), kept)
  const third = await append(2n, newEvent('Noted', { topic: 'a', text: 'four' }), second)
  t.equal(kept, first)
  t.not(second, first)
  t.equal(third, second)
  await keys.destroy(first ?? '')
  t.strictSame(
    (await read(log, 'note-1')).map(({ data, removed }) => (removed ? 'removed' : data['text'])),
    ['removed', 'removed', 'three', 'four'],
  )
})

t.test('the same event is sealed differently each time', async t => {
  const { log } = open()
  const event = newEvent('Noted', { topic: 'a', text: 'words' })
  const { key } = await log.encode('note-1', 'none', [event])
  const blobs = new Set<string>()
  for (let n = 0; n < 1200; n += 1) blobs.add(only((await log.encode('note-1', 'none', [event], key)).events).data)
  t.equal(blobs.size, 1200)
})

t.test('imported text stays clear; without text there is no key', async t => {
  const { log } = open()
  const encoded = await write(log, 'note-1', [newEvent('Noted', { topic: 'a', text: 'kept' }, 'import')])
  t.equal(only(encoded.events).data, '{"text":"kept","topic":"a"}')
  t.equal(encoded.key, undefined)
  t.same(only(await read(log, 'note-1')).data, { topic: 'a', text: 'kept' })
})

t.test('a destroyed key makes the members removed', async t => {
  const { log, keys } = open()
  const { key } = await write(log, 'note-1', [newEvent('Noted', { topic: 'a', text: 'words' })])
  await write(log, 'note-2', [newEvent('Noted', { topic: 'b', text: 'others' })])
  await keys.destroy(key ?? '')
  const gone = only(await read(log, 'note-1'))
  t.equal(gone.removed, true)
  t.same(gone.data, { topic: 'a' })
  t.same(only(await read(log, 'note-2')).data, { topic: 'b', text: 'others' })
})

t.test('personal data is sealed under the subject’s key, imported or not', async t => {
  const { log, keys } = open()
  const joined = (kind?: 'import') => newEvent('Joined', { account: 'a-1', email: 'a@example.org' }, kind)
  const encoded = await write(log, 'account-1', [joined(), joined('import')])
  for (const stored of encoded.events) {
    t.equal(JSON.parse(stored.meta).key, 'subject:a-1')
    t.notMatch(stored.data, /example/)
  }
  t.equal(encoded.key, undefined, 'a subject’s key is not the stream’s document key')
  t.same(
    (await read(log, 'account-1')).map(event => event.data.email),
    ['a@example.org', 'a@example.org'],
  )
  await keys.destroy('subject:a-1')
  t.same(
    (await read(log, 'account-1')).map(event => [event.data, event.removed]),
    [
      [{ account: 'a-1' }, true],
      [{ account: 'a-1' }, true],
    ],
  )
  const late = await write(log, 'account-2', [joined()])
  t.equal(only(late.events).data, '{"account":"a-1"}', 'nothing is written about who was erased')
  t.match(only(await read(log, 'account-2')), { removed: true, data: { account: 'a-1' } })
})

t.test('tampered, moved or unreadable events stop the reader after those before them', async t => {
  const flip = (data: string): string => {
    const parsed = JSON.parse(data)
    const bytes = Buffer.from(parsed.$sealed, 'base64url')
    bytes[20] = (bytes[20] ?? 0) ^ 1
    return JSON.stringify({ ...parsed, $sealed: bytes.toString('base64url') })
  }
  const cases: Record<
    string,
    { change: (event: StoredEvent) => StoredEvent; reason: UndecodableEventError['reason'] }
  > = {
    'a flipped bit': { change: event => ({ ...event, data: flip(event.data) }), reason: 'corrupt' },
    'a blob too short': { change: event => ({ ...event, data: '{"$sealed":"AAAA","topic":"a"}' }), reason: 'corrupt' },
    'no blob': { change: event => ({ ...event, data: '{"topic":"a"}' }), reason: 'corrupt' },
    'a blob that is no text': { change: event => ({ ...event, data: '{"$sealed":5}' }), reason: 'corrupt' },
    'another id': { change: event => ({ ...event, id: 'other' }), reason: 'corrupt' },
    'a key that is not named': {
      change: event => ({ ...event, meta: event.meta.replace(/"key":"[^"]*",/, '') }),
      reason: 'corrupt',
    },
    'data that is no JSON': { change: event => ({ ...event, data: '{' }), reason: 'corrupt' },
    'meta that is no JSON': { change: event => ({ ...event, meta: '' }), reason: 'corrupt' },
    'data that is a list': { change: event => ({ ...event, data: '[]' }), reason: 'corrupt' },
    'an envelope without an actor': {
      change: event => ({ ...event, meta: event.meta.replace('"actor":', '"author":') }),
      reason: 'corrupt',
    },
    'an unknown type': { change: event => ({ ...event, type: 'Sung' }), reason: 'unknown-type' },
    'a newer schema': {
      change: event => ({ ...event, meta: event.meta.replace('"schema":1', '"schema":2') }),
      reason: 'newer-schema',
    },
  }
  for (const [name, { change, reason }] of Object.entries(cases)) {
    const { log, store } = open()
    await write(log, 'note-0', [newEvent('Starred', { stars: 1 }), newEvent('Noted', { topic: 'a', text: 'fine' })])
    const good = await log.encode('note-1', 'none', [
      newEvent('Noted', { topic: 'b', text: 'fine' }),
      newEvent('Noted', { topic: 'a', text: 'words' }),
    ])
    await writeRaw(
      store,
      'note-1',
      good.events.map((event, index) => (index === 1 ? change(event) : event)),
    )
    await write(log, 'note-2', [newEvent('Starred', { stars: 2 })])
    const all = await readUntilFailure(log.readAll(0n))
    t.same(all.types, ['Starred', 'Noted', 'Noted'], `${name}: what was before is yielded`)
    t.match(all.error, { reason, event: { stream: 'note-1', position: 12n } }, name)
    t.notMatch(all.error?.message, /words|fine/, `${name}: the error tells no text`)
    const stream = await readUntilFailure(
      (async function* () {
        for await (const events of log.readStream('note-1')) yield { events }
      })(),
    )
    t.same(stream.types, ['Noted'], `${name}: in its stream too`)
    t.equal(stream.error?.reason, reason)
  }

  const { log, store } = open()
  const { events } = await log.encode('note-1', 'none', [newEvent('Noted', { topic: 'a', text: 'words' })])
  await writeRaw(store, 'note-9', events)
  t.match(await readUntilFailure(log.readAll(0n)), { types: [], error: { reason: 'corrupt' } }, 'another stream')
})

t.test('a failure in a sealed event before an unknown one is the first to be told', async t => {
  const { log, store } = open()
  const { events } = await log.encode('note-1', 'none', [
    newEvent('Noted', { topic: 'a', text: 'words' }),
    newEvent('Noted', { topic: 'a', text: 'words' }),
    newEvent('Starred', { stars: 1 }),
  ])
  await writeRaw(
    store,
    'note-1',
    events.map((event, index) =>
      index === 1 ? { ...event, data: '{}' } : index === 2 ? { ...event, type: 'Sung' } : event,
    ),
  )
  const { types: seen, error } = await readUntilFailure(log.readAll(0n))
  t.same(seen, ['Noted'])
  t.equal(error?.reason, 'corrupt')
})

t.test('keys that cannot be read are no removal', async t => {
  const { log, store, keys } = open()
  await write(log, 'note-1', [newEvent('Noted', { topic: 'a', text: 'words' })])
  const away = openLog({
    store,
    types,
    keys: { ...keys, find: () => Promise.reject(new Error('keys are away')) },
  })
  await t.rejects(read(away, 'note-1'), { message: 'keys are away' })
})

t.test('older versions are lifted, also when their text was removed, and checked', async t => {
  const first = eventType('Named', Type.Object({ name: Type.String(sealed), rank: Type.Integer() }))
  const third = eventType(
    'Named',
    Type.Object({ name: Type.Object({ full: Type.String() }, sealed), level: Type.Integer({ minimum: 1 }) }),
    {
      version: 3,
      upcasters: {
        1: ({ rank, ...data }) => ({ ...data, level: rank }),
        2: data => ({ ...data, ...defined({ name: data['name'] !== undefined ? { full: data['name'] } : undefined }) }),
      },
    },
  )
  const { store, keys, log } = open([first])
  const { key } = await write(log, 'name-1', [newEvent('Named', { name: 'Ada', rank: 2 })])
  await write(log, 'name-2', [newEvent('Named', { name: 'Bob', rank: 3 }, 'import')])
  await write(log, 'name-3', [newEvent('Named', { name: 'Cy', rank: 0 }, 'import')])
  const newer = openLog({ store, keys, types: [third] })
  t.match(only(await read(newer, 'name-1')), { data: { name: { full: 'Ada' }, level: 2 }, meta: { schema: 1 } })
  t.same(only(await read(newer, 'name-2')).data, { name: { full: 'Bob' }, level: 3 })
  await t.rejects(read(newer, 'name-3'), { reason: 'corrupt', message: /version 3/ })
  await keys.destroy(key ?? '')
  t.match(only(await read(newer, 'name-1')), { data: { level: 2 }, removed: true })
  const throwing = eventType('Named', Type.Object({}), {
    version: 2,
    upcasters: {
      1: () => {
        throw new Error('no')
      },
    },
  })
  const broken = openLog({ store, keys, types: [throwing] })
  await t.rejects(read(broken, 'name-2'), { reason: 'corrupt', message: /version 1/ })
})

t.test('what does not fit is refused before anything is written, without telling its text', async t => {
  const { log } = open()
  const refused = async (type: string, data: JsonObject, message: RegExp) => {
    const error: unknown = await log.encode('note-1', 'none', [newEvent(type, data)]).then(
      () => undefined,
      error => error,
    )
    if (!(error instanceof TypeError)) return t.fail(`no TypeError for ${type}`)
    t.match(error.message, message)
    t.notMatch(error.message, /private/)
  }
  await refused('Sung', {}, /not declared/)
  await refused('Starred', { stars: 'private' }, /stars/)
  await refused('Starred', { stars: 1, moons: 1 }, /moons/)
  await refused('Noted', { topic: 'a' }, /text/)
  await refused('Noted', { topic: 'private \ud800', text: 'x' }, /surrogate/i)
  await refused('Noted', { topic: 'a', text: 'private \udfff' }, /surrogate/i)
  await refused('Anything', { deep: [{ n: Number.NaN }] }, /NaN/)
  t.throws(() => openLog({ ...open(), types: [Noted, Noted] }), /twice/)
  t.throws(() => eventType('Lost', Type.Object({ email: Type.String({ seal: 'subject' }) })), /subject/)
})

t.test('lone surrogates in the log do not crash a reader', async t => {
  const { log, store } = open()
  const stored = only((await log.encode('note-1', 'none', [newEvent('Anything', { a: 1 })])).events)
  await writeRaw(store, 'note-1', [{ ...stored, data: '{"a":"\\ud800"}' }])
  t.same(only(await read(log, 'note-1')).data, { a: '\ud800' })
})

t.test('subscriptions and filters pass through, decoded', async t => {
  const { log, store } = open()
  await write(log, 'note-1', [newEvent('Starred', { stars: 1 }), newEvent('Noted', { topic: 'a', text: 'b' })])
  const over = new AbortController()
  const seen: string[] = []
  for await (const batch of log.subscribe(0n, { types: ['Noted'] }, over.signal)) {
    seen.push(...batch.events.map(event => `${event.type} ${event.data['text']}`))
    if (seen.length === 1 && batch.caughtUp) await write(log, 'note-2', [newEvent('Noted', { topic: 'a', text: 'c' })])
    if (seen.length === 2) over.abort()
  }
  t.same(seen, ['Noted b', 'Noted c'])
  const results = await log.appendMany([await log.encode('note-3', 'none', [newEvent('Starred', { stars: 1 })])])
  t.match(results, [{ outcome: 'written', position: await store.head() }])
})

t.test('property: any JSON goes through clear and sealed, byte for byte canonical', async t => {
  const Sealed = eventType('Sealed', Type.Unsafe<JsonObject>(Type.Object({ a: Type.Optional(Type.Unknown(sealed)) })))
  const json = fc.jsonValue({ noUnicodeString: false }).filter(value => JSON.stringify(value).isWellFormed())
  const wellFormed = fc.string({ unit: 'binary' }).filter(text => text.isWellFormed() && text !== '$sealed')
  await holdsAsync(
    fc.asyncProperty(
      fc.dictionary(wellFormed, json, { maxKeys: 6 }),
      fc.option(json, { nil: undefined }),
      async (rest, inner) => {
        const { log } = open([Sealed])
        const data: JsonObject = JSON.parse(JSON.stringify({ ...rest, a: inner }))
        const encoded = await write(log, 'x-1', [newEvent('Sealed', data)])
        const stored: LoggedEvent | StoredEvent = only(encoded.events)
        if (stored.data !== canonicalize(JSON.parse(stored.data))) throw new Error(`not canonical: ${stored.data}`)
        if ((encoded.key !== undefined) !== (inner !== undefined)) throw new Error('sealed when it should not be')
        const [event] = await read(log, 'x-1')
        return canonicalize(event?.data) === canonicalize(data)
      },
    ),
    150,
  )
  t.pass('150 documents')
})

t.test('property: whatever bytes the log holds, reading either works or says undecodable', async t => {
  await holdsAsync(
    fc.asyncProperty(
      fc.json(),
      fc.json(),
      fc.constantFrom('Noted', 'Joined', 'EntryDrafted'),
      async (data, meta, type) => {
        const { log, store } = open([...types, ...entryEvents])
        await writeRaw(store, 'x-1', [{ id: 'x', type, data, meta }])
        const { error } = await readUntilFailure(log.readAll(0n))
        return error !== undefined
      },
    ),
    200,
  )
  const valid = JSON.stringify({ ...metaOf(), schema: 1, key: 'document:1' })
  await holdsAsync(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async bytes => {
      const { store, keys } = open()
      const secret = randomBytes(32)
      const log = openLog({
        store,
        types,
        keys: { ...keys, find: async () => new Map([['document:1', { name: 'document:1', secret }]]) },
      })
      const $sealed = Buffer.from(bytes).toString('base64url')
      await writeRaw(store, 'x-1', [
        { id: 'x', type: 'Noted', data: JSON.stringify({ topic: 'a', $sealed }), meta: valid },
      ])
      const { error } = await readUntilFailure(log.readAll(0n))
      return error?.reason === 'corrupt'
    }),
    200,
  )
  t.pass('400 events')
})
