/** The end of accounts: what the edge asks for, the work of house-keeping, receipts. */

import type { HealthPart } from '../adapters/http/operation.ts'
import type { ErasurePort } from '../adapters/http/routes/account-edge.ts'
import { clearShelves } from '../commands/clear-shelves.ts'
import * as erasure from '../commands/erasure.ts'
import type { From } from '../commands/identity.ts'
import { leaveAppeals } from '../commands/leave-appeals.ts'
import { leaveComments } from '../commands/leave-comments.ts'
import { leaveStories } from '../commands/leave-stories.ts'
import { releaseIdentities } from '../commands/openid.ts'
import { openReceiptSigner } from '../commands/receipts.ts'
import { forgetRelations } from '../commands/relations.ts'
import { accountAggregate } from '../domain/account/account.ts'
import { receiptOf } from '../domain/account/receipt.ts'
import { addressAggregate } from '../domain/address/address.ts'
import { commentAggregate } from '../domain/comment/comment.ts'
import { defined } from '../domain/defined.ts'
import type { Recorded } from '../domain/event.ts'
import { appealAggregate } from '../domain/moderation/appeal.ts'
import { openIdClaimAggregate } from '../domain/openid/claim.ts'
import { identitiesStream, linkedIdentitiesAggregate } from '../domain/openid/linked-identities.ts'
import { preferencesAggregate, preferencesStream } from '../domain/profile/preferences.ts'
import { profileAggregate, profileStream } from '../domain/profile/profile.ts'
import { isRefusal } from '../domain/refusal.ts'
import { relationsAggregate } from '../domain/relation/relations.ts'
import { passkeysAggregate, passkeysStream } from '../domain/session/passkeys.ts'
import { factorsAggregate, factorsStream } from '../domain/session/second-factor.ts'
import { readingListAggregate } from '../domain/shelf/reading-list.ts'
import { shelfAggregate, shelvesOf } from '../domain/shelf/shelf.ts'
import { seriesAggregate } from '../domain/story/series.ts'
import { storyAggregate } from '../domain/story/story.ts'
import type { Identities } from '../projections/identities.ts'
import type { Core } from './core.ts'

const depsOf = async (core: Core): Promise<erasure.ErasureDeps> => {
  const { transactor, clock, newId, log, keys, linkSecret: link } = core
  const identities = {
    claims: core.transactor(openIdClaimAggregate),
    linked: core.transactor(linkedIdentitiesAggregate),
    clock,
    newId,
  }
  const kept = { shelves: transactor(shelfAggregate), lists: transactor(readingListAggregate) }
  const written = { stories: transactor(storyAggregate), series: transactor(seriesAggregate) }
  const said = { comments: transactor(commentAggregate) }
  const related = { relations: transactor(relationsAggregate) }
  return {
    addresses: transactor(addressAggregate),
    accounts: transactor(accountAggregate),
    profiles: transactor(profileAggregate),
    clock,
    newId,
    log,
    keys,
    secrets: { link },
    releaseIdentities: (accountId, from) => releaseIdentities(identities, accountId, from),
    clearShelves: (leaving, by) => clearShelves(kept, leaving, by),
    leaveComments: async (leaving, by) => {
      const left = await leaveComments(said, leaving, by)
      if (left !== 'done') return left
      const appealed = await leaveAppeals({ appeals: transactor(appealAggregate) }, leaving, by)
      return appealed === 'done' ? forgetRelations(related, leaving.accountId, by) : appealed
    },
    leaveStories: (leaving, by) => leaveStories(written, leaving, by),
  }
}

/** `service`: its public address, or a name; `keyBackupDays`: what the receipt says of copies of keys. */
export const openErasure = async (core: Core, service: string, keyBackupDays: number): Promise<ErasurePort> => {
  const deps = await depsOf(core)
  const signer = openReceiptSigner(await core.keys.secret('receipt'))
  return {
    wish: (accountId, content, from) => erasure.wishErasure(deps, accountId, content, from),
    takeBack: (accountId, from) => erasure.takeBackErasure(deps, accountId, from),
    takeBackByLink: (token, from) => erasure.takeBackErasureByLink(deps, token, from),
    receiptPath: accountId => `/v1/receipts/${erasure.receiptToken(core.linkSecret, accountId)}`,
    receipt: async token => {
      const found = await erasure.erasedAccount(deps, token)
      if (isRefusal(found)) return found
      const receipt = receiptOf(found.account, {
        service,
        logId: core.log.logId,
        position: found.position,
        keyBackupDays,
      })
      return receipt ? { receipt, signed: signer.sign(receipt) } : erasure.noReceipt()
    },
    keys: [signer.publicKey],
  }
}

/** Carries out what is due of these accounts; how many are over with it. One that fails keeps none of the others. */
export const carryOutErasures = async (
  core: Core,
  accountIds: readonly string[],
  onError: (accountId: string, error: unknown) => void,
): Promise<number> => {
  const deps = await depsOf(core)
  const from: From = { correlationId: core.newId(), agent: '' }
  let over = 0
  for (const id of accountIds)
    try {
      if (await erasure.carryOutErasure(deps, id, from)) over += 1
    } catch (error) {
      onError(id, error)
    }
  return over
}

/** What a node has in memory of somebody who was erased. */
export const forgetAccount = (core: Core, { data, stream }: Recorded): void => {
  const id = String(data['accountId'])
  const claims = Array.isArray(data['claims']) ? data['claims'].map(String) : []
  core.transactor(accountAggregate).forget(stream)
  core.transactor(profileAggregate).forget(profileStream(id))
  core.transactor(preferencesAggregate).forget(preferencesStream(id))
  core.transactor(linkedIdentitiesAggregate).forget(identitiesStream(id))
  core.transactor(factorsAggregate).forget(factorsStream(id))
  core.transactor(passkeysAggregate).forget(passkeysStream(id))
  for (const shelf of shelvesOf(id)) core.transactor(shelfAggregate).forget(shelf)
  for (const claim of claims) core.transactor(addressAggregate).forget(claim)
}

/** Erasures that are not where they should be by now. */
export const erasuresPart = (identities: Pick<Identities, 'lateErasures'>): HealthPart => {
  const found = identities.lateErasures()
  const bad = found.held + found.late > 0
  return { state: bad ? 'degraded' : 'ok', ...defined({ detail: bad ? found : undefined }) }
}
