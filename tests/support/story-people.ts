/** Whoever may be anything to a story, each signed in, and a service: the columns of tests/fixtures/story-permissions.md. */
import { type House, type Person, signIn } from './people.ts'

export type StoryPeople = {
  readonly author: Person
  readonly people: Readonly<Record<string, Person | undefined>>
  /** Access tokens by the same names; none of a stranger. */
  readonly tokens: Readonly<Record<string, string | undefined>>
}

export const signInStoryPeople = async (house: House): Promise<StoryPeople> => {
  const author = await signIn(house, 'author', 'contributor')
  const people: StoryPeople['people'] = {
    stranger: undefined,
    member: await signIn(house, 'member', 'contributor'),
    invited: await signIn(house, 'invited', 'contributor'),
    'former author': await signIn(house, 'former', 'contributor'),
    'co-author': await signIn(house, 'second', 'contributor'),
    author,
    moderator: await signIn(house, 'moderator', 'moderator'),
    admin: await signIn(house, 'boss', 'admin'),
  }
  const tokens = {
    ...Object.fromEntries(Object.entries(people).map(([name, person]) => [name, person?.token])),
    service: await house.app.token('contributor'),
  }
  return { author, people, tokens }
}
