/** Everybody who may ask something of a service, each with an access token, and those who may not any more. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import jwt from 'jsonwebtoken'
import { openFileKeys } from '../../src/adapters/keys/file.ts'
import { areas } from '../../src/app/areas.ts'
import { type Closing, type Core, openCore } from '../../src/app/core.ts'
import { carryOutErasures } from '../../src/app/erasure.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { ContentChoice } from '../../src/domain/account/erasure-events.ts'
import { identitiesStream, linkedIdentitiesAggregate, linkIdentity } from '../../src/domain/openid/linked-identities.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import type { Role } from '../../src/domain/roles.ts'
import { addPasskey, passkeysAggregate, passkeysStream } from '../../src/domain/session/passkeys.ts'
import type { Api } from './api.ts'
import { inTime, type TestApp } from './app.ts'
import { forgedOf } from './forged.ts'
import { environmentFor } from './service.ts'

export type House = { readonly app: TestApp; readonly api: Api; readonly folder: string }

/** `id`: of the account. */
export type Person = { readonly id: string; readonly token: string }

const HOUR_MS = 60 * 60 * 1000

/** `again`: signs in once more. */
export type Arrival = Person & { readonly again: () => Promise<Person> }

/** An account of the role, signed in. */
export const signIn = async ({ app, api }: House, name: string, role: Role): Promise<Arrival> => {
  const email = `${name}@dictionary.example`
  const { accountId: id, password } = await app.account(role, email)
  const again = async (): Promise<Person> => {
    const session = await api('POST', '/v1/sessions', { body: { email, password } })
    if (session.status !== 201) throw new Error(session.text)
    return { id, token: String(session.json['accessToken']) }
  }
  return { ...(await again()), again }
}

/** Does something with the log as another node on it, on whose clock it is later by so many hours. */
export const asNode = async <T>(
  { app, folder }: House,
  hours: number,
  work: (core: Core) => Promise<T>,
): Promise<T> => {
  const opened: Closing[] = []
  const ahead = { ...app.clock, now: () => new Date(app.clock.now().getTime() + hours * HOUR_MS) }
  const core = await openCore({ config: loadConfig(environmentFor(folder), folder), clock: ahead, areas, opened })
  try {
    return await work(core)
  } finally {
    for (const each of opened.toReversed()) await each.close()
  }
}

const payloadOf = (token: string): unknown =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))

/** Gives somebody a passkey and an identity of a provider, as if both had been shown; answers their ids. */
export const openDoors = (house: House, { id: accountId, token }: Person) =>
  asNode(house, 0, async ({ transactor, clock, newId }) => {
    const [passkeyId, commandId] = [newId(), newId()]
    const at = clock.now()
    const envelope = { commandId, actor: { kind: 'account' as const, id: accountId }, correlationId: commandId, at }
    const passkey = {
      accountId,
      passkeyId,
      // A new passkey ends all sessions but one.
      sessionId: String(Object(payloadOf(token)).sid),
      credentialId: 'Y3JlZGVudGlhbA',
      publicKey: 'a2V5',
      name: 'A phone',
      counter: 0,
      backedUp: false,
      nonce: newId(),
      nonceUntil: at.toISOString(),
    }
    const added = await transactor(passkeysAggregate).run(passkeysStream(accountId), addPasskey(passkey), envelope)
    const identity = {
      accountId,
      claim: 'identity-none',
      claimId: newId(),
      provider: 'none',
      issuer: 'https://none.example',
      subject: 'somebody',
    }
    const linked = await transactor(linkedIdentitiesAggregate).run(
      identitiesStream(accountId),
      linkIdentity(identity),
      envelope,
    )
    if (isRefusal(added) || isRefusal(linked)) throw new Error('a door was not opened')
    const [item] = linked.state.items
    return { passkeyId, identityId: item?.id ?? '' }
  })

/** What another node does for an account on whose clock it is later by so many hours; is the account over with it? */
const houseKeeping = (house: House, hours: number, id: string): Promise<boolean> =>
  asNode(house, hours, async core => {
    const over = await carryOutErasures(core, [id], (_, error) => {
      throw error
    })
    return over === 1
  })

