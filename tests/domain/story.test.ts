import t from 'tap'
import type { By } from '../../src/domain/decider.ts'
import type { Recorded } from '../../src/domain/event.ts'
import type { Role } from '../../src/domain/roles.ts'
import * as authors from '../../src/domain/story/authors.ts'
import * as chapters from '../../src/domain/story/chapters.ts'
import { readStory, tagKey } from '../../src/domain/story/content.ts'
import * as decide from '../../src/domain/story/decisions.ts'
import { type StoryEvent, storyEvents } from '../../src/domain/story/events.ts'
import { instantAt } from '../../src/domain/story/local-time.ts'
import { isListedFor, storySight } from '../../src/domain/story/sight.ts'
import { evolveStory, type Story, type StoryState, storyAggregate, wordsOf } from '../../src/domain/story/story.ts'
import { ratings, storyLimits, visibilities, warnings } from '../../src/domain/story/terms.ts'
import { permissionsOf, roleRights } from '../support/roles.ts'
import { type Given, scenario } from '../support/scenario.ts'

const NOW = new Date('2026-03-01T00:00:00Z')
const by = (role: Role, id = 'ada'): By => ({
  id,
  permissions: permissionsOf(role),
  now: NOW,
  commandId: '3f1c6a52-0c4b-5a7e-8a51-2f6d0b9c7e11',
})
const ada = by('contributor')
const bert = by('contributor', 'bert')

const begun: Given<StoryEvent> = {
  type: 'StoryBegun',
  data: {
    author: 'ada',
    language: 'en',
    title: 'The Lighthouse',
    tags: ['sea'],
    warnings: [],
    rating: 'general',
    visibility: 'public',
  },
}
const hidden: Given<StoryEvent> = { ...begun, data: { ...begun.data, visibility: 'private' } }
const invited: Given<StoryEvent> = { type: 'AuthorInvited', data: { account: 'bert' } }
const joined: Given<StoryEvent> = { type: 'InvitationAccepted', data: { account: 'bert' } }
const added = (chapter: string, author = 'ada'): Given<StoryEvent> => ({
  type: 'ChapterAdded',
  data: { chapter, by: author },
})
const shown = (chapter: string, words = 100, revision = 1): Given<StoryEvent> => ({
  type: 'ChapterShown',
  data: { chapter, words, chapterRevision: revision },
})
const published: Given<StoryEvent> = { type: 'StoryPublished', data: { chapters: ['one'] } }
const deleted: Given<StoryEvent> = { type: 'StoryDeleted', data: { chapters: ['one'], ground: 'author' } }
const open = [begun, added('one'), shown('one'), published] as const

const story = scenario(storyAggregate)
const of = (state: StoryState): Story => {
  if (!state) throw new Error('there is no story')
  return state
}

t.test('beginning', async () => {
  const begin = decide.beginStory('en', { title: '  The Lighthouse ', tags: ['Sea', 'sea', 'SEA', 'love'] }, ada)
  story
    .given()
    .when(begin)
    .then('StoryBegun')
    .thenState(state => {
      t.match(of(state), { title: 'The Lighthouse', tags: ['Sea', 'love'], authors: ['ada'], rating: 'general' })
      t.match(of(state), { visibility: 'private', isPublished: false, isCompleted: false, isDeleted: false })
    })
  story.given(begun).when(begin).thenRefused('conflict')
  story
    .given()
    .when(decide.beginStory('en', {}, ada))
    .thenRefused('text-invalid')
  story
    .given()
    .when(decide.beginStory('en', { title: ' ' }, ada))
    .thenRefused('text-invalid')
  story
    .given()
    .when(decide.beginStory('en', { title: 'x' }, { ...ada, kind: 'service' }))
    .thenRefused('permission-denied')
})

