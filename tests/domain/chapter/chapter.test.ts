import { deepEqual, equal, ok } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type Chapter, type ChapterState, chapterAggregate } from '../../../src/domain/chapter/chapter.ts'
import { type ChapterContent, checkTitle, readChapter } from '../../../src/domain/chapter/content.ts'
import * as decide from '../../../src/domain/chapter/decisions.ts'
import type { ChapterEvent } from '../../../src/domain/chapter/events.ts'
import { MOST_TEXT, PART_LENGTH } from '../../../src/domain/chapter/limits.ts'
import { digestOf, pack } from '../../../src/domain/chapter/packed.ts'
import { emptyHead, holdersOf, textAt, type Which } from '../../../src/domain/chapter/past.ts'
import { evolvePublished, type Published } from '../../../src/domain/chapter/published.ts'
import type { By } from '../../../src/domain/decider.ts'
import { defined } from '../../../src/domain/defined.ts'
import type { Recorded } from '../../../src/domain/event.ts'
import { isRefusal } from '../../../src/domain/refusal.ts'
import type { Role } from '../../../src/domain/roles.ts'
import type { Story } from '../../../src/domain/story/story.ts'
import { holds } from '../../support/property.ts'
import { permissionsOf } from '../../support/roles.ts'
import { type Given, scenario } from '../../support/scenario.ts'

const START = Date.parse('2026-01-01T00:00:00.000Z')
const by = (id = 'author', now = new Date(START + 60 * 60_000), role: Role = 'contributor'): By => ({
  id,
  permissions: permissionsOf(role),
  now,
  commandId: '3f1c6a52-0c4b-5a7e-8a51-2f6d0b9c7e11',
})
const story: Story = {
  authors: ['author', 'second'],
  former: [],
  invited: ['invited'],
  language: 'en',
  title: 'The Sea',
  tags: [],
  warnings: [],
  rating: 'general',
  visibility: 'private',
  isPublished: false,
  isCompleted: false,
  isDeleted: false,
  chapters: [],
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
}
const on = (who: By = by(), more: Partial<decide.OnStory> = {}): decide.OnStory => ({
  by: who,
  storyId: 's1',
  story,
  storyRevision: '4',
  ...more,
})
const shown = { ...story, isPublished: true, visibility: 'public' as const }

const begun: Given<ChapterEvent> = {
  type: 'ChapterBegun',
  data: { story: 's1', language: 'en', author: 'author', storyRevision: '4', title: 'One' },
  by: 'author',
}
const wholeOf = (text: string) => ({
  form: 'whole' as const,
  digest: digestOf(text),
  packed: pack(text),
  words: 3,
  characters: text.length,
})
const said = { storyRevision: '4', title: 'One' }
const saved = (text: string): Given<ChapterEvent> => ({
  type: 'DraftSaved',
  data: { ...said, change: wholeOf(text) },
  by: 'author',
})
const published = (text: string): Given<ChapterEvent> => ({
  type: 'ChapterPublished',
  data: { ...said, change: wholeOf(text) },
  by: 'author',
})
const unpublished: Given<ChapterEvent> = { type: 'ChapterUnpublished', data: { storyRevision: '4' }, by: 'author' }
const deleted: Given<ChapterEvent> = { type: 'ChapterDeleted', data: { ground: 'author' }, by: 'author' }
const TEXT = 'Once upon a time.'
const OTHER = 'Twice upon a time.'

const there = (state: ChapterState): Chapter => {
  if (!state) throw new Error('there is no chapter')
  return state
}
const chapter = scenario(chapterAggregate)
/** What has been, and the draft's text then; `text` becomes the draft. */
const saving = (past: readonly Given<ChapterEvent>[], now: string, text: string, who?: decide.OnStory) => {
  const found = chapter.given(...past)
  const prepared = decide.prepareText(text, { head: there(found.state).draft, text: now })
  return found.when(decide.saveDraft({ title: 'One' }, { prepared }, who ?? on()))
}
const publishing = (past: readonly Given<ChapterEvent>[], draft: string, before?: string, who?: decide.OnStory) => {
  const found = chapter.given(...past)
  const { published: head } = there(found.state)
  const prepared = decide.prepareText(draft, head && before !== undefined ? { head, text: before } : undefined)
  return found.when(decide.publishChapter({ prepared }, who ?? on()))
}

