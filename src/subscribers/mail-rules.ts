/** Which events are told to those who run the service. A new mail is one rule and one template (src/adapters/mail/templates.ts). */

import { TokenIssued, tokenCategory } from '../domain/access/token.ts'
import { entryCategory, entryIdOf } from '../domain/entry/entry.ts'
import { EntryRedacted } from '../domain/entry/events.ts'
import type { Recorded } from '../domain/event.ts'
import type { MailRule } from './mail.ts'

/** Things that cannot be undone, and power that was given away. */
export const operatorRules = (options: {
  /** Ids of recipients. */
  readonly operators: readonly string[]
  /** Where to write to no longer get them. */
  readonly from: string
  readonly publicUrl: () => string
}): readonly MailRule[] => {
  const { operators, from, publicUrl } = options
  const unsubscribe = (): string => `mailto:${from}?subject=unsubscribe`
  const language = ({ meta }: Recorded): string => meta.route?.language ?? '-'
  return [
    {
      type: EntryRedacted.type,
      category: entryCategory,
      template: 'entry-removed',
      to: () => operators,
      data: event => ({
        entryId: entryIdOf(event),
        language: language(event),
        at: { instant: event.meta.at },
        actor: `${event.meta.actor.kind} ${event.meta.actor.id}`,
        url: `${publicUrl()}/v1/entries/${entryIdOf(event)}/history`,
      }),
      unsubscribe,
    },
    {
      type: TokenIssued.type,
      category: tokenCategory,
      template: 'token-issued',
      priority: 5,
      to: ({ data }) => (data['role'] === 'admin' ? operators : []),
      data: ({ data, meta }) => ({
        role: String(data['role']),
        tokenId: String(data['tokenId']),
        at: { instant: meta.at },
        expiresAt: { instant: String(data['expiresAt']) },
      }),
      unsubscribe,
    },
  ]
}
