/** Which events are told to whom by mail. A new mail is one rule here and one template in src/adapters/mail/templates.ts. */
import { entryCategory, entryIdOf } from '../domain/entry.ts'
import { EntryRedacted } from '../domain/entry-events.ts'
import type { Recorded } from '../domain/event.ts'
import { TokenIssued, tokenCategory } from '../domain/token.ts'
import type { MailRule, Recipient } from './mail.ts'

const minute = (time: string): string => `${time.slice(0, 16).replace('T', ' ')} UTC`

/** What those who run the service are told: things that cannot be undone, and power that was given away. */
export const operatorRules = (options: {
  readonly addresses: readonly string[]
  /** Where to write to no longer get them. */
  readonly from: string
  readonly publicUrl: string
}): readonly MailRule[] => {
  const operators: readonly Recipient[] = options.addresses.map(address => ({ address, locale: 'en' }))
  const unsubscribe = (): string => `mailto:${options.from}?subject=unsubscribe`
  const language = ({ meta }: Recorded): string => meta.route?.language ?? '-'
  return [
    {
      ...{ type: EntryRedacted.type, category: entryCategory, template: 'entry-removed', unsubscribe },
      to: async () => operators,
      data: event => ({
        ...{ entryId: entryIdOf(event), language: language(event), at: minute(event.meta.at) },
        actor: `${event.meta.actor.kind} ${event.meta.actor.id}`,
        url: `${options.publicUrl}/v1/entries/${entryIdOf(event)}/history`,
      }),
    },
    {
      ...{ type: TokenIssued.type, category: tokenCategory, template: 'token-issued', unsubscribe, priority: 5 },
      to: async event => (event.data['role'] === 'admin' ? operators : []),
      data: ({ data, meta }) => ({
        ...{ role: String(data['role']), tokenId: String(data['tokenId']), at: minute(meta.at) },
        expiresAt: minute(String(data['expiresAt'])),
      }),
    },
  ]
}