t.test('texts are what they may be, and each fault has its place', async () => {
  const faultsOf = (input: Parameters<typeof readStory>[0]) => {
    const read = readStory(input)
    return 'refused' in read ? (read.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`) : []
  }
  t.same(faultsOf({ title: 'x'.repeat(255), summary: 's'.repeat(1_250) }), [])
  t.same(faultsOf({ title: 'x'.repeat(256) }), ['/title text-invalid'])
  t.same(faultsOf({ title: '😀'.repeat(255) }), [], 'limits count code points')
  t.same(faultsOf({ title: '😀'.repeat(256) }), ['/title text-invalid'])
  t.same(faultsOf({ title: 'a\ud800b' }), ['/title text-invalid'])
  t.same(faultsOf({ title: 'a\nb' }), ['/title text-invalid'])
  t.same(faultsOf({ summary: 's'.repeat(1_251) }), ['/summary text-invalid'])
  const tags = (count: number) => Array.from({ length: count }, (_, i) => `tag ${i}`)
  t.same(faultsOf({ tags: tags(75) }), [])
  t.same(faultsOf({ tags: tags(76) }), ['/tags too-many'])
  t.same(faultsOf({ tags: ['ok', 'x'.repeat(151), '\u202eevil'] }), ['/tags/1 text-invalid', '/tags/2 text-invalid'])
  t.same(readStory({ title: 'Cafe\u0301' }), { title: 'Café' }, 'in normal form')
  t.same(readStory({ summary: '  ' }), { summary: null })
  t.same(readStory({ warnings: ['war', 'abuse', 'war'] }), { warnings: ['abuse', 'war'] })
  t.equal(tagKey('ÉTÉ'), tagKey('e\u0301te\u0301'), 'without case, in either spelling')
  t.not(tagKey('été'), tagKey('ete'))
  t.match(tagKey('日本'), /^[ -~]+$/)
})

t.test('editing', async () => {
  const edit = decide.editStory({ title: 'The Lamp', summary: 'Of light.', rating: 'teen' }, ada)
  const edited = story
    .given(...open)
    .when(edit)
    .then('StoryEdited')
  edited.thenState(state =>
    t.match(of(state), { title: 'The Lamp', summary: 'Of light.', rating: 'teen', tags: ['sea'] }),
  )
  edited.again(edit).thenNothing()
  edited.again(decide.editStory({ summary: null }, ada)).thenState(state => t.notOk(of(state).summary))
  t.match(edited.events, [{ data: { chapters: ['one'] } }], 'with the chapters that it is found by')
  story
    .given(...open)
    .when(decide.editStory({ visibility: 'members', tags: ['SEA'] }, ada))
    .then('StoryVisibilityChanged', 'StoryEdited')
  t.comment(
    'those who may not see it any more are told nothing of what it says now, those who may are told what it says',
  )
  for (const visibility of ['private', 'unlisted'] as const)
    story
      .given(...open)
      .when(decide.editStory({ visibility, title: 'The Secret' }, ada))
      .then('StoryVisibilityChanged', 'StoryEdited')
  story
    .given({ ...begun, data: { ...begun.data, visibility: 'private' } })
    .when(decide.editStory({ visibility: 'public', title: 'The Lamp' }, ada))
    .then('StoryEdited', 'StoryVisibilityChanged')
  story
    .given(begun)
    .when(decide.editStory({ visibility: null }, ada))
    .then('StoryVisibilityChanged')
  story
    .given(begun)
    .when(decide.editStory({ title: null }, ada))
    .thenRefused('text-invalid')
  story
    .given(begun)
    .when(decide.editStory({ title: 'x' }, bert))
    .thenRefused('story-not-found')
  story
    .given(...open)
    .when(decide.editStory({ title: 'x' }, bert))
    .thenRefused('permission-denied')
  story.given(begun, deleted).when(edit).thenRefused('story-not-found')
  story.given().when(edit).thenRefused('story-not-found')
})

t.test('publishing', async () => {
  const publish = decide.publishStory(ada)
  story.given(begun).when(publish).thenRefused('story-incomplete')
  story.given(begun, added('one')).when(publish).thenRefused('story-incomplete')
  const done = story.given(begun, added('one'), shown('one')).when(publish).thenEvents(published)
  done.again(publish).thenNothing()
  story
    .given(...open)
    .when(decide.unpublishStory(ada))
    .then('StoryUnpublished')
    .again(decide.unpublishStory(ada))
    .thenNothing()
  story.given(begun).when(decide.unpublishStory(bert)).thenRefused('story-not-found')
  const first = of(story.given(...open).state).publishedAt
  const again = story.given(...open, { type: 'StoryUnpublished', data: { chapters: ['one'] } }, published).state
  t.equal(of(again).publishedAt, first, 'the first publication is what it is listed by')
  story
    .given(begun)
    .when(decide.completeStory(ada))
    .then('StoryCompleted')
    .again(decide.completeStory(ada))
    .thenNothing()
  story.given(begun).when(decide.reopenStory(ada)).thenNothing()
  const completed: Given<StoryEvent> = { type: 'StoryCompleted', data: {} }
  story.given(begun, completed).when(decide.reopenStory(ada)).then('StoryReopened')
  story.given(begun).when(decide.completeStory(bert)).thenRefused('story-not-found')
})

t.test('planning a publication', async () => {
  const plan = (at: string, timeZone = 'Europe/Madrid') => {
    const due = instantAt(at, timeZone)
    if (typeof due === 'string') throw new Error(due)
    return decide.scheduleStory({ at, timeZone, due }, ada)
  }
  const ready = [begun, added('one'), shown('one')] as const
  const planned = story
    .given(...ready)
    .when(plan('2026-07-01T18:00'))
    .thenEvents({
      type: 'StoryScheduled',
      data: { at: '2026-07-01T18:00', timeZone: 'Europe/Madrid', due: '2026-07-01T16:00:00.000Z' },
    })
  planned.again(plan('2026-07-01T18:00')).thenNothing()
  planned.again(plan('2026-07-02T18:00')).then('StoryScheduled')
  planned.again(decide.publishAsPlanned('2026-07-01T16:00:00.000Z')).then('StoryPublished')
  planned.again(decide.publishAsPlanned('2026-07-02T16:00:00.000Z')).thenNothing()
  planned
    .again(decide.cancelSchedule(ada))
    .then('StoryScheduleCancelled')
    .again(decide.cancelSchedule(ada))
    .thenNothing()
  planned.again(decide.publishStory(ada)).thenState(state => t.notOk(of(state).schedule, 'published before its time'))
  story
    .given(...ready)
    .when(plan('2026-02-28T23:59', 'UTC'))
    .thenRefused('schedule-invalid')
  story
    .given(...ready)
    .when(plan('2026-03-01T00:00', 'UTC'))
    .thenRefused('schedule-invalid')
  story.given(begun).when(plan('2026-07-01T18:00')).thenRefused('story-incomplete')
  story
    .given(...open)
    .when(plan('2026-07-01T18:00'))
    .thenRefused('story-published')
  const scheduled: Given<StoryEvent> = {
    type: 'StoryScheduled',
    data: { at: '2026-07-01T16:00', timeZone: 'UTC', due: '2026-07-01T16:00:00.000Z' },
  }
  story
    .given(...ready, scheduled)
    .when(chapters.hideChapter({ chapter: 'one', revision: 2 }, ada))
    .thenRefused('last-chapter')
  const gone: Given<StoryEvent> = { type: 'ChapterWithdrawn', data: { chapter: 'one' } }
  story
    .given(...ready, scheduled, gone)
    .when(decide.publishAsPlanned('2026-07-01T16:00:00.000Z'))
    .then('StoryScheduleCancelled')
})

t.test('what the clock of a zone shows', async () => {
  const iso = (at: string, zone: string) => {
    const found = instantAt(at, zone)
    return typeof found === 'string' ? found : found.toISOString()
  }
  t.equal(iso('2026-12-24T18:00', 'Europe/Madrid'), '2026-12-24T17:00:00.000Z')
  t.equal(iso('2026-12-24T18:00:30', 'Asia/Kathmandu'), '2026-12-24T12:15:30.000Z')
  t.equal(iso('2026-03-29T02:30', 'Europe/Madrid'), 'gap', 'clocks are put forward over it')
  t.equal(iso('2026-03-29T03:00', 'Europe/Madrid'), '2026-03-29T01:00:00.000Z')
  t.equal(iso('2026-03-29T01:59:59', 'Europe/Madrid'), '2026-03-29T00:59:59.000Z')
  t.equal(iso('2026-10-25T02:30', 'Europe/Madrid'), '2026-10-25T00:30:00.000Z', 'the first of two')
  t.equal(iso('2026-10-04T02:15', 'Australia/Lord_Howe'), 'gap', 'half an hour forward')
  t.equal(iso('2011-12-30T12:00', 'Pacific/Apia'), 'gap', 'a day that there never was')
  t.equal(iso('2026-02-30T12:00', 'UTC'), 'no-time')
  t.equal(iso('2026-02-28T24:00', 'UTC'), 'no-time')
  t.equal(iso('0026-02-28T12:00', 'UTC'), 'no-time')
})

t.test('writing together', async () => {
  const invite = authors.inviteAuthor('bert', true, ada)
  story.given(begun).when(invite).thenEvents(invited).again(invite).thenNothing()
  story.given(begun, invited, joined).when(invite).thenNothing()
  story
    .given(begun)
    .when(authors.inviteAuthor('bert', false, ada))
    .thenRefused('invitee-unknown')
  story
    .given(begun)
    .when(authors.inviteAuthor('ada', true, ada))
    .thenRefused('invitee-unknown')
  story
    .given(begun)
    .when(authors.inviteAuthor('carl', true, bert))
    .thenRefused('story-not-found')
  story
    .given(begun, invited)
    .when(authors.inviteAuthor('carl', true, bert))
    .thenRefused('story-not-found')
  const many = Array.from(
    { length: storyLimits.authors - 1 },
    (_, i): Given<StoryEvent> => ({
      type: 'AuthorInvited',
      data: { account: `guest ${i}` },
    }),
  )
  story
    .given(begun, ...many)
    .when(invite)
    .thenRefused('authors-full')

  const accept = authors.acceptInvitation(false, bert)
  const accepted = story.given(begun, invited).when(accept).thenEvents(joined)
  accepted.again(accept).thenNothing()
  story.given(begun, invited).when(authors.acceptInvitation(true, bert)).thenRefused('invitation-not-found')
  accepted.again(authors.acceptInvitation(true, bert)).thenNothing()
  accepted.thenState(state => t.same(of(state).authors, ['ada', 'bert']))
  for (const answer of [accept, authors.declineInvitation(bert)])
    for (const given of [[], [begun], [begun, deleted]] as const)
      story
        .given(...given)
        .when(answer)
        .thenRefused('invitation-not-found')
  story
    .given(begun, invited)
    .when(authors.declineInvitation(bert))
    .then('InvitationDeclined')
    .thenState(state => t.same([of(state).authors, of(state).invited], [['ada'], []]))
    .again(accept)
    .thenRefused('invitation-not-found')
  const withdraw = authors.withdrawInvitation('bert', ada)
  story.given(begun, invited).when(withdraw).then('InvitationWithdrawn').again(withdraw).thenNothing()
  story.given(begun, invited).when(authors.withdrawInvitation('bert', bert)).thenRefused('story-not-found')
  story.given(begun, invited).when(authors.uninvite('bert')).then('InvitationWithdrawn')
  story.given(begun).when(authors.uninvite('bert')).thenNothing()
})

t.test('leaving', async () => {
  const leave = authors.leaveStory(bert)
  story
    .given(begun, invited, joined)
    .when(leave)
    .then('AuthorLeft')
    .thenState(state => t.same([of(state).authors, of(state).former], [['ada'], []]))
    .again(leave)
    .thenRefused('story-not-found')
  story.given(begun).when(authors.leaveStory(ada)).thenRefused('last-author')
  story
    .given(...open)
    .when(leave)
    .thenRefused('permission-denied')

  const orphan = authors.orphanStory(ada)
  story
    .given(...open)
    .when(orphan)
    .then('StoryOrphaned')
    .thenState(state => t.same([of(state).authors, of(state).former], [[], ['ada']]))
    .again(orphan)
    .thenRefused('permission-denied')
  story
    .given(...open, invited, joined)
    .when(orphan)
    .thenState(state => t.same(of(state).authors, ['bert'], 'one of two: the other is untouched'))
  story.given(begun).when(orphan).thenRefused('story-not-published')
  story.given(hidden, added('one'), shown('one'), published).when(orphan).thenRefused('story-not-published')
  story.given(hidden, invited, joined).when(orphan).then('StoryOrphaned')
  story.given(begun).when(authors.orphanOf('ada')).then('StoryOrphaned').again(authors.orphanOf('ada')).thenNothing()
})

t.test('deleting', async () => {
  const remove = decide.deleteStory(ada)
  story
    .given(...open)
    .when(remove)
    .thenEvents(deleted)
    .thenState(state => t.match(of(state), { title: '', tags: [], chapters: [], isDeleted: true, isPublished: false }))
    .again(remove)
    .thenRefused('story-not-found')
  story
    .given(...open)
    .when(decide.deleteStory(bert))
    .thenRefused('permission-denied')
  story.given(begun).when(decide.deleteStory(bert)).thenRefused('story-not-found')
  story.given(begun).when(decide.deleteWithAuthor('ada')).then('StoryDeleted')
  story.given(begun, invited, joined).when(decide.deleteWithAuthor('ada')).thenNothing()
  story.given(begun).when(decide.deleteWithAuthor('bert')).thenNothing()
  const { state } = story.given(...open, deleted, {
    type: 'StoryEdited',
    data: { changes: { title: 'Back' }, chapters: [] },
  })
  t.equal(of(state).title, '', 'nothing brings the text back')
  t.ok(storyAggregate.isRemoved?.(state))
})

t.test('chapters', async () => {
  const add = chapters.addChapter('two', ada)
  const two = story
    .given(...open)
    .when(add)
    .then('ChapterAdded')
  two.again(add).thenNothing()
  two.thenState(state =>
    t.same(
      of(state).chapters.map(({ id, isShown }) => [id, isShown]),
      [
        ['one', true],
        ['two', false],
      ],
    ),
  )
  story
    .given(...open)
    .when(chapters.addChapter('two', bert))
    .thenRefused('permission-denied')
  story.given(begun).when(chapters.addChapter('two', bert)).thenRefused('story-not-found')
  story
    .given(...open, invited)
    .when(chapters.addChapter('two', bert))
    .thenRefused('permission-denied')
  const all = Array.from({ length: storyLimits.chapters }, (_, i) => added(`chapter ${i}`))
  story
    .given(begun, ...all)
    .when(add)
    .thenRefused('chapters-full')

  const three = [...open, added('two'), added('three')] as const
  const order = (...ids: string[]) => chapters.orderChapters(ids, ada)
  story
    .given(...three)
    .when(order('three', 'one', 'two'))
    .then('ChaptersOrdered')
    .thenState(state =>
      t.same(
        of(state).chapters.map(({ id }) => id),
        ['three', 'one', 'two'],
      ),
    )
    .again(order('three', 'one', 'two'))
    .thenNothing()
  for (const wrong of [
    ['one', 'two'],
    ['one', 'two', 'three', 'four'],
    ['one', 'one', 'two', 'three'],
    ['one', 'two', 'four'],
    [],
  ])
    story
      .given(...three)
      .when(order(...wrong))
      .thenRefused('chapter-order-invalid')
  story
    .given(...three)
    .when(chapters.orderChapters(['one'], bert))
    .thenRefused('permission-denied')
})

t.test('what is shown of the chapters', async () => {
  const tell = (revision: number, words = 200) => chapters.showChapter({ chapter: 'one', words, revision })
  story.given(begun).when(tell(1)).thenRefused('chapter-unknown')
  const told = story.given(begun, added('one')).when(tell(3)).then('ChapterShown')
  told.again(tell(3)).thenNothing()
  told.again(tell(2)).thenNothing()
  told.again(tell(4, 250)).thenState(state => t.equal(wordsOf(of(state)), 250))
  const hide = chapters.hideChapter({ chapter: 'one', revision: 5 }, ada)
  told
    .again(hide)
    .then('ChapterHidden')
    .again(tell(4))
    .thenNothing()
    .again(hide)
    .thenNothing()
    .again(tell(6))
    .then('ChapterShown')
  story
    .given(...open)
    .when(hide)
    .thenRefused('last-chapter')
  story
    .given(...open)
    .when(chapters.withdrawChapter('one', ada))
    .thenRefused('last-chapter')
  const two = [...open, added('two'), shown('two', 50)] as const
  t.equal(wordsOf(of(story.given(...two).state)), 150)
  story
    .given(...two)
    .when(hide)
    .then('ChapterHidden')
    .thenState(state => t.equal(wordsOf(of(state)), 50))
  const withdraw = chapters.withdrawChapter('one', ada)
  story
    .given(...two)
    .when(withdraw)
    .then('ChapterWithdrawn')
    .again(withdraw)
    .thenNothing()
  story
    .given(...open, added('two'))
    .when(chapters.withdrawChapter('two', ada))
    .then('ChapterWithdrawn')
  story
    .given(...two)
    .when(chapters.hideChapter({ chapter: 'nine', revision: 1 }, ada))
    .thenRefused('chapter-unknown')
  story
    .given(...two)
    .when(chapters.hideChapter({ chapter: 'one', revision: 5 }, bert))
    .thenRefused('permission-denied')
  story
    .given(...two)
    .when(chapters.withdrawChapter('one', bert))
    .thenRefused('permission-denied')
})

t.test('amid reordering the chapters stay dense and unique', async () => {
  const given = [...open, added('two'), added('three')] as const
  const ordered: Given<StoryEvent> = { type: 'ChaptersOrdered', data: { chapters: ['three', 'two', 'one'] } }
  const gone: Given<StoryEvent> = { type: 'ChapterWithdrawn', data: { chapter: 'two' } }
  const ids = (...events: Given<StoryEvent>[]) =>
    of(story.given(...given, ...events).state).chapters.map(({ id }) => id)
  t.same(ids(gone, ordered), ['three', 'one'], 'an order that names what went')
  t.same(ids(added('four'), ordered), ['three', 'two', 'one', 'four'], 'and one that lacks what came')
  t.same(ids(added('two')), ['one', 'two', 'three'])
})

t.test('sight: every visibility to every relation', async () => {
  const viewers = {
    stranger: { permissions: permissionsOf('reader') },
    member: { account: 'mia', permissions: permissionsOf('contributor') },
    invited: { account: 'bert', permissions: permissionsOf('contributor') },
    author: { account: 'ada', permissions: permissionsOf('contributor') },
    moderator: { account: 'max', permissions: permissionsOf('moderator') },
    suspended: { account: 'sam', permissions: roleRights.suspended },
    suspendedAuthor: { account: 'ada', permissions: roleRights.suspended },
  }
  const table = visibilities.flatMap(visibility =>
    [false, true].map(isPublished => {
      const at = of(
        story.given({ ...begun, data: { ...begun.data, visibility } }, invited, added('one'), shown('one')).state,
      )
      const seen = Object.values(viewers).map(viewer => {
        const sight = storySight({ ...at, isPublished }, viewer)
        return `${sight[0]}${isListedFor({ ...at, isPublished }, viewer) ? '+' : ''}`
      })
      return `${visibility} ${isPublished ? 'published' : 'draft'}: ${seen.join(' ')}`
    }),
  )
  t.same(table, [
    'private draft: n n n a n n a',
    'private published: n n n a n n a',
    'unlisted draft: n n n a n n a',
    'unlisted published: e e e a e e a',
    'members draft: n n n a n n a',
    'members published: n e+ e+ a+ e+ n a+',
    'public draft: n n n a n n a',
    'public published: e+ e+ e+ a+ e+ e+ a+',
  ])
  const listed = (rating: (typeof ratings)[number], adult: boolean) =>
    isListedFor({ ...of(story.given(...open).state), rating }, { ...viewers.member, adult })
  t.same(
    ratings.map(rating => listed(rating, false)),
    [true, true, false, false],
  )
  t.same(
    ratings.map(rating => listed(rating, true)),
    [true, true, true, true],
  )
  t.equal(storySight(of(story.given(...open, deleted).state), viewers.author), 'nothing')
})

t.test('routes of events tell of nothing that is in no list', async () => {
  const routeAfter = (...events: Given<StoryEvent>[]) => storyAggregate.route(story.given(...events).state).visibility
  t.equal(routeAfter(...open), 'public')
  t.equal(routeAfter(begun), 'owner')
  t.equal(routeAfter(hidden, added('one'), shown('one'), published), 'owner')
  const moved = (visibility: 'members' | 'unlisted'): Given<StoryEvent> => ({
    type: 'StoryVisibilityChanged',
    data: { visibility, chapters: ['one'] },
  })
  t.equal(routeAfter(...open, moved('members')), 'members')
  t.equal(routeAfter(...open, moved('unlisted')), 'owner')
  t.equal(routeAfter(...open, { type: 'StoryEdited', data: { changes: { rating: 'mature' }, chapters: [] } }), 'owner')
  t.equal(routeAfter(...open, deleted), 'owner')
})

t.test('the fold never throws, whatever comes in whichever order', async () => {
  const base = { stream: 'story-x', revision: 0n, position: 1n, recordedAt: '2026-01-01T00:00:00.000Z', id: 'x' }
  const meta = {
    actor: { kind: 'account', id: 'ada' },
    commandId: 'c',
    correlationId: 'c',
    causationId: 'c',
    at: '2026-01-01T00:00:00.000Z',
    schema: 1,
    route: { visibility: 'owner' },
  } as const
  const samples: readonly StoryEvent[] = [
    ...open,
    invited,
    joined,
    { type: 'StoryEdited', data: { changes: { title: 'x' }, chapters: [] } },
    { type: 'StoryOrphaned', data: { account: 'ada', chapters: [] } },
    { type: 'ChapterHidden', data: { chapter: 'nine', chapterRevision: 4 } },
    { type: 'ChaptersOrdered', data: { chapters: ['nine', 'one', 'one'] } },
    deleted,
  ]
  for (const first of samples)
    for (const second of samples) {
      const events: Recorded<StoryEvent>[] = [first, second].map(event => ({ ...event, ...base, meta }))
      t.doesNotThrow(() => events.reduce(evolveStory, undefined as StoryState))
      const gone: Recorded<StoryEvent>[] = events.map(event => ({ ...event, removed: true as const }))
      const { title = '', tags = [] } = gone.reduce(evolveStory, undefined as StoryState) ?? {}
      t.same([title, tags], ['', []], 'nothing is left of what was removed')
    }
})

t.test('closed lists', async () => {
  t.equal(warnings.length, 20)
  t.same([...warnings].toSorted(), [...warnings])
  t.equal(new Set(storyEvents.map(({ type }) => type)).size, storyEvents.length)
})