t.test('an author begins a chapter, nobody else, and once', async () => {
  chapter.given().when(decide.beginChapter('One', on())).thenEvents({ type: 'ChapterBegun', data: begun.data })
  chapter
    .given()
    .when(decide.beginChapter('One', on(by('second'))))
    .then('ChapterBegun')
  chapter.given(begun).when(decide.beginChapter('One', on())).thenRefused('conflict')
  chapter
    .given()
    .when(decide.beginChapter('One', on(by('other'))))
    .thenRefused('story-not-found')
  chapter
    .given()
    .when(decide.beginChapter('One', on(by('invited'))))
    .thenRefused('story-not-found')
  chapter
    .given()
    .when(decide.beginChapter('One', on(by('other'), { story: shown })))
    .thenRefused('permission-denied')
  chapter
    .given()
    .when(decide.beginChapter('One', on(by(), { story: { ...story, isDeleted: true } })))
    .thenRefused('story-not-found')
  chapter
    .given()
    .when(decide.beginChapter('One', on({ ...by(), kind: 'service' })))
    .thenRefused('story-not-found')
})

t.test('a draft is saved, and nothing is written where it is the same', async t => {
  saving([begun], '', TEXT)
    .then('DraftSaved')
    .thenState(state => {
      equal(there(state).draft.digest, digestOf(TEXT))
      equal(there(state).draft.words, 4)
      equal(there(state).draft.characters, 17)
      equal(there(state).isPublished, false)
    })
  saving([begun, saved(TEXT)], TEXT, TEXT).thenNothing()
  saving([begun, saved(TEXT)], TEXT, TEXT, on(by('other'))).thenRefused('story-not-found')
  saving([begun, saved(TEXT)], TEXT, TEXT, on(by(), { storyId: 's2' })).thenRefused('chapter-not-found')
  saving([begun, deleted], '', TEXT).thenRefused('chapter-not-found')
  const found = chapter.given(begun, saved(TEXT))
  const late = decide.prepareText(OTHER, { head: emptyHead, text: '' })
  found.when(decide.saveDraft({ title: 'One' }, { prepared: late }, on())).thenRefused('conflict')
  const { revision, mark } = there(found.state)
  const same = decide.prepareText(TEXT, { head: there(found.state).draft, text: TEXT })
  const retitled = (stated: decide.OnStory['stated']) =>
    found.when(decide.saveDraft({ title: 'Two', note: 'Thanks.' }, { prepared: same }, on(by(), defined({ stated }))))
  retitled([{ revision: BigInt(revision), mark }]).thenEvents({
    type: 'DraftSaved',
    data: { storyRevision: '4', title: 'Two', note: 'Thanks.' },
  })
  retitled([{ revision: BigInt(revision - 1) }]).thenRefused('revision-stale')
  retitled([{ revision: BigInt(revision), mark: 'another' }]).thenRefused('revision-stale')
  t.equal(mark.length, 8)
})

t.test('a draft is saved six times a minute, and told when again', async t => {
  const at = (second: number) => new Date(START + second * 1_000)
  const saves = Array.from({ length: 6 }, (_, i) => ({ ...saved(`Save ${i}.`), at: at(60 + i) }))
  const past = [begun, ...saves]
  const save = (second: number, events = past) => saving(events, 'Save 5.', TEXT, on(by('author', at(second))))
  t.strictSame(save(70).thenRefused('saves-too-many').refusal?.context, { retryAfterSeconds: 50 })
  save(119).thenRefused('saves-too-many')
  save(120).then('DraftSaved')
  save(70, [begun, ...saves.slice(1)]).then('DraftSaved')
  const others = Array.from({ length: 3 }, (_, i) => ({ ...unpublished, at: at(66 + i) }))
  save(70, [...past, ...others]).thenRefused('saves-too-many')
  saving(past, 'Save 5.', 'Save 5.', on(by('author', at(70)))).thenNothing()
})

