/** Who has blocked somebody, or is blocked by them, writes no story with them, and neither is told why. */
import t from 'tap'
import { defined } from '../../src/domain/defined.ts'
import { openApi, type Received } from '../support/api.ts'
import { openTestApp } from '../support/app.ts'
import { openFollowing } from '../support/following.ts'
import { type Person, signIn } from '../support/people.ts'
import { temporaryFolder } from '../support/service.ts'

const folder = temporaryFolder(t)
const app = await openTestApp(t, {}, { folder })
const api = await openApi(app.url)
const person = (name: string): Promise<Person> => signIn({ app, api, folder }, name, 'contributor')
const [ada, ben, cora] = [await person('ada'), await person('ben'), await person('cora')]
const { must, read } = openFollowing(api)

const act = async (method: string, path: string, { token: as }: Person, body?: object): Promise<Received> =>
  api(method, path, { as, ...defined({ body }) })
const story = async (title: string): Promise<string> =>
  `/v1/stories/${String(must(await act('POST', '/v1/stories', ada, { language: 'en', title })).json['id'])}`
const invite = (path: string, { id: accountId }: Person) => act('POST', `${path}/invitations`, ada, { accountId })
const invitations = async ({ token }: Person): Promise<readonly string[]> => {
  const { json } = await read('/v1/me/invitations', token)
  const items: readonly { readonly title: string }[] = Array.isArray(json['items']) ? json['items'] : []
  return items.map(({ title }) => title)
}
const accept = async (path: string, who: Person): Promise<string> => {
  const { status, code } = await act('POST', `${path}/invitations/accept`, who, {})
  return status === 200 ? 'accepted' : String(code)
}

t.test(
  'who has blocked an author, or is blocked by one, has no invitation, and the answer says nothing of it',
  async t => {
    const [first, second, open] = [await story('First'), await story('Second'), await story('Open')]
    must(await act('PUT', `/v1/me/blocks/${ada.id}`, ben))
    must(await act('PUT', `/v1/me/blocks/${cora.id}`, ada))
    const answers = [
      must(await invite(first, ben)),
      must(await invite(second, cora)),
      must(await invite(open, await person('dan'))),
    ]
    t.same(
      answers.map(({ status, json }) => [status, Object.keys(json)]),
      answers.map(() => [answers[2]?.status, Object.keys(answers[2]?.json ?? {})]),
      'all are answered alike',
    )
    t.same([await invitations(ben), await invitations(cora)], [[], []])
    t.same([await accept(first, ben), await accept(second, cora)], ['invitation-not-found', 'invitation-not-found'])
    t.match((await read(first, ada.token)).json, { authors: [ada.id], invited: [ben.id] })
    must(await act('DELETE', `/v1/me/blocks/${ada.id}`, ben))
    t.same(await invitations(ben), ['First'], 'once nobody blocks anybody')
    t.same(await accept(first, ben), 'accepted')
  },
)

t.test('a block that comes behind the invitation takes it away, whichever of the authors it is of', async t => {
  const path = await story('Later')
  must(await invite(path, ben))
  t.same(await accept(path, ben), 'accepted')
  const dora = await person('dora')
  must(await invite(path, dora))
  t.same(await invitations(dora), ['Later'])
  must(await act('PUT', `/v1/me/blocks/${dora.id}`, ben))
  t.same([await invitations(dora), await accept(path, dora)], [[], 'invitation-not-found'])
})

t.test('every answer was as the document says', async t => t.same([...new Set(api.faults)], []))
