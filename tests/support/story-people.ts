/** Whoever may be anything to a story, each signed in, and a service: the columns of tests/fixtures/story-permissions.md. */
import { type House, type Person, signIn } from './people.ts'

export type StoryPeople = {
  readonly author: Person
  readonly people: Readonly<Record<string, Person | undefined>>
  /** Access tokens by the same names; none of a stranger. */
  readonly tokens: Readonly<Record<string, string | undefined>>
  /** Until then those who are called suspended are not: they sign in anew, and their tokens are those of then. */
  readonly suspend: () => Promise<void>
}

export const signInStoryPeople = async (house: House): Promise<StoryPeople> => {
  const author = await signIn(house, 'author', 'contributor')
  const boss = await signIn(house, 'boss', 'admin')
  const suspended = {
    'suspended member': await signIn(house, 'idle', 'contributor'),
    'suspended co-author': await signIn(house, 'third', 'contributor'),
  }
  const people: StoryPeople['people'] = {
    stranger: undefined,
    member: await signIn(house, 'member', 'contributor'),
    invited: await signIn(house, 'invited', 'contributor'),
    'former author': await signIn(house, 'former', 'contributor'),
    'co-author': await signIn(house, 'second', 'contributor'),
    author,
    moderator: await signIn(house, 'moderator', 'moderator'),
    admin: boss,
    ...suspended,
  }
  const tokens: Record<string, string | undefined> = {
    ...Object.fromEntries(Object.entries(people).map(([name, person]) => [name, person?.token])),
    service: await house.app.token('contributor'),
  }
  const suspend = async (): Promise<void> => {
    for (const [name, person] of Object.entries(suspended)) {
      const body = { reason: 'A test.' }
      const answer = await house.api('POST', `/v1/accounts/${person.id}/suspend`, { as: boss.token, body })
      if (answer.status !== 200) throw new Error(answer.text)
      tokens[name] = (await person.again()).token
    }
  }
  return { author, people, tokens, suspend }
}