t.test('what is published is the draft as it was, and editing the draft moves it not', async () => {
  const past = [begun, saved(TEXT)]
  publishing(past, TEXT)
    .then('ChapterPublished')
    .thenState(state => {
      equal(there(state).isPublished, true)
      equal(there(state).published?.digest, digestOf(TEXT))
      equal(there(state).publishedAt, new Date(START + 2 * 60_000).toISOString())
    })
    .again()
    .thenNothing()
  saving([...past, published(TEXT)], TEXT, OTHER).thenState(state => {
    equal(there(state).published?.digest, digestOf(TEXT))
    equal(there(state).draft.digest, digestOf(OTHER))
  })
  publishing([...past, published(TEXT), saved(OTHER)], OTHER, TEXT).then('ChapterEdited')
  publishing([...past, published(TEXT), unpublished], TEXT, TEXT).thenEvents({ type: 'ChapterPublished', data: said })
  publishing([begun], '').thenRefused('chapter-too-short')
  publishing([begun, saved('Too short')], 'Too short').thenRefused('chapter-too-short')
  publishing([begun, saved('Long enoug')], 'Long enoug').then('ChapterPublished')
  publishing(past, TEXT, undefined, on(by('other'))).thenRefused('story-not-found')
  publishing(past, OTHER).thenRefused('conflict')
})

t.test('a chapter is unpublished, and is then a draft beside what was published', async () => {
  const past = [begun, saved(TEXT), published(TEXT)]
  chapter
    .given(...past)
    .when(decide.unpublishChapter(on()))
    .then('ChapterUnpublished')
    .again()
    .thenNothing()
  chapter.given(begun).when(decide.unpublishChapter(on())).thenNothing()
  chapter
    .given(...past)
    .when(decide.unpublishChapter(on(by('other'), { story: shown })))
    .thenRefused('permission-denied')
})

t.test('a chapter is deleted with its text', async () => {
  chapter
    .given(begun, saved(TEXT), published(TEXT))
    .when(decide.deleteChapter(on()))
    .then('ChapterDeleted')
    .thenState(state => {
      equal(there(state).isDeleted, true)
      equal(there(state).draft.title, '')
      equal(there(state).published, undefined)
      equal(there(state).moments.length, 0)
    })
    .again()
    .thenNothing()
  chapter.given().when(decide.deleteChapter(on())).thenRefused('chapter-not-found')
  chapter
    .given(begun)
    .when(decide.deleteChapter(on(by('other'))))
    .thenRefused('story-not-found')
  chapter
    .given(begun)
    .when(decide.deleteWithStory)
    .thenEvents({ type: 'ChapterDeleted', data: { ground: 'story' } })
  chapter.given(begun, deleted).when(decide.deleteWithStory).thenNothing()
  chapter.given().when(decide.deleteWithStory).thenNothing()
})

const purging = (past: readonly Given<ChapterEvent>[], draft: string, before?: string, who = on()) =>
  chapter.given(...past).when(
    decide.purgeHistory(
      {
        draft: decide.prepareText(draft, undefined),
        ...defined({ published: before === undefined ? undefined : decide.prepareText(before, undefined) }),
      },
      who,
    ),
  )

