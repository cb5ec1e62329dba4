/**
 * What strangers ask a link for: to confirm an address, to set a password. The answer comes before anything that is known of the
 * address is looked at: what they want is put into the queue, which is the same work for every address, and what is to be done about
 * it is found out by the job (decision 105).
 */
import { requestReset, resend } from '../domain/address/address.ts'
import { isEmail, readEmail } from '../domain/address/email.ts'
import { defined } from '../domain/defined.ts'
import type { JsonObject } from '../domain/event.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import { type JobKind, type Jobs, PermanentFailure } from '../ports/jobs.ts'
import { failureOf } from '../ports/outage.ts'
import { type ClaimDeps, claimsOf, lookUpClaims, ownerAmong } from './address-claims.ts'
import { envelopeOf, type From, type IdentityDeps, makeLink } from './identity.ts'

export type LinkWish = 'verify' | 'reset'

const LINK_JOB = 'link'
/** Who asked waits at a screen, as who is sent the mail does. */
const WAITING = 10
/** As patient as mails are: 15 s, 30 s, and up to 15 minutes. */
const PACE = { firstMs: 15_000, longestMs: 15 * 60_000 } as const
const AT_ONCE = 5

type Done = 'done' | Refusal
type Envelope = ReturnType<typeof envelopeOf>
type WritingDeps = Pick<IdentityDeps, 'addresses' | 'clock' | 'newId'> & {
  readonly secrets: Pick<IdentityDeps['secrets'], 'link'>
}

export type LinkRequestDeps = Omit<ClaimDeps, 'addresses'> &
  Pick<IdentityDeps, 'clock' | 'newId'> & { readonly jobs: () => Promise<Pick<Jobs, 'add'>> }

/**
 * Takes what is asked for by whomever. Neither the claims of the address nor the job tell whether anybody has it.
 * @throws {JobsError} and what the ports of keys and events throw.
 */
export const requestLink = async (deps: LinkRequestDeps, wish: LinkWish, text: string, from: From): Promise<Done> => {
  const email = readEmail(text)
  if (!isEmail(email)) return email
  const claims = await claimsOf(deps, email)
  const { commandId, correlationId, traceparent, at } = envelopeOf(deps, from)
  const asked = { wish, claims: [...claims], correlationId, at: at.toISOString() }
  const jobs = await deps.jobs()
  await jobs.add({
    kind: LINK_JOB,
    key: commandId,
    data: { ...asked, ...defined({ traceparent }) },
    priority: WAITING,
  })
  return 'done'
}

const write = async (
  deps: WritingDeps,
  { wish, claim }: { readonly wish: LinkWish; readonly claim: string },
  envelope: Envelope,
): Promise<Done> => {
  const { hash } = makeLink(deps.secrets.link, wish, claim, envelope.commandId)
  const decide = (wish === 'verify' ? resend : requestReset)(hash, envelope.at)
  const result = await deps.addresses.unopened.run(claim, decide, envelope)
  return isRefusal(result) ? result : 'done'
}

/** The same at once, for who has shown that the address of the claim is theirs. */
export const requestFor = (deps: WritingDeps, wish: LinkWish, claim: string, from: From): Promise<Done> =>
  write(deps, { wish, claim }, envelopeOf(deps, from))

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every(each => typeof each === 'string')

const parse = ({ wish, claims, correlationId, at, traceparent }: JsonObject) => {
  const [first, ...others] = isTexts(claims) ? claims : []
  if (
    (wish !== 'verify' && wish !== 'reset') ||
    first === undefined ||
    typeof correlationId !== 'string' ||
    typeof at !== 'string'
  )
    throw new PermanentFailure('the job does not say which link is asked for')
  const trace = typeof traceparent === 'string' ? traceparent : undefined
  const from: From = { correlationId, agent: '', ...defined({ traceparent: trace }) }
  return { wish, first, others, at: new Date(at), from } as const
}

/**
 * Writes down that a link is wanted, as of when it was; whether there is anybody to send it to, the rules of mails find out. A
 * repetition is the same command, and changes nothing.
 */
export const linkJobs = (deps: WritingDeps): JobKind => ({
  name: LINK_JOB,
  concurrency: AT_ONCE,
  ...PACE,
  handle: async ({ key, data }) => {
    const { wish, first, others, at, from } = parse(data)
    const found = await lookUpClaims({ addresses: deps.addresses.unopened }, [first, ...others])
    // Where somebody has the address, or waits for its link; else where both would be.
    const waiting = wish === 'verify' ? found.find(({ state }) => state.pending.length > 0) : undefined
    const { claim } = ownerAmong(found) ?? waiting ?? { claim: first }
    const done = await write(deps, { wish, claim }, { ...envelopeOf(deps, from), commandId: key, at })
    if (done !== 'done') throw failureOf(done)
  },
})
