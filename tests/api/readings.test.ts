/**
 * Whoever is shown personal data of somebody else is in the log with it: every GET route of the document, asked by an
 * administrator for somebody whose data is known. A route that this table does not name fails here, so that no new one forgets.
 */
import t from 'tap'
import { openApi } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'

const app = await openTestApp(t)
const api = await openApi(app.url)
const [boss, auditor] = [await app.account('admin', 'boss@dictionary.example'), await app.token('auditor')]
const signIn = async (email: string, password: string, agent: string): Promise<string> => {
  const opened = await api('POST', '/v1/sessions', { body: { email, password }, headers: { 'user-agent': agent } })
  return String(opened.json['accessToken'])
}
const admin = await signIn('boss@dictionary.example', boss.password ?? '', 'Desk')

/** What is told of nobody but to those who may see it. */
const known = {
  address: 'rosalind@laboratory.example',
  agent: 'Diffractometer/51',
  bio: 'Takes photographs of crystals.',
  network: '203.0.113.51',
  reason: 'Guesses at passwords in the night.',
}
const victim = await app.account('contributor', known.address)
const own = await signIn(known.address, victim.password ?? '', known.agent)
const edit = async (path: string, body: object) => {
  const { headers } = await api('GET', path, { as: own })
  const answer = await api('PATCH', path, { as: own, body, headers: { 'if-match': headers.get('etag') ?? '' } })
  if (answer.status !== 200) throw new Error(answer.text)
}
await edit('/v1/me', { displayName: 'Rosalind', bio: known.bio })
await edit('/v1/me/preferences', { privacy: { profile: 'nobody', activity: 'everybody', contributions: 'everybody' } })
const block = async (target: string) =>
  api('POST', '/v1/blocks', { as: admin, body: { target, reason: known.reason, expiresAt: '2126-01-01T00:00:00Z' } })
const blocked = await block(known.network)
const drafted = await api('POST', '/v1/entries', {
  as: own,
  body: { language: 'en', lemma: 'helix', partOfSpeech: 'noun' },
})
const created = await api('GET', `/v1/events?stream=account-${victim.accountId}&type=AccountCreated`, { as: admin })
const [event] = Array.isArray(created.json['items']) ? created.json['items'] : []

// A story of theirs that the administrator writes too, and a series that is the administrator's own.
const begun = await api('POST', '/v1/stories', { as: own, body: { language: 'en', title: 'Helices' } })
const story = `/v1/stories/${String(begun.json['id'])}`
await api('POST', `${story}/invitations`, { as: own, body: { accountId: boss.accountId } })
const joined = await api('POST', `${story}/invitations/accept`, { as: admin, body: {} })
if (joined.status !== 200) throw new Error(joined.text)
const chapter = await api('POST', `${story}/chapters`, { as: own, body: { title: 'One' } })
const chapterPath = `${story}/chapters/${String(chapter.json['id'])}`
const text = 'A helix is not a spiral.'
await api('PUT', `${chapterPath}/draft`, { as: own, body: { title: 'One', text }, headers: { 'if-match': '*' } })
const shown = await api('POST', `${chapterPath}/publish`, { as: own, body: {} })
if (shown.status !== 200) throw new Error(shown.text)
const series = await api('POST', '/v1/series', { as: admin, body: { title: 'Of helices' } })

