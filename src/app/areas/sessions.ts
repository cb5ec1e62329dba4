/** Sessions, the devices they were opened on, and the factors that are asked for beside a password. */

import { sessionProblems } from '../../adapters/http/problems/sessions.ts'
import { devicesAggregate } from '../../domain/session/devices.ts'
import { passkeysAggregate } from '../../domain/session/passkeys.ts'
import { factorsAggregate } from '../../domain/session/second-factor.ts'
import { sessionAggregate } from '../../domain/session/session.ts'
import type { Area } from '../area.ts'
import { factorChanges } from '../factors.ts'

export const sessions: Area = {
  name: 'sessions',
  aggregates: [sessionAggregate, factorsAggregate, devicesAggregate, passkeysAggregate],
  problems: sessionProblems,
  notices: [{ events: sessionAggregate.events }],
  subscribers: ({ core }) => [factorChanges(core)],
}
