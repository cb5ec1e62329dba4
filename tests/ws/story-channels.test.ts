/** What the channels of stories tell to whom: by how a story was seen then, and by how it may be seen now. */
import t from 'tap'
import type { Listener, Telling } from '../../src/core/live/channels.ts'
import { openStandings } from '../../src/core/live/standings.ts'
import type { Recorded, Visibility } from '../../src/domain/event.ts'
import { storiesChannel, storyChannel, storyStandings } from '../../src/subscribers/story-channels.ts'
import { recordedAt } from '../support/recorded.ts'
import { anonymousPermissions, permissionsOf, roleRights } from '../support/roles.ts'

const stranger: Listener = { permissions: anonymousPermissions }
const member: Listener = { actor: { kind: 'account', id: 'mia' }, permissions: permissionsOf('contributor') }
const service: Listener = { actor: { kind: 'service', id: 'bot' }, permissions: permissionsOf('contributor') }
const moderator: Listener = { actor: { kind: 'service', id: 'mod' }, permissions: permissionsOf('moderator') }
/** Sees what strangers see. */
const suspended: Listener = { actor: { kind: 'account', id: 'sam' }, permissions: roleRights.suspended }
const listeners = [stranger, member, service, moderator, suspended]

const event = (type: string, position: bigint, visibility: Visibility, data: Recorded['data'] = {}): Recorded =>
  recordedAt(position, { stream: 'story-one', type, data, route: { visibility, language: 'en', owner: 'ada' } })
const nothing = { readAll: async function* () {}, head: async () => 0n }
/** Who is told of the first event, once all have happened. */
const toldAfter = (first: Recorded, ...later: readonly Recorded[]): string => {
  const standings = openStandings(nothing, storyStandings)
  standings.note([first, ...later])
  const telling = (listener: Listener, id?: string): Telling => ({
    event: first,
    type: undefined,
    listener,
    id,
    replayed: false,
    standing: standings.of,
  })
  return listeners
    .map(listener => {
      const on = storiesChannel.carried?.wants(telling(listener))
      t.equal(
        storyChannel.carried?.wants(telling(listener, 'one')),
        on,
        'the channel of the story itself tells the same',
      )
      t.notOk(storyChannel.carried?.wants(telling(listener, 'two')), 'and that of another nothing')
      return on ? 'yes' : 'no'
    })
    .join(' ')
}

t.test('who is told: by then and by now', async t => {
  const published = (visibility: Visibility) => event('StoryPublished', 1n, visibility, { chapters: ['one'] })
  const moved = (visibility: Visibility, position = 2n) => event('StoryVisibilityChanged', position, visibility)
  t.equal(toldAfter(published('public')), 'yes yes yes yes yes')
  t.equal(toldAfter(published('members')), 'no yes no yes no')
  t.equal(toldAfter(published('owner')), 'no no no no no')
  t.equal(toldAfter(published('public'), moved('members')), 'no yes no yes no')
  t.equal(toldAfter(published('public'), moved('owner')), 'no no no no no')
  t.equal(toldAfter(published('public'), moved('owner'), moved('public', 3n)), 'yes yes yes yes yes')
  t.equal(
    toldAfter(published('public'), moved('public', 3n), moved('owner', 2n)),
    'yes yes yes yes yes',
    'in any order',
  )
  t.equal(toldAfter(published('owner'), moved('public')), 'no no no no no', 'what was hidden then is told to nobody')
  t.equal(toldAfter(published('public'), event('StoryUnpublished', 2n, 'owner')), 'no no no no no')
  t.equal(toldAfter(published('public'), event('StoryDeleted', 2n, 'owner')), 'no no no no no')
  t.equal(toldAfter(published('public'), event('StoryEdited', 2n, 'owner')), 'no no no no no', 'for adults since')
})

t.test('ids and counts are told, and who was asked to write it is not', async t => {
  const types = storiesChannel.carried?.from.types ?? []
  t.same([...types].toSorted(), ['ChapterShown', 'StoryCompleted', 'StoryPublished', 'StoryReopened'])
  const shown = event('ChapterShown', 3n, 'public', { chapter: 'one', words: 120, chapterRevision: 2 })
  const telling = { event: shown, type: undefined, listener: stranger, id: undefined, replayed: false }
  t.same(storiesChannel.carried?.data({ ...telling, standing: () => undefined }), {
    storyId: 'one',
    revision: '3',
    language: 'en',
    chapter: 'one',
    words: 120,
    chapterRevision: 2,
  })
  t.not(storiesChannel.carried?.scope(stranger), storiesChannel.carried?.scope(member))
  t.equal(storiesChannel.carried?.scope(stranger), storiesChannel.carried?.scope(service))
})