/** Routes that show such data, with what they are asked for. */
const showing: Readonly<Record<string, string>> = {
  '/v1/accounts': '/v1/accounts?limit=100',
  '/v1/accounts/{id}': `/v1/accounts/${victim.accountId}`,
  '/v1/accounts/{id}/sessions': `/v1/accounts/${victim.accountId}/sessions`,
  '/v1/blocks': '/v1/blocks',
  '/v1/blocks/{id}': `/v1/blocks/${String(blocked.json['id'])}`,
  '/v1/events': '/v1/events?limit=100',
  '/v1/events/{eventId}': `/v1/events/${String(event?.id)}`,
  '/v1/streams/{stream}': `/v1/streams/account-${victim.accountId}`,
  '/v1/profiles/{id}': `/v1/profiles/${victim.accountId}`,
}
await api('PUT', story.replace('/v1/stories', '/v1/me/bookmarks'), { as: own, body: { isPrivate: false } })
const list = await api('POST', '/v1/me/lists', { as: own, body: { title: 'Crystals', isPrivate: false } })
const entry = `/v1/entries/${String(drafted.json['id'])}`
const opened = await api('POST', `${story}/publish`, { as: own, body: {} })
if (opened.status !== 200) throw new Error(opened.text)
const target = { kind: 'story', id: String(begun.json['id']) }
const said = await api('POST', '/v1/comments', { as: own, body: { target, text: 'Left or right?' } })
if (said.status !== 201) throw new Error(said.text)
const comment = `/v1/comments/${String(said.json['id'])}`
// It is read below as it stands then.
await api('GET', comment, { as: own, headers: { 'sync-token': said.headers.get('sync-token') ?? '' } })
const moderator = await app.account('moderator', 'moderator@dictionary.example')
const moderating = await api('POST', '/v1/sessions', {
  body: { email: 'moderator@dictionary.example', password: moderator.password },
})
const decided = await api('POST', '/v1/moderation/decisions', {
  as: String(moderating.json['accessToken']),
  body: {
    measures: [{ measure: 'freeze', target: { kind: 'comment', id: String(said.json['id']) } }],
    statement: { category: 'violence', rule: 'Rule 1', ground: 'terms', source: 'other', facts: 'A quarrel.' },
  },
})
if (decided.status !== 201) throw new Error(decided.text)
const brought = await api('POST', '/v1/moderation/cases', {
  as: String(moderating.json['accessToken']),
  body: { target: { kind: 'comment', id: String(said.json['id']) } },
})
if (brought.status !== 201) throw new Error(brought.text)
await api('GET', '/v1/moderation/queue', {
  as: admin,
  headers: { 'sync-token': brought.headers.get('sync-token') ?? '' },
})
const helices = { language: 'en', lemma: 'spiral', partOfSpeech: 'noun', senses: [{ gloss: 'a line that winds' }] }
const written = await api('POST', '/v1/entries', { as: admin, body: helices })
const published = `/v1/entries/${String(written.json['id'])}`
const match = { 'if-match': written.headers.get('etag') ?? '' }
const publishing = await api('POST', `${published}/publish`, { as: admin, body: {}, headers: match })
if (publishing.status !== 200) throw new Error(publishing.text)
const asking = { base: '1', changes: { etymology: 'From a snail.' } }
const asked = await api('POST', `${published}/proposals`, { as: own, body: asking })
if (asked.status !== 201) throw new Error(asked.text)
const proposal = `/v1/proposals/${String(asked.json['id'])}`
/** Routes that show none of others, asked for the same person where they are about one. */
const silent: Readonly<Record<string, string>> = {
  '/v1/entries/{id}': entry,
  '/v1/entries/{id}/history': `${entry}/history`,
  '/v1/entries/{id}/stories': `${entry}/stories`,
  '/v1/entries': `/v1/entries?contributor=${victim.accountId}&status=draft`,
  '/v1/search': '/v1/search?q=helix',
  '/v1/suggest': '/v1/suggest?q=hel',
  '/v1/search/stories': '/v1/search/stories?q=helix',
  '/v1/stories': `/v1/stories?author=${victim.accountId}`,
  '/v1/stories/{id}': story,
  '/v1/stories/{id}/history': `${story}/history`,
  '/v1/stories/{id}/words': `${story}/words`,
  '/v1/stories/{id}/chapters': `${story}/chapters`,
  '/v1/stories/{id}/chapters/{chapterId}': chapterPath,
  '/v1/stories/{id}/chapters/{chapterId}/draft': `${chapterPath}/draft`,
  '/v1/stories/{id}/chapters/{chapterId}/history': `${chapterPath}/history`,
  '/v1/stories/{id}/chapters/{chapterId}/history/{revision}': `${chapterPath}/history/0`,
  '/v1/stories/{id}/chapters/{chapterId}/differences': `${chapterPath}/differences?from=0&to=0`,
  '/v1/series': `/v1/series?author=${String(series.json['author'])}`,
  '/v1/series/{id}': `/v1/series/${String(series.json['id'])}`,
  '/v1/tags': '/v1/tags?q=helix',
  '/v1/analytics': '/v1/analytics',
  '/v1/stories/{id}/bookmarks': `${story}/bookmarks`,
  '/v1/stories/{id}/ratings': `${story}/ratings`,
  '/v1/entries/{id}/ratings': `${entry}/ratings`,
  '/v1/stories/{id}/comments': `${story}/comments`,
  '/v1/stories/{id}/chapters/{chapterId}/comments': `${chapterPath}/comments`,
  '/v1/moderation/queue': '/v1/moderation/queue',
  '/v1/moderation/cases/{id}': `/v1/moderation/cases/comment-${String(said.json['id'])}`,
  '/v1/comments/{id}': comment,
  '/v1/comments/{id}/history': `${comment}/history`,
  '/v1/comments/{id}/votes': `${comment}/votes`,
  '/v1/entries/{id}/comments': `${published}/comments`,
  '/v1/entries/{id}/proposals': `${published}/proposals`,
  '/v1/proposals': '/v1/proposals',
  '/v1/proposals/{id}': proposal,
  '/v1/me/reputation': '/v1/me/reputation',
  '/v1/me/reputation/gains': '/v1/me/reputation/gains',
  '/v1/accounts/{id}/reputation': `/v1/accounts/${victim.accountId}/reputation`,
  '/v1/accounts/{id}/reputation/gains': `/v1/accounts/${victim.accountId}/reputation/gains`,
  '/v1/moderation/decisions': '/v1/moderation/decisions',
  '/v1/moderation/transparency': '/v1/moderation/transparency?year=2026',
  '/v1/moderation/decisions/{id}': `/v1/moderation/decisions/${String(decided.json['id'])}`,
  '/v1/moderation/appeals': '/v1/moderation/appeals',
  '/v1/lists/{id}': `/v1/lists/${String(list.json['id'])}`,
  '/health': '/health',
}
/** What somebody did: what is sealed is left out of it, and that it was read is in the log all the same. */
const recorded: Readonly<Record<string, string>> = {
  '/v1/accounts/{id}/activity': `/v1/accounts/${victim.accountId}/activity`,
}
/** Of oneself, of nobody at all, pages for browsers, and what is not JSON. */
const about: readonly RegExp[] = [
  /^\/v1\/me(\/|$)/,
  /^\/v1\/(stories|entries)\/\{id\}\/rating$/,
  /^\/v1\/(sessions|roles|random|word-of-the-day|openapi\.json|asyncapi\.json|entries\/export)$/,
  /^\/v1\/.*\/(feed|export)$/,
  /^\/v1\/(oauth|receipts|mail|live)(\/|$)/,
  /^\/(account|health|metrics|problems|docs|\.well-known|asyncapi|$)/,
]

