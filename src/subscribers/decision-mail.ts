/**
 * What people are told by mail of decisions about what is theirs, and of their appeals. Nobody switches these off: they are told what they
 * have a right to be told. What was said, by whomever, is read where the decision is.
 */
import type { Recorded } from '../domain/event.ts'
import { appealCategory } from '../domain/moderation/appeal.ts'
import { AppealDecided, AppealQuestionAsked } from '../domain/moderation/appeal-events.ts'
import { StatementGiven, StatementWithdrawn, statementCategory } from '../domain/moderation/statement-given.ts'
import type { MailRule } from './mail.ts'

const accountOf = ({ data }: Recorded): readonly string[] => [`account:${String(data['accountId'])}`]

export const decisionRules = ({ publicUrl }: { readonly publicUrl: () => string }): readonly MailRule[] => {
  const told = (
    type: string,
    category: string,
    template: string,
  ): Pick<MailRule, 'type' | 'category' | 'template' | 'data'> => ({
    type,
    category,
    template,
    data: ({ data }) => ({ url: `${publicUrl()}/v1/me/decisions/${String(data['decision'])}` }),
  })
  return [
    { ...told(StatementGiven.type, statementCategory, 'decision-taken'), to: accountOf },
    { ...told(StatementWithdrawn.type, statementCategory, 'decision-overturned'), to: accountOf },
    { ...told(AppealQuestionAsked.type, appealCategory, 'appeal-asked'), to: accountOf },
    {
      ...told(AppealDecided.type, appealCategory, 'appeal-upheld'),
      // Of one that is overturned the end of the decision tells.
      to: event => (event.data['outcome'] === 'upheld' ? accountOf(event) : []),
    },
  ]
}
