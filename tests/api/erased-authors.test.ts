/** The stories of who is erased: theirs alone are deleted or left as they wished, what others share stays, and nothing names them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { carryOutErasures } from '../../src/app/erasure.ts'
import { openApi, type Received } from '../support/api.ts'
import { inTime, openTestApp } from '../support/app.ts'
import { asNode, eraseNow, type Person, signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'
import { until } from '../support/until.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const house = { app, api, folder }
const [ada, bert, carl] = [
  await signIn(house, 'ada', 'contributor'),
  await signIn(house, 'bert', 'contributor'),
  await signIn(house, 'carl', 'contributor'),
]

const must = (answer: Received): Received => {
  if (answer.status >= 300) throw new Error(answer.text)
  return answer
}
const post = async (path: string, { token: as }: Person, body: object = {}): Promise<Received> =>
  must(await api('POST', path, { as, body }))
const idOf = ({ json }: Received): string => String(json['id'])

/** A published story with a chapter of each text. */
const publish = async (by: Person, title: string, texts: readonly string[], more: object = {}): Promise<string> => {
  const body = { language: 'en', title, visibility: 'public', ...more }
  const story = `/v1/stories/${idOf(await post('/v1/stories', by, body))}`
  for (const text of texts) await addChapter(story, by, text)
  await post(`${story}/publish`, by)
  return story
}
const addChapter = async (story: string, by: Person, text: string): Promise<string> => {
  const chapter = `${story}/chapters/${idOf(await post(`${story}/chapters`, by, { title: 'A chapter' }))}`
  const headers = { 'if-match': '*' }
  must(await api('PUT', `${chapter}/draft`, { as: by.token, body: { title: 'A chapter', text }, headers }))
  await post(`${chapter}/publish`, by)
  return chapter
}
const share = async (story: string, from: Person, withWhom: Person): Promise<void> => {
  await post(`${story}/invitations`, from, { accountId: withWhom.id })
  await post(`${story}/invitations/accept`, withWhom)
}
const gone = (path: string) => until(`${path} to be gone`, async () => (await api('GET', path)).status === 404)
const nothingLeft = (word: string) =>
  until(`${word} to be gone from the files`, async () =>
    ['read.db', 'read.db-wal'].every(file => {
      try {
        return !readFileSync(join(folder, file)).includes(word)
      } catch {
        return true
      }
    }),
  )
/** What a node that is opened now can still read of the streams: nothing but that something was there. */
const unreadable = (streams: readonly string[]) =>
  until(`the keys of ${streams.join(', ')} to be gone`, () =>
    asNode(house, 0, async ({ log }) => {
      const sealed: boolean[] = []
      for (const stream of streams)
        for await (const page of log.readStream(stream))
          for (const { type, removed } of page)
            if (/^(?:StoryBegun|ChapterBegun|ChapterPublished|SeriesBegun)$/.test(type)) sealed.push(removed === true)
      return sealed.length >= streams.length && sealed.every(Boolean)
    }),
  )
const streamOf = (path: string): string =>
  path.replace(
    /^.*\/(stor|series|chapter)(?:ies|s)?\/([^/]+)$/,
    (_, kind, id) => `${kind === 'stor' ? 'story' : kind}-${id}`,
  )

