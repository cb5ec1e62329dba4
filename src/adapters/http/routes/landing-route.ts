/** The route of a page that a browser is sent to, from a mail or by a provider. */
import Type from 'typebox'
import type { Route } from '../route.ts'
import { nothing, tag } from './account-edge.ts'

/** `page.policy`: its Content-Security-Policy, which names what of it may run. */
export const landingRoute = (of: {
  readonly path: string
  readonly name: string
  readonly summary: string
  readonly page: { readonly html: string; readonly policy: string }
}): Route => {
  const { path, name, summary, page } = of
  return {
    method: 'GET',
    path,
    name,
    tag,
    querystring: nothing,
    summary,
    request: {},
    problems: [],
    answers: { 200: { description: 'A page.', type: 'text/html', schema: Type.String(), example: '<!doctype html>' } },
    handle: () => ({
      status: 200,
      type: 'text/html; charset=utf-8',
      body: page.html,
      headers: { 'content-security-policy': page.policy },
    }),
  }
}
