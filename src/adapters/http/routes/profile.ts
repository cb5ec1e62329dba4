/** One's own profile and preferences. */

import { hash } from 'node:crypto'
import Type, { type Static, type TSchema } from 'typebox'
import type { ProfilePatch } from '../../../commands/profiles.ts'
import { later } from '../../../core/log/positions.ts'
import type { Envelope, Result } from '../../../core/write/transact.ts'
import type { Account } from '../../../domain/account/account.ts'
import { defined } from '../../../domain/defined.ts'
import {
  audiences,
  defaultPreferences,
  type Preferences,
  type PreferencesChange,
  PreferencesSchema,
  type PreferencesState,
} from '../../../domain/profile/preferences.ts'
import type { Profile, StatedEdits } from '../../../domain/profile/profile.ts'
import { isRefusal, type Refusal, type RefusalCode, refuse } from '../../../domain/refusal.ts'
import type { Clock } from '../../../ports/clock.ts'
import { answerTo, DryRunQuery, isDry, withDryRun } from '../dry-run.ts'
import { anyMatch, etagOf, noneMatch, parseIfMatch } from '../etags.ts'
import { commandIdentity, traceparentOf } from '../idempotency.ts'
import { ProblemError, problemFrom } from '../problems.ts'
import { type Answer, type Documented, type EdgeRequest, header, type Route } from '../route.ts'
import type { CommandDeps } from '../route-command.ts'
import { fromOf, nothing, reading, strict, tag } from './account-edge.ts'
import { byOf } from './sessions.ts'

/** What the routes need; src/app/profile.ts has it. `edits` counts changes: it is what the entity tag carries. */
export type ProfilePort = {
  read(id: string): Promise<Me | undefined>
  edit(id: string, patch: ProfilePatch, stated: StatedEdits, envelope: Envelope): Promise<Result<Profile>>
  preferences(
    id: string,
  ): Promise<(Edited & { readonly preferences: Preferences; readonly position: bigint }) | undefined>
  prefer(
    id: string,
    change: PreferencesChange,
    stated: StatedEdits,
    envelope: Envelope,
  ): Promise<Result<PreferencesState>>
  readonly clock: Pick<Clock, 'now'>
}
/** Which edit was the last one. */
type Edited = { readonly edits: number; readonly mark: string }
type Me = { readonly account: Account; readonly profile: Profile; readonly position: bigint }

const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const string = Type.String()
const shown = { id: string, email: string, locale: string, createdAt: Type.String({ format: 'date-time' }) }
const MeSchema = Type.Object(
  { ...shown, displayName: orNull(string), bio: orNull(string), languages: Type.Array(string) },
  { $id: 'Me' },
)
/** What cannot be changed here passes when it is what is there. */
const ProfileBody = Type.Object(
  {
    displayName: Type.Optional(orNull(string)),
    bio: Type.Optional(orNull(string)),
    languages: Type.Optional(orNull(Type.Array(string, { maxItems: 100 }))),
    id: Type.Optional(string),
    email: Type.Optional(string),
    locale: Type.Optional(string),
    createdAt: Type.Optional(string),
  },
  { ...strict, $id: 'ProfileChange' },
)
const PreferencesAnswer = Type.Object(PreferencesSchema.properties, { $id: 'Preferences' })
const group = <T extends Readonly<Record<string, TSchema>>>(members: T) =>
  Type.Optional(orNull(Type.Object(members, strict)))
const toggle = Type.Optional(orNull(Type.Boolean()))
const audience = Type.Optional(orNull(Type.Enum([...audiences])))
const PreferencesBody = Type.Object(
  {
    language: Type.Optional(orNull(string)),
    timeZone: Type.Optional(orNull(string)),
    notifications: group({ roles: toggle, chapters: toggle, comments: toggle, reports: toggle, proposals: toggle }),
    privacy: group({ profile: audience, activity: audience, contributions: audience }),
    adult: toggle,
  },
  { ...strict, $id: 'PreferencesChange' },
)