/** Erases somebody, a day before their time. */
export const eraseNow = async (
  house: House,
  { id, token }: Person,
  content: ContentChoice = 'anonymised',
): Promise<void> => {
  const { app, api } = house
  const wish = await api('DELETE', '/v1/me', { as: token, body: { content } })
  if (wish.status !== 202) throw new Error(wish.text)
  // It begins when the day to think is over, and ends when the last mail had its time.
  await houseKeeping(house, 25, id)
  if (!(await houseKeeping(house, 27, id))) throw new Error('the erasure was not carried out')
  await inTime(app, 'the end of the sessions', async () => (await api('GET', '/v1/me', { as: token })).status === 401)
}

/** The token with other claims, under the service's own key: genuine in all but what it says. */
const signedAgain = async ({ app, folder }: House, token: string, claims: object): Promise<string> => {
  const keys = await openFileKeys({ folder: join(folder, 'keys'), randomBytes, clock: app.clock })
  try {
    const [key] = await keys.signing(app.clock.now())
    if (!key) throw new Error('there is no key')
    const payload = payloadOf(token)
    return jwt.sign({ ...Object(payload), ...claims }, key.privateKey, {
      algorithm: 'ES256',
      header: { alg: 'ES256', typ: 'at+jwt', kid: key.kid },
    })
  } finally {
    await keys.close()
  }
}

/**
 * Tokens by who has them; a stranger has none. Editors and moderators `for es` have the role for Spanish alone; `ended`
 * was an administrator until a moment ago, `lapsed` an editor for Spanish; `suspended` was an editor, and has signed in since. The rest
 * are tokens that are good for nothing.
 */
export const openPeople = async (house: House) => {
  const { app, api } = house
  const boss = await signIn(house, 'boss', 'admin')
  const act = async (method: string, path: string, body: object): Promise<void> => {
    const answer = await api(method, `/v1/accounts/${path}`, { as: boss.token, body: { reason: 'A test.', ...body } })
    if (answer.status !== 200) throw new Error(answer.text)
  }
  const person = (name: string, role: Role = 'contributor') => signIn(house, name, role)
  const erased = await person('erased')
  const suspended = await person('suspended', 'editor')
  const ended = await person('ended')
  const lapsed = await person('lapsed')
  const [editor, moderator] = [await person('editor-es'), await person('moderator-es')]
  const expiresAt = new Date(app.clock.now().getTime() + 1000).toISOString()
  await act('PUT', `${ended.id}/roles/admin`, { expiresAt })
  await act('PUT', `${lapsed.id}/roles/editor`, { expiresAt, languages: ['es'] })
  await act('PUT', `${editor.id}/roles/editor`, { languages: ['es'] })
  await act('PUT', `${moderator.id}/roles/moderator`, { languages: ['es'] })
  await act('POST', `${suspended.id}/suspend`, {})
  await eraseNow(house, erased)
  await app.clock.advance(1000)

  const accounts = {
    contributor: await person('contributor'),
    editor: await person('editor', 'editor'),
    moderator: await person('moderator', 'moderator'),
    auditor: await person('auditor', 'auditor'),
    admin: await person('admin', 'admin'),
    'editor for es': editor,
    'moderator for es': moderator,
    ended,
    lapsed,
    suspended: await suspended.again(),
    erased,
  }
  const revoked = await app.program.tokens.create({ role: 'admin', for: 'revoked', lifeMs: HOUR_MS })
  if ('refused' in revoked) throw new Error(revoked.detail)
  await app.program.tokens.revoke(revoked.id)
  const now = Math.floor(app.clock.now().getTime() / 1000)
  const { admin } = accounts
  /** Good for nothing, whatever they say. */
  const worthless = {
    'of before the suspension': suspended.token,
    erased: await signedAgain(house, erased.token, { iat: now, nbf: now, exp: now + 600 }),
    forged: forgedOf(admin.token),
    expired: await signedAgain(house, admin.token, { iat: now - 600, nbf: now - 600, exp: now }),
    revoked: revoked.token,
    'of nobody': await signedAgain(house, admin.token, { sub: '00000000-0000-4000-8000-000000000000' }),
    'of another session': await signedAgain(house, admin.token, { sid: '00000000-0000-4000-8000-000000000000' }),
  }
  const tokens: Readonly<Record<string, string | undefined>> = {
    stranger: undefined,
    reader: await app.token('reader'),
    ...Object.fromEntries(Object.entries(accounts).map(([name, { token }]) => [name, token])),
    ...worthless,
  }
  return { accounts, tokens, boss }
}
