/**
 * Links that mails bring: how many go to one address, and what is said of those that are no good. Who asks for another link
 * takes none away: each stays good until its own end, so that nobody is kept out of their account by those who ask in their name.
 */
import type { JsonObject } from '../event.ts'
import { type Refusal, refuse } from '../refusal.ts'

export type LinkRefusal = 'link-invalid' | 'link-expired' | 'link-used'

/** The same of a wrong one, whatever its address is. */
export const linkInvalid = (): Refusal<'link-invalid'> =>
  refuse('link-invalid', 'This link was not made here, is copied only in part, or is not needed any more.')
export const linkExpired = (): Refusal<'link-expired'> =>
  refuse('link-expired', 'This link is too old: ask for another one.')

/** Of the first version, when each request was mailed: what asks for a link had no `quiet`. */
export const withMailed = (data: JsonObject): JsonObject => ({ ...data, quiet: false })

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** How long a link of a kind is good, in ms. */
export const lives = { verify: 24 * HOUR_MS, reset: 30 * MINUTE_MS, change: 24 * HOUR_MS } as const
export type LinkKind = keyof typeof lives

export const expiryOf = (kind: LinkKind, now: Date): string => new Date(now.getTime() + lives[kind]).toISOString()
export const isExpired = ({ expiresAt }: { readonly expiresAt: string }, now: Date): boolean =>
  Date.parse(expiresAt) <= now.getTime()

/** Of a change, whose account is to have the address: one account takes no mail from another one. */
type Mailed = { readonly at: string; readonly accountId?: string }
/** When the last mails of each kind were asked for, the newest last. */
export type MailTimes = Readonly<Partial<Record<LinkKind, readonly Mailed[]>>>

const PAUSE_MS = MINUTE_MS
const PER_DAY = 5
/** What is remembered of a kind: of ten accounts, where they want the same address. */
const MOST_TIMES = 10 * PER_DAY
const DAY_MS = 24 * HOUR_MS

/**
 * Did an address get so many mails of a kind that no more is sent at `now`? Five within a day come a minute apart at least;
 * beyond them one comes when the newest link has lived half of its life. So there is always one in the mailbox that is
 * good for as long again, whoever has asked for it.
 */
export const isEnough = (times: MailTimes, kind: LinkKind, now: Date, accountId?: string): boolean => {
  const sent = (times[kind] ?? []).filter(each => each.accountId === accountId).map(({ at }) => Date.parse(at))
  const [last, fifth] = [sent.at(-1), sent.at(-PER_DAY)]
  if (last === undefined) return false
  const many = fifth !== undefined && now.getTime() - fifth < DAY_MS
  return now.getTime() - last < (many ? lives[kind] / 2 : PAUSE_MS)
}

export const withMail = (times: MailTimes, kind: LinkKind, mailed: Mailed): MailTimes => ({
  ...times,
  [kind]: [...(times[kind] ?? []), mailed].slice(-MOST_TIMES),
})

/** More than can be good at one time by the rule above, of one who asks. */
const MOST_OPEN = 10
export const withLast = <T>(open: readonly T[], one: T): readonly T[] => [...open, one].slice(-MOST_OPEN)
