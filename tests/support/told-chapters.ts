/** Chapters as a story is told of them, for tests of the story that need no text: an area with a route that tells it. */
import Type, { type Static } from 'typebox'
import { commandRoute } from '../../src/adapters/http/route-command.ts'
import type { Area } from '../../src/app/area.ts'
import type { StoryCommand } from '../../src/commands/stories.ts'
import type { By } from '../../src/domain/decider.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { addChapter, hideChapter, showChapter, withdrawChapter } from '../../src/domain/story/chapters.ts'
import { storyAggregate, storyStream } from '../../src/domain/story/story.ts'

const Telling = Type.Object(
  {
    told: Type.Enum(['added', 'shown', 'hidden', 'withdrawn']),
    chapter: Type.String({ maxLength: 100 }),
    words: Type.Optional(Type.Integer()),
    revision: Type.Optional(Type.Integer()),
  },
  { additionalProperties: false },
)
type Telling = Static<typeof Telling>

const decide = ({ told, chapter, words = 0, revision = 1 }: Telling, by: By) => {
  switch (told) {
    case 'added':
      return addChapter(chapter, by)
    case 'shown':
      return showChapter({ chapter, words, revision })
    case 'hidden':
      return hideChapter({ chapter, revision }, by)
    default:
      return withdrawChapter(chapter, by)
  }
}

const tell: StoryCommand<{ readonly id: string; readonly body: Telling }> = {
  name: 'tell-chapter',
  body: Telling,
  permission: 'stories:write',
  stream: ({ id }) => storyStream(id),
  decide: ({ body }, by) => decide(body, by),
}

export const toldChapters: Area = {
  name: 'told-chapters',
  routes:
    ({ core }) =>
    edge => [
      commandRoute(
        {
          method: 'POST',
          path: '/v1/told/:id',
          tag: 'Told',
          summary: 'Tell a story of a chapter',
          params: Type.Object({ id: Type.String() }),
          command: tell,
          transactor: core.transactor(storyAggregate),
          answer: result => ({ status: 200, body: JSON.stringify({ refused: isRefusal(result) }) }),
          request: { params: { id: 'x' }, body: { told: 'added', chapter: 'one' } },
          answers: { 200: { description: 'Told.', schema: Type.Object({ refused: Type.Boolean() }), example: {} } },
          problems: ['story-not-found', 'chapter-unknown', 'chapters-full', 'last-chapter'],
        },
        edge,
      ),
    ],
}