const meExample = {
  id: '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f',
  email: 'reader@dictionary.example',
  locale: 'en',
  createdAt: '2026-01-05T10:00:00.000Z',
  displayName: 'Ada',
  bio: 'Reads dictionaries.',
  languages: ['en', 'es'],
}
const preferencesExample = {
  language: 'en',
  timeZone: 'Europe/Madrid',
  notifications: { roles: true, chapters: true, comments: true, reports: true, proposals: true },
  privacy: { profile: 'members', activity: 'everybody', contributions: 'everybody' },
  adult: false,
}

const own = { tag, permission: 'account:use' } as const
const ownRead = { tag, permission: 'account:read' } as const
const common = ['not-an-account', 'account-not-found'] as const
const writing: readonly RefusalCode[] = [
  ...common,
  'json-invalid',
  'json-too-deep',
  'header-invalid',
  'payload-too-large',
  'unsupported-media-type',
  'conflict',
  'revision-stale',
  'revision-required',
  'idempotency-key-reused',
  'outcome-unknown',
  'store-unavailable',
  'busy',
]

const found = <T>(known: T | undefined): T => {
  if (known !== undefined) return known
  throw new ProblemError('account-not-found', 'There is no such account.')
}

const meBody = ({ account, profile }: Omit<Me, 'position'>) => ({
  id: account.id,
  email: account.address ?? '',
  locale: account.locale,
  createdAt: account.createdAt,
  displayName: profile.displayName ?? null,
  bio: profile.bio ?? null,
  languages: profile.languages,
})

/** The tag names the edits, for If-Match, and what was shown: the address and its like change without an edit of these. */
const tagged = (value: unknown, { edits, mark }: Edited, position: bigint): Answer & { readonly etag: string } => {
  const body = JSON.stringify(value)
  return {
    status: 200,
    body,
    position,
    etag: etagOf(String(edits), mark, hash('sha256', body, 'base64url').slice(0, 12)),
  }
}

/** @throws {ProblemError} header-invalid, revision-stale. */
const shownTo = (request: EdgeRequest, answer: Answer & { readonly etag: string }): Answer => {
  const { etag, position } = answer
  if (!anyMatch(header(request, 'if-match'), etag))
    throw new ProblemError('revision-stale', 'If-Match names none of what is there now: read again.')
  return noneMatch(header(request, 'if-none-match'), etag) ? { status: 304, etag, ...defined({ position }) } : answer
}

/** If-Match has to be stated; `*` is met by every account. @throws {ProblemError} revision-required, header-invalid. */
const statedBy = (request: EdgeRequest): StatedEdits => {
  const stated = parseIfMatch(header(request, 'if-match'))
  if (stated === undefined)
    throw problemFrom(refuse('revision-required', 'State the revision that you have seen, in the header If-Match.'))
  return stated === 'any' ? undefined : stated
}

/** @throws {ProblemError} of the refusal. */
const accepted = async <State>(result: Result<State>, deps: CommandDeps, met: bigint) => {
  if (!isRefusal(result)) return result
  throw problemFrom(result, result.refused === 'revision-stale' ? { 'sync-token': await deps.syncTokens.of(met) } : {})
}

const readOnly = (body: Static<typeof ProfileBody>, { account }: Me): Refusal | undefined => {
  const { id, address: email, locale, createdAt } = account
  const now = { id, email, locale, createdAt }
  const names = ['id', 'email', 'locale', 'createdAt'] as const
  const name = names.find(each => body[each] !== undefined && body[each] !== now[each])
  const detail = `${name} is not changed here.`
  return name && refuse('read-only-member', detail, { errors: [{ pointer: `/${name}`, code: 'read-only', detail }] })
}

const changed = (schema: TSchema, example: NonNullable<Documented['example']>): Readonly<Record<number, Documented>> =>
  withDryRun({ 200: { description: 'As it stands now.', example, schema, headers: ['ETag'] } })

