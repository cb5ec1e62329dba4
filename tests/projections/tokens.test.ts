import t, { type Test } from 'tap'
import Type from 'typebox'
import { openLog } from '../../src/core/log/open.ts'
import {
  issueToken,
  type revokeToken,
  type TokenEvent,
  tokenAggregate,
  tokenEvents,
  tokenStream,
} from '../../src/domain/access/token.ts'
import { eventType } from '../../src/domain/event.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import type { Expected } from '../../src/ports/event-store.ts'
import { followTokens } from '../../src/projections/tokens.ts'
import { type FakeClock, fakeClock, settle } from '../support/clocks.ts'
import { openMemoryEventStore } from '../support/memory-event-store.ts'
import { openMemoryKeys } from '../support/memory-keys.ts'

const Other = eventType('Other', Type.Object({}))

const open = (t: Test) => {
  const clock = fakeClock()
  const store = openMemoryEventStore()
  const keys = openMemoryKeys()
  const log = openLog({ store, keys, types: [...tokenEvents, Other] })
  let away = false
  const over = new AbortController()
  const fragile = {
    subscribe: log.subscribe,
    head: () => (away ? Promise.reject(new Error('away')) : log.head()),
  }
  const start = () => {
    const follower = followTokens({ log: fragile, clock, signal: over.signal })
    t.teardown(async () => {
      over.abort()
      await follower.done
    })
    return follower
  }
  const write = async (
    stream: string,
    expected: Expected,
    type: string,
    data: TokenEvent['data'] | Record<string, never>,
  ) => {
    const meta = {
      actor: { kind: 'service' as const, id: 'admin' },
      commandId: 'c',
      correlationId: 'r',
      causationId: 'c',
      at: clock.now().toISOString(),
      route: tokenAggregate.route(undefined),
    }
    const encoded = await log.encode(stream, expected, [{ id: `${stream} ${type}`, type, data: { ...data }, meta }])
    const result = await log.append(encoded)
    await settle()
    return result.outcome === 'written' ? result.position : 0n
  }
  const issue = async (tokenId: string, lifeMs = 3_600_000) => {
    const request = { tokenId, role: 'editor' as const, subject: `s-${tokenId}`, name: 'Bot', lifeMs, now: clock.now() }
    const [event] = decided(issueToken(request)(undefined))
    return write(tokenStream(tokenId), 'none', event?.type ?? '', event?.data ?? {})
  }
  const revoke = (tokenId: string) => write(tokenStream(tokenId), 0n, 'TokenRevoked', { by: 'admin' })
  return {
    clock,
    store,
    keys,
    log,
    start,
    issue,
    revoke,
    write,
    over,
    setAway: (value: boolean) => {
      away = value
    },
  }
}
const decided = (decision: ReturnType<ReturnType<typeof revokeToken>>) => {
  if (isRefusal(decision)) throw new Error(decision.detail)
  return decision
}
const advance = async (clock: FakeClock, ms: number, step = 1000) => {
  for (let passed = 0; passed < ms; passed += step) await clock.advance(step)
}

t.test('follows what is issued and revoked, from the start of the log and on', async t => {
  const { start, issue, revoke, keys, over } = open(t)
  await issue('early')
  const follower = start()
  await settle()
  t.match(follower.state('early'), { id: 'early', role: 'editor', subject: 's-early', name: 'Bot', revoked: false })
  t.equal(follower.state('late'), undefined)
  await issue('late')
  t.equal(follower.state('late')?.revoked, false)
  await revoke('late')
  t.equal(follower.state('late')?.revoked, true)
  t.same(
    follower.list().map(token => token.id),
    ['early', 'late'],
  )
  await keys.destroy('subject:s-early')
  const again = start()
  await settle()
  t.equal(again.state('early')?.name, undefined, 'an erased name is gone after a restart')
  t.equal(again.state('late')?.revoked, true)
  over.abort()
  await follower.done
})

t.test('says when it last knew everything, though nothing happens', async t => {
  const { start, clock, setAway, issue, write } = open(t)
  const follower = start()
  t.equal(follower.heardAt(), Number.NEGATIVE_INFINITY, 'not before the first time')
  await settle()
  t.equal(follower.heardAt(), 0)
  await advance(clock, 30_000)
  t.equal(follower.heardAt(), 30_000, 'an idle log is heard')
  await write('other-1', 'none', 'Other', {})
  await advance(clock, 1000)
  t.equal(follower.heardAt(), 31_000, 'events of others too')
  setAway(true)
  await advance(clock, 12_000)
  t.equal(follower.heardAt(), 31_000, 'a log that does not answer is not')
  setAway(false)
  await advance(clock, 1000)
  t.equal(follower.heardAt(), 44_000)
  t.equal(await issue('x'), follower.position())
})

