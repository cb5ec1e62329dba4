/**
 * Turning a kind of mail off from the mail itself, without signing in: by the reader's program with one click (RFC 8058), or
 * on a page that asks for one, since programs that look at mails open links too.
 */
import Type from 'typebox'
import type { Answer, Route } from '../route.ts'
import type { From } from './account-edge.ts'
import { fromOf, reading, strict, tag } from './account-edge.ts'

/** What the routes need; src/app/profile.ts has it. */
export type UnsubscribePort = {
  /** Turns off what the token names; a token that names nothing changes nothing, and nobody is told which it was. */
  turnOff(token: string, from: From): Promise<void>
}

const page = (body: string): Answer => ({
  status: 200,
  type: 'text/html; charset=utf-8',
  cache: 'no-store',
  body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Mails</title></head><body><main><h1>Mails about roles</h1>${body}</main></body></html>`,
  headers: {
    'content-security-policy': "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  },
})
const answers = {
  200: { description: 'A page.', type: 'text/html', schema: Type.String(), example: '<!doctype html>' },
}
const querystring = Type.Object({ token: Type.String({ maxLength: 200 }) }, strict)
const read = reading(querystring)
const request = { query: { token: '018f2c5a-7b1e-7cc2-8f43-0a1b2c3d4e5f.b64' } }

export const unsubscribeRoutes = (port: UnsubscribePort): readonly Route[] => {
  const base = { tag, path: '/v1/mail/unsubscribe', rate: 'reads', querystring, request, answers } as const
  return [
    {
      ...base,
      method: 'GET',
      name: 'unsubscribe-page',
      problems: [],
      summary: 'The page that turns off the mails about your roles',
      handle: () =>
        page(
          '<p>You get a mail when a role is given to you or taken back.</p><form method="post"><button>Turn these mails off</button></form>',
        ),
    },
    {
      ...base,
      method: 'POST',
      name: 'unsubscribe',
      form: true,
      problems: [],
      summary: 'Turn them off with one click (RFC 8058)',
      description: 'Takes a form, as programs for mail send it, and says the same whatever the token.',
      handle: async asked => {
        await port.turnOff(read(asked.query).token, fromOf(asked))
        return page(
          '<p>You no longer get mails about your roles. Mails about the safety of your account are always sent.</p>',
        )
      },
    },
  ]
}
