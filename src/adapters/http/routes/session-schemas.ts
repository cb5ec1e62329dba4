/** Sessions as answers show them: to who signs in, to their owner, to administrators. */
import Type from 'typebox'
import type { SessionView } from '../../../commands/look-up-accounts.ts'
import type { Session } from '../../../domain/session/session.ts'

const time = Type.String({ format: 'date-time' })
const session = {
  id: Type.String(),
  agent: Type.Union([Type.String(), Type.Null()]),
  startedAt: time,
  usedAt: time,
  endsAt: time,
}
export const SessionSchema = Type.Object({ ...session, current: Type.Boolean() }, { $id: 'Session' })
const device = Type.Union([Type.Object({ number: Type.Integer({ minimum: 1 }), firstSeenAt: time }), Type.Null()], {
  description: 'Which of the devices of the account, counted from the first; null of one that was forgotten.',
})
const OwnSessionSchema = Type.Object({ ...session, current: Type.Boolean(), device }, { $id: 'OwnSession' })
export const AccountSessionSchema = Type.Object({ ...session, device })
export const AccountSessionsSchema = Type.Object(
  { items: Type.Array(AccountSessionSchema) },
  { $id: 'AccountSessions' },
)
export const SessionsSchema = Type.Object({ items: Type.Array(OwnSessionSchema) }, { $id: 'Sessions' })

export const exampleId = '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f'
export const exampleSession = {
  id: exampleId,
  current: true,
  agent: 'Mozilla/5.0',
  startedAt: '2026-01-05T10:00:00.000Z',
  usedAt: '2026-01-05T10:00:00.000Z',
  endsAt: '2026-01-06T10:00:00.000Z',
}
export const exampleDevice = { number: 2, firstSeenAt: '2026-01-02T09:00:00.000Z' }
const { current: _, ...exampleOther } = exampleSession
export const accountSessionsExample = { items: [{ ...exampleOther, device: exampleDevice }] }

/** A session as its owner, or an administrator, is told of it. */
export const sessionItem = ({ session: of, device: on }: SessionView) => {
  const { current: _c, ...body } = sessionBody(of, false)
  return { ...body, device: on ? { number: on.number, firstSeenAt: on.since } : null }
}

export const sessionBody = ({ id, agent, startedAt, usedAt, endsAt }: Session, current: boolean) => ({
  id,
  current,
  agent: agent ?? null,
  startedAt,
  usedAt,
  endsAt,
})