const routes = Object.entries(api.document.paths).flatMap(([path, methods]) => ('get' in methods ? [path] : []))

t.test('each route that answers is known to show personal data of others, or not to', async t => {
  const named = { ...showing, ...silent, ...recorded }
  const unnamed = routes.filter(path => !(path in named) && !about.some(each => each.test(path)))
  t.same(unnamed, [], 'name it in this test')
  t.same(
    Object.keys(named).filter(path => !routes.includes(path)),
    [],
  )
})

t.test('who is shown it is in the log with it, before it is', async t => {
  const shows = (text: string): readonly string[] =>
    Object.entries(known).flatMap(([name, value]) => (text.toLowerCase().includes(value.toLowerCase()) ? [name] : []))
  const asked: (readonly [path: string, requestId: string, shown: readonly string[]])[] = []
  for (const [path, request] of Object.entries({ ...showing, ...silent, ...recorded })) {
    const answer = await api('GET', request, { as: admin })
    t.equal(answer.status, 200, `${request} ${answer.text}`)
    asked.push([path, answer.headers.get('x-request-id') ?? '', shows(answer.text)])
    t.same(shows((await api('GET', request)).text), [], `${path}: a stranger is shown nothing`)
  }
  // A write, whose position is behind all that was recorded.
  t.equal((await block('203.0.113.52')).status, 201)
  for (const [path, requestId, shown] of asked) {
    const { json } = await api('GET', `/v1/events?correlationId=${requestId}`, { as: auditor })
    const items = Array.isArray(json['items']) ? json['items'] : []
    const actors = items.map(({ meta }) => meta.actor.id)
    if (path in silent) t.same([shown, actors], [[], []], path)
    else if (path in recorded) t.same([shown, actors], [[], [boss.accountId]], path)
    else {
      t.ok(shown.length > 0, `${path} shows something, or is named here for nothing`)
      t.same(actors, [boss.accountId], `${path} shows ${shown}`)
      t.match(
        JSON.stringify(items[0]?.data),
        path.startsWith('/v1/blocks') ? blocked.json['id'] : victim.accountId,
        path,
      )
    }
  }
})

t.test('a profile that is open to others, or is one’s own, is no such reading', async t => {
  const before = await api('GET', '/v1/events?type=AccountsRead&limit=100', { as: auditor })
  await api('GET', `/v1/profiles/${victim.accountId}`, { as: own })
  await edit('/v1/me/preferences', { privacy: { profile: 'everybody' } })
  t.equal((await api('GET', `/v1/profiles/${victim.accountId}`, { as: admin })).json['bio'], known.bio)
  await block('203.0.113.53')
  const after = await api('GET', '/v1/events?type=AccountsRead&limit=100', { as: auditor })
  t.same(after.json['items'], before.json['items'])
})

t.test('every answer was as the document says', async t => t.same([...new Set(api.faults)], []))
