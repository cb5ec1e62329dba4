/** The commands of stories. What is asked of one whom the story does not concern is decided on the story itself. */
import Type, { type Static } from 'typebox'
import type { Command } from '../core/write/define.ts'
import { LOCAL_TIME } from '../domain/forms.ts'
import { begunId } from '../domain/ids.ts'
import { readTimeZone } from '../domain/profile/time-zones.ts'
import { refuse } from '../domain/refusal.ts'
import * as authors from '../domain/story/authors.ts'
import { orderChapters } from '../domain/story/chapters.ts'
import * as story from '../domain/story/decisions.ts'
import type { StoryEvent } from '../domain/story/events.ts'
import { instantAt } from '../domain/story/local-time.ts'
import { type StoryState, storyStream } from '../domain/story/story.ts'
import { RatingSchema, storyLimits, VisibilitySchema, WarningSchema } from '../domain/story/terms.ts'
import { NOT_A_LANGUAGE, registeredLanguage } from '../domain/text/registered-languages.ts'

export type StoryCommand<Input> = Command<Input, StoryState, StoryEvent>
type OnStory<Body = unknown> = { readonly id: string; readonly body: Body }

const strict = { additionalProperties: false }
const text = Type.String()
const orNull = <T extends Type.TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))
const ofStory = ({ id }: { readonly id: string }): string => storyStream(id)
/** How many there may be is a matter of the decision, which names the limit; more than that is no list of tags. */
const tags = Type.Array(text, { maxItems: 4 * storyLimits.tags })
const warnings = Type.Array(WarningSchema, { maxItems: 100 })

export const StoryBody = Type.Object(
  {
    language: text,
    title: text,
    summary: orNull(text),
    tags: Type.Optional(tags),
    warnings: Type.Optional(warnings),
    rating: Type.Optional(RatingSchema),
    visibility: Type.Optional(VisibilitySchema),
  },
  { ...strict, $id: 'StoryBeginning' },
)

export const beginStory: StoryCommand<{ readonly body: Static<typeof StoryBody> }> = {
  name: 'begin-story',
  body: StoryBody,
  permission: 'stories:write',
  stream: (_, commandId) => storyStream(begunId('story', commandId)),
  decide: ({ body }, by) => {
    const { language: given, ...input } = body
    const language = registeredLanguage(given)
    return language === undefined
      ? () =>
          refuse('language-unknown', 'The language is not a BCP 47 tag of a registered language.', {
            errors: [{ pointer: '/language', code: 'language-unknown', detail: NOT_A_LANGUAGE }],
          })
      : story.beginStory(language, input, by)
  },
}

export const StoryEditBody = Type.Object(
  {
    title: Type.Optional(text),
    summary: orNull(text),
    tags: orNull(tags),
    warnings: orNull(warnings),
    rating: orNull(RatingSchema),
    visibility: orNull(VisibilitySchema),
  },
  { ...strict, $id: 'StoryEdit' },
)

export const editStory: StoryCommand<OnStory<Static<typeof StoryEditBody>>> = {
  name: 'edit-story',
  body: StoryEditBody,
  permission: 'stories:write',
  needsRevision: true,
  stream: ofStory,
  decide: ({ body }, by) => story.editStory(body, by),
}

export const publishStory: StoryCommand<OnStory> = {
  name: 'publish-story',
  permission: 'stories:write',
  stream: ofStory,
  decide: (_, by) => story.publishStory(by),
}

export const unpublishStory: StoryCommand<OnStory> = {
  name: 'unpublish-story',
  permission: 'stories:write',
  stream: ofStory,
  decide: (_, by) => story.unpublishStory(by),
}

export const completeStory: StoryCommand<OnStory> = {
  name: 'complete-story',
  permission: 'stories:write',
  stream: ofStory,
  decide: (_, by) => story.completeStory(by),
}

export const reopenStory: StoryCommand<OnStory> = {
  name: 'reopen-story',
  permission: 'stories:write',
  stream: ofStory,
  decide: (_, by) => story.reopenStory(by),
}

export const ScheduleBody = Type.Object(
  { at: Type.String({ pattern: LOCAL_TIME }), timeZone: Type.String({ maxLength: 100 }) },
  { ...strict, $id: 'StoryScheduling' },
)

