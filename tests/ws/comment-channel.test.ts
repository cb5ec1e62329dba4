/** What the channel of a thread tells to whom: by for whom the work was then, and by for whom it is now; and never what was said, or who. */
import t from 'tap'
import type { Listener, Telling } from '../../src/core/live/channels.ts'
import { openChannels } from '../../src/core/live/channels.ts'
import { openStandings } from '../../src/core/live/standings.ts'
import { defined } from '../../src/domain/defined.ts'
import { EntryRetired } from '../../src/domain/entry/events.ts'
import type { JsonObject, Recorded, Visibility } from '../../src/domain/event.ts'
import { commentStandings, commentsChannel } from '../../src/subscribers/comment-channel.ts'
import { storyStandings } from '../../src/subscribers/story-channels.ts'
import { recordedAt } from '../support/recorded.ts'
import { anonymousPermissions, permissionsOf, roleRights } from '../support/roles.ts'

const stranger: Listener = { permissions: anonymousPermissions }
const member: Listener = { actor: { kind: 'account', id: 'mia' }, permissions: permissionsOf('contributor') }
const service: Listener = { actor: { kind: 'service', id: 'bot' }, permissions: permissionsOf('contributor') }
const moderator: Listener = { actor: { kind: 'service', id: 'mod' }, permissions: permissionsOf('moderator') }

let position = 0n
const happened = (stream: string, type: string, visibility: Visibility = 'public', data: JsonObject = {}): Recorded => {
  position += 1n
  return recordedAt(position, { stream, type, data, route: { visibility, owner: 'ada' } })
}
const posted = (thread: string, visibility: Visibility = 'public', story?: string): Recorded =>
  happened('comment-c1', 'CommentPosted', visibility, {
    thread,
    author: 'ada',
    parent: 'c0',
    text: 'said',
    ...defined({ story }),
  })
/** Sees what strangers see. */
const suspended: Listener = { actor: { kind: 'account', id: 'sam' }, permissions: roleRights.suspended }
const nothing = { readAll: async function* () {}, head: async () => 0n }
/** Who is told of it, once all has happened. */
const toldAfter = (event: Recorded, ...later: readonly Recorded[]): string => {
  const rules = [...storyStandings, ...commentStandings, { type: EntryRetired, says: 'retired' as const }]
  const standings = openStandings(nothing, rules)
  standings.note(later)
  const telling = (listener: Listener, id: string): Telling => ({
    event,
    type: undefined,
    listener,
    id,
    replayed: false,
    standing: standings.of,
  })
  return [stranger, member, service, moderator, suspended]
    .map(listener => {
      t.notOk(commentsChannel.carried?.wants(telling(listener, 'story-other')), 'nothing on that of another')
      return commentsChannel.carried?.wants(telling(listener, String(event.data['thread']))) ? 'yes' : 'no'
    })
    .join(' ')
}

t.test('by for whom the work was then, and is now', async t => {
  const story = (visibility: Visibility = 'public') => posted('story-one', visibility, 'one')
  t.equal(toldAfter(story()), 'yes yes yes yes yes')
  t.equal(toldAfter(story('members')), 'no yes no yes no')
  t.equal(toldAfter(story('owner')), 'no no no no no')
  t.equal(toldAfter(story(), happened('story-one', 'StoryVisibilityChanged', 'members')), 'no yes no yes no')
  t.equal(toldAfter(story(), happened('story-one', 'StoryUnpublished', 'owner')), 'no no no no no')
  t.equal(toldAfter(story(), happened('story-one', 'StoryDeleted', 'owner')), 'no no no no no')
  const chapter = () => posted('chapter-x', 'public', 'one')
  t.equal(toldAfter(chapter()), 'yes yes yes yes yes')
  t.equal(toldAfter(chapter(), happened('story-one', 'StoryUnpublished', 'owner')), 'no no no no no')
  t.equal(toldAfter(chapter(), happened('chapter-x', 'ChapterUnpublished', 'owner')), 'no no no no no')
  t.equal(toldAfter(chapter(), happened('chapter-x', 'ChapterDeleted', 'owner')), 'no no no no no')
  const hidden = happened('chapter-x', 'ChapterUnpublished', 'owner')
  t.equal(toldAfter(chapter(), hidden, happened('chapter-x', 'ChapterPublished', 'owner')), 'yes yes yes yes yes')
  t.equal(toldAfter(posted('entry-e')), 'yes yes yes yes yes')
  t.equal(toldAfter(posted('entry-e'), happened('entry-e', 'EntryRetired')), 'no no no no no')
  t.equal(toldAfter(posted('word-e')), 'no no no no no', 'about nothing that is known')
})

t.test('ids are told, and neither what was said nor who said it', async t => {
  const telling: Telling = {
    event: posted('story-one', 'public', 'one'),
    type: undefined,
    listener: stranger,
    id: 'story-one',
    replayed: false,
    standing: () => undefined,
  }
  t.same(commentsChannel.carried?.data(telling), { commentId: 'c1', thread: 'story-one', parent: 'c0' })
  const channels = openChannels([commentsChannel])
  const id = '501a48e3-b4ec-5dec-be9f-e904d6447fe3'
  t.equal(channels.find(`comments:entry-${id}`)?.id, `entry-${id}`)
  t.equal(channels.find(`comments:word-${id}`), undefined)
  t.equal(channels.find('comments:story-x'), undefined)
})
