/** A display name across two streams: two nodes on one log, and processes that end between the streams. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { editOwnProfile, type ProfileDeps } from '../../src/commands/profiles.ts'
import { openLog } from '../../src/core/log/open.ts'
import { type Envelope, openTransactor } from '../../src/core/write/transact.ts'
import { accountAggregate, accountEvents } from '../../src/domain/account/account.ts'
import type { Aggregate } from '../../src/domain/decider.ts'
import type { DomainEvent } from '../../src/domain/event.ts'
import { nameAggregate, nameEvents } from '../../src/domain/profile/name-claim.ts'
import { preferencesAggregate, preferencesEvents } from '../../src/domain/profile/preferences.ts'
import { profileAggregate, profileEvents, profileStream } from '../../src/domain/profile/profile.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { fakeClock } from '../support/clocks.ts'
import { openMemoryEventStore } from '../support/memory-event-store.ts'
import { openMemoryKeys } from '../support/memory-keys.ts'

const clock = fakeClock()
const keys = openMemoryKeys()
const types = [...accountEvents, ...profileEvents, ...preferencesEvents, ...nameEvents]
const log = openLog({ store: openMemoryEventStore(), keys, types })
const open = <S, E extends DomainEvent>(aggregate: Aggregate<S, E>) =>
  openTransactor({
    aggregate,
    log,
    clock: { ...clock, sleep: async () => {} },
    random: Math.random,
    cachedStreams: 100,
  })
const node = (): ProfileDeps => ({
  accounts: open(accountAggregate),
  profiles: open(profileAggregate),
  preferences: open(preferencesAggregate),
  names: open(nameAggregate),
  nameSecret: new Uint8Array(32),
  clock,
  newId: randomUUID,
})
const [here, there] = [node(), node()]
const by = (id: string): Envelope => ({
  commandId: randomUUID(),
  correlationId: 'r',
  at: clock.now(),
  actor: { kind: 'account', id },
})
const name = async (deps: ProfileDeps, id: string, displayName: string | null): Promise<string | undefined> => {
  const result = await editOwnProfile(deps, id, { displayName }, undefined, by(id))
  return isRefusal(result) ? result.refused : result.state.displayName
}
const MINUTE = 60_000

t.test('one name, two nodes, many at once: one has it', async t => {
  const asked = Array.from({ length: 20 }, (_, at) => name(at % 2 === 0 ? here : there, `racer-${at}`, 'Prize'))
  const outcomes = await Promise.all(asked)
  t.equal(outcomes.filter(each => each === 'Prize').length, 1)
  t.equal(outcomes.filter(each => each === 'name-taken').length, 19)
})

t.test('a name in use never lapses; one that was given up does', async t => {
  t.equal(await name(here, 'a', 'Ada'), 'Ada')
  await clock.advance(1000 * MINUTE)
  t.equal(await name(there, 'b', 'ADA'), 'name-taken')
  t.equal(await name(here, 'a', 'Bea'), 'Bea')
  t.equal(await name(there, 'b', 'Ada'), 'Ada', 'claimed long ago, given up now')
  t.equal(await name(there, 'a', 'Ada'), 'name-taken')
  t.equal(await name(there, 'a', null), undefined)
  t.equal(await name(here, 'c', 'Bea'), 'name-taken', 'claimed just now')
  await clock.advance(15 * MINUTE)
  t.equal(await name(here, 'c', 'Bea'), 'Bea')
})

t.test('a process that ended after the claim locks no name', async t => {
  const dying: ProfileDeps = { ...here, profiles: { ...here.profiles, run: () => Promise.reject(new Error('killed')) } }
  await t.rejects(name(dying, 'd', 'Lost'), { message: 'killed' })
  t.equal(await name(there, 'e', 'Lost'), 'name-taken')
  await clock.advance(15 * MINUTE)
  t.equal(await name(there, 'e', 'Lost'), 'Lost')
  t.equal(await name(here, 'd', 'Lost'), 'name-taken', 'too late for who came first')
})

t.test('a process that slept through its claim does not write the name', async t => {
  const slow: ProfileDeps = {
    ...here,
    names: {
      ...here.names,
      run: async (...given) => {
        const claimed = await here.names.run(...given)
        await clock.advance(16 * MINUTE)
        return claimed
      },
    },
  }
  t.equal(await name(slow, 'f', 'Slow'), 'conflict')
  t.equal(await name(there, 'g', 'Slow'), 'Slow')
})

t.test('without its key nothing is left of a profile but the claim', async t => {
  t.equal(await name(here, 'h', 'Gone'), 'Gone')
  await keys.destroy('subject:h')
  const { state } = await node().profiles.load(profileStream('h'))
  t.match(state, { edits: 1, accountId: 'h', languages: [] })
  t.equal(state.displayName, undefined)
})