t.test('the history is purged, and begins again with what stands', async () => {
  const past = [begun, saved(TEXT), published(TEXT), saved(OTHER)]
  purging(past, OTHER, TEXT)
    .then('HistoryPurged')
    .thenState(state => {
      equal(there(state).moments.length, 1)
      equal(there(state).draft.digest, digestOf(OTHER))
      equal(there(state).draft.title, 'One')
      equal(there(state).published?.digest, digestOf(TEXT))
      equal(there(state).isPublished, true)
      equal(there(state).publishedAt, new Date(START + 2 * 60_000).toISOString())
      equal(
        there(state).draft.at,
        new Date(START + 3 * 60_000).toISOString(),
        'when it was written is not when it was purged',
      )
    })
    .again()
    .thenNothing()
  purging(past, TEXT, TEXT).thenRefused('conflict')
  purging(past, OTHER).thenRefused('conflict')
  purging(past, OTHER, TEXT, on(by('other'))).thenRefused('story-not-found')
  purging([begun], '').then('HistoryPurged')
})

t.test('what was removed has no text, and a purge after it brings back what it says', async () => {
  const gone = { removed: true } as const
  const { state } = chapter.given({ ...begun, ...gone }, { ...saved(TEXT), ...gone }, { ...published(TEXT), ...gone })
  equal(there(state).draft.title, '')
  equal(there(state).draft.digest, '')
  const purged = purging([begun, saved(OTHER), published(TEXT)], OTHER, TEXT).events
  const after = chapter.given(
    { ...begun, ...gone },
    { ...saved(OTHER), ...gone },
    { ...published(TEXT), ...gone },
    ...purged,
  )
  equal(there(after.state).draft.digest, digestOf(OTHER))
  equal(there(after.state).published?.digest, digestOf(TEXT))
  equal(there(after.state).published?.title, 'One')
})

t.test('a text that is more than one event takes comes in parts', async t => {
  let drawn = 7
  const random = Array.from({ length: MOST_TEXT }, () => {
    drawn = (drawn * 1_103_515_245 + 12_345) % 2_147_483_648
    return String.fromCodePoint(0x20000 + ((drawn >> 8) % 42_000))
  }).join('')
  const prepared = decide.prepareText(random, { head: emptyHead, text: '' })
  t.ok(prepared.parts.length > 1)
  for (const part of prepared.parts) t.ok(part.length <= PART_LENGTH)
  const save = decide.saveDraft({ title: 'One' }, { prepared }, on())
  chapter.given(begun).when(save).thenRefused('conflict')
  chapter
    .given(begun)
    .when(decide.saveDraft({ title: 'One' }, { prepared, isDry: true }, on()))
    .then('DraftSaved')
  const parts = prepared.parts.map(
    (part): Given<ChapterEvent> => ({ type: 'TextPart', data: { of: 'draft', part }, by: 'author' }),
  )
  chapter
    .given(begun, ...parts)
    .when(save)
    .then('DraftSaved')
    .thenState(state => {
      deepEqual(
        holdersOf(there(state).draft.links, 99),
        prepared.parts.map((_, i) => BigInt(1 + i)).concat(BigInt(1 + parts.length)),
      )
    })
  const [first = ''] = prepared.parts
  chapter
    .given(begun, ...parts)
    .when(decide.addPart('draft', first, false))
    .thenNothing()
  chapter
    .given(begun, ...parts)
    .when(decide.addPart('draft', first, true))
    .then('TextPart')
    .thenState(state => {
      equal(there(state).waiting.length, 1, 'what waited under the key before is left behind')
    })
  chapter
    .given(begun, ...parts, saved(TEXT))
    .when(save)
    .thenRefused('conflict')
  chapter
    .given(deleted)
    .when(decide.addPart('draft', first, false))
    .thenRefused('chapter-not-found')
  equal(there(chapter.given(begun, ...parts).state).revision, 0, 'a part is no revision that anybody states')
})