t.test('a subscription that lags is not heard until it has caught up with what the head was', async t => {
  const { clock, log, issue } = open(t)
  await issue('x')
  let release: () => void = () => undefined
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  const over = new AbortController()
  const slow = {
    head: log.head,
    subscribe: async function* (...args: Parameters<typeof log.subscribe>) {
      await held
      yield* log.subscribe(...args)
    },
  }
  const follower = followTokens({ log: slow, clock, signal: over.signal })
  await advance(clock, 5000)
  t.equal(follower.heardAt(), Number.NEGATIVE_INFINITY)
  release()
  await settle()
  t.equal(follower.heardAt(), 5000)
  over.abort()
  await follower.done
})

t.test('waits for a position, for a bounded time', async t => {
  const { start, clock, issue } = open(t)
  const follower = start()
  const position = await issue('x')
  t.equal(await follower.reached(position, 0), true)
  const waiting = follower.reached(position + 3n, 2000)
  await issue('y')
  t.equal(await waiting, true)
  t.ok(clock.sleepers() <= 1, 'its timer is gone')
  const never = follower.reached(position + 1000n, 2000)
  await advance(clock, 2000)
  t.equal(await never, false)
})

t.test('comes back after the log or the keys failed; stops at what it cannot read', async t => {
  const { clock, log, store, issue, revoke } = open(t)
  let failures = 2
  const failing = {
    head: log.head,
    subscribe: (...args: Parameters<typeof log.subscribe>) => {
      failures -= 1
      if (failures >= 0) throw new Error('keys are away')
      return log.subscribe(...args)
    },
  }
  await issue('x')
  const over = new AbortController()
  t.teardown(() => over.abort())
  const follower = followTokens({ log: failing, clock, signal: over.signal })
  await advance(clock, 1000, 500)
  t.ok(follower.state('x'))
  await store.append('token-z', 'none', [{ id: 'z', type: 'TokenBlessed', data: '{}', meta: '{}' }])
  await settle()
  t.match(follower.stopped(), { reason: 'unknown-type' })
  const heard = follower.heardAt()
  await revoke('x')
  await advance(clock, 20_000)
  t.equal(follower.heardAt(), heard, 'it says that it hears nothing any more')
  await follower.done
})

t.test('one tail for names too: what this build cannot read of them keeps nobody’s rights from it', async t => {
  const { clock, log, store, issue, revoke } = open(t)
  const over = new AbortController()
  t.teardown(() => over.abort())
  const [heard, passed]: [string[], string[]] = [[], []]
  let tails = 0
  const counted = {
    head: log.head,
    subscribe: (...args: Parameters<typeof log.subscribe>) => {
      tails += 1
      return log.subscribe(...args)
    },
  }
  const follower = followTokens({
    log: counted,
    clock,
    signal: over.signal,
    people: { apply: event => void heard.push(event.stream) },
    onPassed: ({ event }) => void passed.push(event.stream),
  })
  await issue('x')
  await settle()
  t.equal(tails, 1)
  await store.append('profile-z', 'none', [{ id: 'z', type: 'ProfilePraised', data: '{}', meta: '{}' }])
  await advance(clock, 1000)
  t.same(passed, ['profile-z'])
  t.equal(follower.stopped(), undefined)
  await revoke('x')
  await advance(clock, 1000)
  t.equal(follower.state('x')?.revoked, true)
  t.same(heard, [], 'tokens are none of their business')
})

t.test('tokens that expired long ago are forgotten', async t => {
  const { start, clock, issue } = open(t)
  const follower = start()
  for (let n = 0; n < 900; n += 1) await issue(`old-${n}`, 1000)
  await clock.advance(24 * 3_600_000 + 2000)
  for (let n = 0; n < 200; n += 1) await issue(`new-${n}`)
  t.equal(follower.list().length, 200)
  t.equal(follower.state('old-1'), undefined)
  t.equal(follower.state('new-0')?.revoked, false)
})
