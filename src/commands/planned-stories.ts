/** What the service does to stories by itself: it publishes them when that was planned. */
import type { Transactor } from '../core/write/transact.ts'
import type { Actor } from '../domain/event.ts'
import { actorId, commandIdOf } from '../domain/ids.ts'
import { isRefusal } from '../domain/refusal.ts'
import { publishAsPlanned } from '../domain/story/decisions.ts'
import type { StoryEvent } from '../domain/story/events.ts'
import { type StoryState, storyStream } from '../domain/story/story.ts'
import type { Clock } from '../ports/clock.ts'
import { failureOf } from '../ports/outage.ts'

const planner: Actor = { kind: 'system', id: actorId('system', 'stories') }

/** Done again it is the same command. @throws {EventStoreError} where the log does not answer. */
export const publishPlanned =
  (deps: {
    readonly stories: Pick<Transactor<StoryState, StoryEvent>, 'run'>
    readonly clock: Pick<Clock, 'now'>
    readonly newId: () => string
  }) =>
  async (storyId: string, due: string): Promise<void> => {
    const stream = storyStream(storyId)
    const envelope = {
      commandId: commandIdOf(planner, 'PUBLISH', stream, due),
      correlationId: deps.newId(),
      actor: planner,
      at: deps.clock.now(),
    }
    const result = await deps.stories.run(stream, publishAsPlanned(due), envelope)
    if (isRefusal(result)) throw failureOf(result)
  }