export const profileRoutes = (port: ProfilePort, deps: CommandDeps): readonly Route[] => {
  const readProfile = reading(ProfileBody)
  const readPreferences = reading(PreferencesBody)
  const envelopeOf = (request: EdgeRequest, accountId: string): Envelope => {
    const actor = { kind: 'account', id: accountId } as const
    const { keyed: _, ...identity } = commandIdentity(request, actor, deps)
    const traceparent = traceparentOf(request)
    return {
      ...identity,
      actor,
      correlationId: fromOf(request).correlationId,
      at: port.clock.now(),
      dryRun: isDry(request.query),
      ...defined({ traceparent }),
    }
  }
  const answer = async <State>(
    result: Result<State>,
    request: EdgeRequest,
    met: bigint,
    body: (state: State) => Answer,
  ) => {
    const done = await accepted(result, deps, met)
    const position = later(met, done.position)
    return answerTo({ ...done, position }, isDry(request.query), ({ state }) => body(state))
  }
  return [
    {
      ...ownRead,
      rate: 'reads',
      method: 'GET',
      path: '/v1/me',
      name: 'me',
      summary: 'Your account and profile',
      request: { needs: 'an account' },
      querystring: nothing,
      problems: [...common, 'header-invalid', 'revision-stale'],
      answers: { 200: { description: 'Yours.', schema: MeSchema, example: meExample, headers: ['ETag'] } },
      handle: async request => {
        const me = found(await port.read(byOf(request).accountId))
        return shownTo(request, tagged(meBody(me), me.profile, me.position))
      },
    },
    {
      ...own,
      rate: 'writes',
      method: 'PATCH',
      path: '/v1/me',
      name: 'edit-profile',
      body: ProfileBody,
      summary: 'Edit your profile',
      querystring: DryRunQuery,
      description:
        'A JSON Merge Patch (RFC 7396). Display names are unique without case, accents, signs and what letters look like.',
      request: { needs: 'an account', body: { displayName: 'Ada', languages: ['en', 'es'] } },
      answers: changed(MeSchema, meExample),
      problems: [...writing, 'name-invalid', 'name-taken', 'text-invalid', 'language-unknown', 'read-only-member'],
      handle: async request => {
        const { accountId } = byOf(request)
        const stated = statedBy(request)
        const body = readProfile(request.body)
        const me = found(await port.read(accountId))
        const fixed = readOnly(body, me)
        if (fixed) throw problemFrom(fixed)
        const { displayName, bio, languages } = body
        const patch = defined({ displayName, bio, languages })

        const result = await port.edit(accountId, patch, stated, envelopeOf(request, accountId))
        return answer(result, request, me.position, profile =>
          tagged(
            meBody({ account: me.account, profile }),
            profile,
            later(me.position, isRefusal(result) ? 0n : result.position),
          ),
        )
      },
    },
    {
      ...ownRead,
      rate: 'reads',
      method: 'GET',
      path: '/v1/me/preferences',
      name: 'my-preferences',
      request: { needs: 'an account' },
      summary: 'How you want to be written to, and who may see what',
      querystring: nothing,
      problems: [...common, 'header-invalid', 'revision-stale'],
      answers: {
        200: {
          description: 'Yours.',
          schema: PreferencesAnswer,
          example: preferencesExample,
          headers: ['ETag'],
        },
      },
      handle: async request => {
        const { preferences, position, ...edited } = found(await port.preferences(byOf(request).accountId))
        return shownTo(request, tagged(preferences, edited, position))
      },
    },
    {
      ...own,
      rate: 'writes',
      method: 'PATCH',
      path: '/v1/me/preferences',
      name: 'change-preferences',
      summary: 'Change how you want to be written to, and who may see what',
      querystring: DryRunQuery,
      body: PreferencesBody,
      description: 'A JSON Merge Patch (RFC 7396); null takes a member back to what it was at first.',
      request: {
        needs: 'an account',
        body: { timeZone: 'Europe/Madrid', notifications: { roles: false }, privacy: { contributions: 'members' } },
      },
      answers: changed(PreferencesAnswer, preferencesExample),
      problems: [...writing, 'language-unknown', 'time-zone-unknown', 'text-invalid'],
      handle: async request => {
        const { accountId } = byOf(request)
        const stated = statedBy(request)
        const change = readPreferences(request.body)
        const me = found(await port.read(accountId))
        const result = await port.prefer(accountId, change, stated, envelopeOf(request, accountId))
        return answer(result, request, me.position, ({ chosen, ...edited }) =>
          tagged(
            chosen ?? defaultPreferences(me.account.locale),
            edited,
            later(me.position, isRefusal(result) ? 0n : result.position),
          ),
        )
      },
    },
  ]
}