const noSchedule = (pointer: string, code: string, detail: string) => () =>
  refuse('schedule-invalid', detail, { errors: [{ pointer, code, detail }] })

export const scheduleStory: StoryCommand<OnStory<Static<typeof ScheduleBody>>> = {
  name: 'schedule-story',
  body: ScheduleBody,
  permission: 'stories:write',
  stream: ofStory,
  decide: ({ body }, by) => {
    const timeZone = readTimeZone(body.timeZone)
    if (timeZone === undefined)
      return noSchedule('/timeZone', 'unknown', 'The time zone is none of the IANA table, such as Europe/Madrid.')
    const due = instantAt(body.at, timeZone)
    if (due === 'no-time') return noSchedule('/at', 'format', 'This is no time of the calendar.')
    if (due === 'gap') return noSchedule('/at', 'gap', `Clocks of ${timeZone} are put forward over this time.`)
    return story.scheduleStory({ at: body.at, timeZone, due }, by)
  },
}

export const cancelSchedule: StoryCommand<OnStory> = {
  name: 'cancel-schedule',
  permission: 'stories:write',
  stream: ofStory,
  decide: (_, by) => story.cancelSchedule(by),
}

/** Who may write no longer, or is suspended, still takes back what is theirs. */
export const deleteStory: StoryCommand<OnStory> = {
  name: 'delete-story',
  permission: 'stories:leave',
  stream: ofStory,
  decide: (_, by) => story.deleteStory(by),
}

export const orphanStory: StoryCommand<OnStory> = {
  name: 'orphan-story',
  permission: 'stories:leave',
  stream: ofStory,
  decide: (_, by) => authors.orphanStory(by),
}

export const leaveStory: StoryCommand<OnStory> = {
  name: 'leave-story',
  permission: 'stories:leave',
  stream: ofStory,
  decide: (_, by) => authors.leaveStory(by),
}

export const InvitationBody = Type.Object(
  { accountId: Type.String({ maxLength: 100 }) },
  { ...strict, $id: 'StoryInvitation' },
)

/** `isThere`: is there an account of this id that has not ended, or is about to? */
export const inviteAuthor = (
  isThere: (accountId: string) => Promise<boolean>,
): StoryCommand<OnStory<Static<typeof InvitationBody>>> => ({
  name: 'invite-author',
  body: InvitationBody,
  permission: 'stories:write',
  stream: ofStory,
  decide: async ({ body }, by) => {
    const accountId = body.accountId.toLowerCase()
    return authors.inviteAuthor(accountId, await isThere(accountId), by)
  },
})

export const withdrawInvitation: StoryCommand<{
  readonly id: string
  readonly params: Readonly<Record<string, string>>
}> = {
  name: 'withdraw-invitation',
  permission: 'stories:write',
  stream: ofStory,
  decide: ({ params }, by) => authors.withdrawInvitation((params['accountId'] ?? '').toLowerCase(), by),
}

/** `isApart`: has one of the story's authors blocked the account, or the account one of them? */
export const acceptInvitation = (
  isApart: (accountId: string, storyId: string) => Promise<boolean>,
): StoryCommand<OnStory> => ({
  name: 'accept-invitation',
  permission: 'stories:write',
  stream: ofStory,
  decide: async ({ id }, by) => authors.acceptInvitation(await isApart(by.id, id), by),
})

export const declineInvitation: StoryCommand<OnStory> = {
  name: 'decline-invitation',
  permission: 'stories:leave',
  stream: ofStory,
  decide: (_, by) => authors.declineInvitation(by),
}

export const ChapterOrderBody = Type.Object(
  { chapters: Type.Array(Type.String({ maxLength: 100 }), { maxItems: 2 * storyLimits.chapters }) },
  { ...strict, $id: 'ChapterOrder' },
)

export const orderChaptersCommand: StoryCommand<OnStory<Static<typeof ChapterOrderBody>>> = {
  name: 'order-chapters',
  body: ChapterOrderBody,
  permission: 'stories:write',
  stream: ofStory,
  decide: ({ body }, by) =>
    orderChapters(
      body.chapters.map(id => id.toLowerCase()),
      by,
    ),
}
