/** Mails about what happens in the other areas. */
import { mailSubscriber } from '../../subscribers/mail.ts'
import type { Area } from '../area.ts'

export const mail: Area = {
  name: 'mail',
  subscribers: ({ core, rules }) => [mailSubscriber(rules, core)],
}