t.test('who wishes that nothing stays: theirs is deleted, what is shared goes on without their name', async t => {
  const sole = await publish(ada, 'Zvanishingtitle', ['A text that stays until the end.'])
  const chapterOfSole = await addChapter(sole, ada, 'Zvanishingtext was here once.')
  const draft = `/v1/stories/${idOf(await post('/v1/stories', ada, { language: 'en', title: 'Zvanishingdraft' }))}`
  const shared = await publish(ada, 'What we share', ['Adas part of it stays.'])
  await share(shared, ada, bert)
  const other = await addChapter(shared, bert, 'Berts part of it stays.')
  const invited = await publish(carl, 'By Carl', ['Carls own story.'])
  await post(`${invited}/invitations`, carl, { accountId: ada.id })
  const joined = await publish(carl, 'By Carl too', ['Carls other story.'])
  await share(joined, carl, ada)
  const series = `/v1/series/${idOf(await post('/v1/series', ada, { title: 'Zvanishingseries' }))}`
  must(
    await api('PUT', `${series}/order`, {
      as: ada.token,
      body: { stories: [sole.slice('/v1/stories/'.length)] },
      headers: { 'if-match': '*' },
    }),
  )
  await until('the series', async () => (await api('GET', series)).status === 200)

  await eraseNow(house, ada)
  for (const path of [sole, series]) await gone(path)
  for (const as of [bert, carl]) t.equal((await api('GET', draft, { as: as.token })).status, 404)
  for (const path of [shared, joined]) {
    const { text, json } = await inTime(app, 'the story without its author', async () => {
      const found = await api('GET', path)
      return found.json['formerAuthors'] === 1 ? found : undefined
    })
    t.notMatch(text, ada.id)
    t.strictSame(json['authors'], [path === shared ? bert.id : carl.id])
  }
  const contents = await api('GET', `${shared}/chapters`)
  t.equal(Array.isArray(contents.json['items']) && contents.json['items'].length, 2)
  t.match((await api('GET', other)).json['text'], /Berts part/)
  t.match(
    (await api('GET', `${shared}/export?format=markdown`)).text,
    /Adas part of it stays\.[\s\S]*Berts part of it stays\./,
  )
  t.equal((await post(`${other}/unpublish`, bert)).status, 200, 'who is left works on')
  const asked = await api('GET', invited, { as: carl.token })
  t.equal(asked.status, 200)
  t.notMatch(asked.text, ada.id, 'and she is asked no longer')
  for (const word of ['Zvanishingtitle', 'Zvanishingtext', 'Zvanishingdraft', 'Zvanishingseries'])
    await nothingLeft(word)
  await unreadable([sole, draft, series, chapterOfSole].map(streamOf))
})

t.test(
  'who wishes that it stays: what others may see goes on without a name, what they never could is deleted',
  async t => {
    const dora = await signIn(house, 'dora', 'contributor')
    const shown = await publish(dora, 'It stays', ['Doras words stay.'])
    const hidden = await publish(dora, 'Zhiddentitle', ['Zhiddentext of hers.'], { visibility: 'private' })
    must(await api('DELETE', '/v1/me', { as: dora.token, body: { content: 'kept' } }))
    const carriedOut = (hours: number, isKilled = false) =>
      asNode(house, hours, async core => {
        const keys = { ...core.keys, destroy: () => Promise.reject(new Error('killed')) }
        const failures: unknown[] = []
        const over = await carryOutErasures(isKilled ? { ...core, keys } : core, [dora.id], (_, error) =>
          failures.push(error),
        )
        return { over, failed: failures.length }
      })
    t.strictSame(await carriedOut(25), { over: 0, failed: 0 }, 'begun')
    t.strictSame(await carriedOut(27, true), { over: 0, failed: 1 }, 'a process that dies before the key is gone')
    t.strictSame(await carriedOut(27), { over: 1, failed: 0 }, 'is followed by one that ends it')
    const { text, json } = await inTime(app, 'the story without its author', async () => {
      const found = await api('GET', shown)
      return found.json['formerAuthors'] === 1 ? found : undefined
    })
    t.notMatch(text, dora.id)
    t.strictSame(json['authors'], [])
    t.match((await api('GET', `${shown}/export?format=markdown`)).text, /Doras words stay/)
    t.equal((await api('GET', hidden)).status, 404)
    for (const word of ['Zhiddentitle', 'Zhiddentext']) await nothingLeft(word)
  },
)

t.test('what is theirs is looked for in the log once, however much of it there is', async t => {
  const erin = await signIn(house, 'erin', 'contributor')
  await publish(erin, 'By Erin', ['A text of hers.'])
  await post('/v1/me/lists', erin, { title: 'A list of hers' })
  must(await api('DELETE', '/v1/me', { as: erin.token, body: { content: 'anonymised' } }))
  const looks: unknown[] = []
  for (const hours of [25, 27])
    await asNode(house, hours, async core => {
      const log: typeof core.log = {
        ...core.log,
        readFrom: (from, filter) => {
          looks.push(filter)
          return core.log.readFrom(from, filter)
        },
      }
      const over = await carryOutErasures({ ...core, log }, [erin.id], (_, error) => {
        throw error
      })
      t.equal(over, hours === 27 ? 1 : 0)
    })
  t.equal(looks.length, 1)
})

t.test('everything was as documented', async t => t.same(api.faults, []))
