/** What readers have of chapters, and what there is, from the same events once and again. */
import t from 'tap'
import type { ChapterEvent } from '../../src/domain/chapter/events.ts'
import { digestOf, pack } from '../../src/domain/chapter/packed.ts'
import type { Recorded } from '../../src/domain/event.ts'
import { chaptersProjection, chapterTextsProjection } from '../../src/projections/chapters.ts'

let count = 0
const event = (type: ChapterEvent['type'], data: object, removed = false): Recorded => {
  count += 1
  const at = new Date(Date.parse('2026-01-01T00:00:00.000Z') + count * 60_000).toISOString()
  const meta: Recorded['meta'] = {
    actor: { kind: 'account', id: 'ada' },
    commandId: `c${count}`,
    correlationId: 'c',
    causationId: 'c',
    at,
    schema: 1,
    route: { visibility: 'owner' },
  }
  const recorded: Recorded = {
    type,
    data: { ...data },
    id: `e${count}`,
    stream: 'chapter-one',
    revision: BigInt(count),
    position: BigInt(count),
    recordedAt: at,
    meta,
  }
  return removed ? { ...recorded, removed: true } : recorded
}
const whole = (text: string) => ({
  form: 'whole',
  digest: digestOf(text),
  packed: pack(text),
  words: 2,
  characters: text.length,
})
const said = (text: string, title = 'One') => ({ storyRevision: '1', title, change: whole(text) })
const begun = event('ChapterBegun', { story: 's1', language: 'en', author: 'ada', storyRevision: '0', title: 'One' })

/** Each fold gives what it gave, and the same once more. */
const fold = <D>(
  projection: { evolve(document: D | undefined, event: Recorded, id: string): D | undefined },
  events: readonly Recorded[],
) => {
  const once = (): D | undefined => {
    let document: D | undefined
    for (const each of events) document = projection.evolve(document, each, 'one')
    return document
  }
  const first = once()
  t.strictSame(once(), first, 'replayed, it is the same')
  return first
}

t.test('readers have what was published, whatever is saved', async t => {
  const published = [
    begun,
    event('DraftSaved', said('A *draft* of it.')),
    event('ChapterPublished', said('A *draft* of it.')),
  ]
  const text = fold(chapterTextsProjection, published)
  t.match(text, {
    story: 's1',
    title: 'One',
    text: 'A *draft* of it.',
    isShown: true,
  })
  const saved = event('DraftSaved', said('Another one.', 'Two'))
  t.equal(chapterTextsProjection.evolve(text, saved, 'one'), text, 'an autosave rewrites nothing of it')
  t.notOk(chapterTextsProjection.types?.includes('DraftSaved'))
  t.match(fold(chaptersProjection, [...published, saved]), {
    draft: { title: 'Two' },
    published: { title: 'One', words: 2 },
    isPublished: true,
  })
  const hidden = [...published, event('ChapterUnpublished', { storyRevision: '1' })]
  t.match(fold(chapterTextsProjection, hidden), { isShown: false })
  t.match(fold(chaptersProjection, hidden), { isPublished: false })
  t.equal(fold(chapterTextsProjection, [...hidden, event('ChapterDeleted', { ground: 'author' })]), undefined)
  t.equal(fold(chaptersProjection, [...hidden, event('ChapterDeleted', { ground: 'author' })]), undefined)
})

t.test('after a purge both are built from what it says', async t => {
  const gone = [
    event('ChapterBegun', { story: 's1', language: 'en', author: 'ada', storyRevision: '0' }, true),
    event('DraftSaved', { storyRevision: '1' }, true),
    event('ChapterPublished', { storyRevision: '1' }, true),
  ]
  t.match(fold(chapterTextsProjection, gone), { title: '', text: undefined })
  const kept = (text: string, title: string) => ({ title, change: whole(text) })
  const purged = event('HistoryPurged', {
    storyRevision: '2',
    draft: kept('The draft.', 'Two'),
    published: kept('What *stands*.', 'One'),
  })
  t.match(fold(chapterTextsProjection, [...gone, purged]), {
    title: 'One',
    text: 'What *stands*.',
    isShown: true,
  })
  t.match(fold(chaptersProjection, [...gone, purged]), {
    draft: { title: 'Two' },
    published: { title: 'One' },
    isPublished: true,
  })
})
