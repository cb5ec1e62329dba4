/** What the service knows of one person, for that person: their acts, and everything there is about them. */
import type { Account } from '../domain/account/account.ts'
import { accountStream } from '../domain/account/account.ts'
import { defined } from '../domain/defined.ts'
import type { LinkedIdentity } from '../domain/openid/linked-identities.ts'
import { identitiesStream } from '../domain/openid/linked-identities.ts'
import type { Preferences } from '../domain/profile/preferences.ts'
import { preferencesStream } from '../domain/profile/preferences.ts'
import type { Profile } from '../domain/profile/profile.ts'
import { profileStream } from '../domain/profile/profile.ts'
import type { Session } from '../domain/session/session.ts'
import type { History, HistoryPage, HistoryPlace, HistoryReader } from './history.ts'
import { type ActivityQuestion, activityOf, concerningTypes } from './own-activity.ts'

export type OwnDataDeps = {
  readonly history: Pick<History, 'page' | 'stream'>
  readonly account: (id: string) => Promise<Account | undefined>
  readonly profile: (id: string) => Promise<Profile>
  readonly preferences: (id: string) => Promise<Preferences | undefined>
  readonly identities: (id: string) => Promise<readonly LinkedIdentity[]>
  readonly sessions: (id: string) => readonly Session[]
}

/** People's text as they wrote it themselves, and what is sealed under their own key; nothing that is sealed under others'. */
const asOwner = (accountId: string): HistoryReader => ({
  permissions: new Set(['events:read', 'events:read-text']),
  own: `subject:${accountId}`,
})

const asAdministrator: HistoryReader = { permissions: new Set(['events:read']) }

export const openOwnData = (deps: OwnDataDeps) => {
  const { history } = deps

  /** What is kept now, a part a line. */
  const kept = async function* (id: string): AsyncGenerator<readonly string[]> {
    const account = await deps.account(id)
    if (!account) return
    const {
      password,
      claim: _c,
      left: _l,
      abandoned: _a,
      revertedAt: _r,
      spared: _s,
      granted: _g,
      erasure,
      ...shown
    } = account
    const { linkHash: _h, ...wish } = erasure ?? {}
    const [profile, preferences, identities] = await Promise.all([
      deps.profile(id),
      deps.preferences(id),
      deps.identities(id),
    ])
    const lines: readonly object[] = [
      {
        kind: 'account',
        ...shown,
        ...defined({ erasure: erasure ? wish : undefined }),
        hasPassword: password !== undefined,
      },
      { kind: 'profile', ...profile, mark: undefined },
      ...(preferences ? [{ kind: 'preferences', ...preferences }] : []),
      ...identities.map(({ claim: _i, claimId: _n, ...each }) => ({ kind: 'identity', ...each })),
      ...deps.sessions(id).map(each => ({ kind: 'session', ...each })),
    ]
    yield lines.map(each => JSON.stringify(each))
  }

  /** Events about the account: those of its own streams, whoever acted, and every act of its own elsewhere. */
  const events = async function* (id: string): AsyncGenerator<readonly string[]> {
    const reader = asOwner(id)
    const account = await deps.account(id)
    const streams = [
      accountStream(id),
      profileStream(id),
      preferencesStream(id),
      identitiesStream(id),
      ...(account ? [account.claim, ...(account.left ?? [])] : []),
    ]
    const line = (text: string): string => `{"kind":"event","event":${text}}`
    for (const stream of streams)
      for await (const { lines } of history.stream({ stream, order: 'asc' }, reader))
        if (lines.length > 0) yield lines.map(({ text }) => line(text))
    const elsewhere = [{ actor: id }, { concerning: { id, types: concerningTypes } }]
    for (const asked of elsewhere)
      for await (const { lines } of history.stream({ ...asked, order: 'asc' }, reader)) {
        // `"stream":"` stands before anything that people wrote: src/core/log/transcript.ts puts the head first.
        const others = lines.filter(
          ({ text }) => !streams.some(each => text.slice(0, 400).includes(`"stream":"${each}"`)),
        )
        if (others.length > 0) yield others.map(({ text }) => line(text))
      }
  }

  return {
    /** One page of the account's own acts, and of what was done at or to it. @throws {ProjectionError} */
    activity: (
      accountId: string,
      question: ActivityQuestion,
      paging: { readonly limit: number; readonly place?: HistoryPlace },
    ): Promise<HistoryPage> => activityOf(history, accountId, { question, paging, reader: asOwner(accountId) }),
    /** The same for who administers accounts: with who did it, and without whatever is sealed. @throws {ProjectionError} */
    activityOfOther: (
      accountId: string,
      question: ActivityQuestion,
      paging: { readonly limit: number; readonly place?: HistoryPlace },
    ): Promise<HistoryPage> =>
      activityOf(history, accountId, { question, paging, reader: asAdministrator, whole: true }),
    /** Everything, a part at a time: JSON texts. @throws {ProjectionError} */
    everything: async function* (accountId: string): AsyncGenerator<readonly string[]> {
      yield* kept(accountId)
      yield* events(accountId)
    },
  }
}
export type OwnData = ReturnType<typeof openOwnData>