t.test('what people send becomes what is kept', async t => {
  const read = (text: string, title = 'One', note?: string | null): ChapterContent | string => {
    const found = readChapter({ title, text, ...defined({ note }) })
    return isRefusal(found) ? `${found.refused} ${found.errors?.map(({ pointer }) => pointer).join()}` : found
  }
  t.strictSame(read('e\u0301\r\nx', ' One ', ' '), { title: 'One', text: 'é\nx' })
  t.strictSame(read('', 'One', 'Thanks.'), { title: 'One', text: '', note: 'Thanks.' })
  t.strictSame(read('a', '', 'n'.repeat(5_001)), 'text-invalid /title,/note')
  t.strictSame(read('\ud800'), 'text-invalid /text')
  t.strictSame(read('a\u0007'), 'text-invalid /text')
  t.strictSame(read('𠀀'.repeat(MOST_TEXT + 1)), 'text-invalid /text')
  t.equal(typeof read('𠀀'.repeat(MOST_TEXT)), 'object', 'limits count code points')
  t.equal(typeof read('a', '𠀀'.repeat(255)), 'object')
  t.strictSame(read('a', 'a'.repeat(256)), 'text-invalid /title')
  t.strictSame(read('> '.repeat(10_000)), 'markup-too-deep /text')
  t.equal(checkTitle('  One '), 'One')
  t.ok(isRefusal(Object(checkTitle(''))))
})

/** What an author does, drawn. */
type Act = { readonly kind: 'save' | 'publish' | 'unpublish' | 'purge'; readonly text: string }
const act: fc.Arbitrary<Act> = fc.record({
  kind: fc.constantFrom(
    'save' as const,
    'save' as const,
    'save' as const,
    'publish' as const,
    'unpublish' as const,
    'purge' as const,
  ),
  text: fc
    .array(fc.constantFrom('The sea was calm that morning.\n', 'Nobody came to the harbour.\n', '😀 𠀀\n', 'a'), {
      maxLength: 30,
    })
    .map(lines => lines.join('')),
})

t.test(
  'every revision of both texts is read from the events that hold it, and readers have what was published',
  async () => {
    holds(
      fc.property(fc.array(act, { maxLength: 20 }), acts => {
        let past: readonly Given<ChapterEvent>[] = [begun]
        let [draft, public_]: [string, string | undefined] = ['', undefined]
        const expected: { revision: number; draft: string; published: string | undefined }[] = []
        for (const { kind, text } of acts) {
          const state = there(chapter.given(...past).state)
          const who = on(by('author', new Date(START + (past.length + 10) * 60_000)))
          const decision = {
            save: () => saving(past, draft, text, who),
            publish: () => publishing(past, draft, public_, who),
            unpublish: () => chapter.given(...past).when(decide.unpublishChapter(who)),
            purge: () => purging(past, draft, public_, who),
          }[kind]()
          if (decision.refusal) {
            equal(decision.refusal.refused, 'chapter-too-short')
            ok(state.draft.characters < 10)
            continue
          }
          if (kind === 'save') draft = text
          if (kind === 'publish') public_ = draft
          if (decision.events.length === 0) continue
          if (kind === 'purge') expected.length = 0
          past = [...past, ...decision.events.map(event => ({ ...event, by: 'author' }))]
          expected.push({ revision: past.length - 1, draft, published: public_ })
        }
        const recorded: Recorded<ChapterEvent>[] = []
        const last = there(
          // The aggregate's own fold hands over each event as it is recorded.
          scenario({
            ...chapterAggregate,
            evolve: (state, event) => {
              recorded.push(event)
              return chapterAggregate.evolve(state, event)
            },
          }).given(...past).state,
        )
        const events = new Map(recorded.map(event => [event.revision, event]))
        const read = (which: Which, revision: number): string | undefined => {
          const links = (which === 'draft' ? last.draft : last.published)?.links
          if (!links) return undefined
          const holders = new Map([...events].filter(([at]) => holdersOf(links, revision).includes(at)))
          return textAt(links, revision, { events: holders, which })
        }
        for (const { revision, draft: then, published: seen } of expected) {
          equal(read('draft', revision), then)
          if (seen !== undefined) equal(read('published', revision), seen)
        }
        let model: Published | undefined
        for (const event of recorded) model = evolvePublished(model, event)
        equal(model?.text, public_)
        equal(model?.isShown, last.isPublished)
      }),
    )
  },
)
