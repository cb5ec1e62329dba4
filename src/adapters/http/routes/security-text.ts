/** Whom those who find a weakness write to (RFC 9116). */
import Type from 'typebox'
import type { Clock } from '../../../ports/clock.ts'
import { ProblemError } from '../problems.ts'
import type { Route } from '../route.ts'

/** It is made anew for every request, so that it never lapses while somebody runs the service; a year is the most (2.5.5). */
const GOOD_FOR_MS = 180 * 24 * 60 * 60_000

export const securityTextRoute = ({
  settings: { securityContact, publicUrl },
  clock,
}: {
  readonly settings: { readonly securityContact?: string; readonly publicUrl?: string }
  readonly clock: Pick<Clock, 'now'>
}): Route => {
  const path = '/.well-known/security.txt'
  return {
    method: 'GET',
    path,
    name: 'security-text',
    tag: 'Operation',
    summary: 'Whom to tell of a weakness',
    rate: 'reads',
    querystring: Type.Object({}, { additionalProperties: false }),
    request: {},
    problems: ['not-found'],
    answers: {
      200: {
        description: 'As RFC 9116 has it.',
        type: 'text/plain',
        schema: Type.String(),
        example: 'Contact: mailto:security@dictionary.example\nExpires: 2026-07-04T10:00:00.000Z\n',
      },
    },
    handle: () => {
      if (securityContact === undefined) throw new ProblemError('not-found', 'This service names nobody to write to.')
      const lines = [
        `Contact: ${securityContact}`,
        `Expires: ${new Date(clock.now().getTime() + GOOD_FOR_MS).toISOString()}`,
        'Preferred-Languages: en, es',
        ...(publicUrl === undefined ? [] : [`Canonical: ${publicUrl}${path}`]),
      ]
      return {
        status: 200,
        type: 'text/plain; charset=utf-8',
        body: `${lines.join('\n')}\n`,
        cache: 'public, max-age=86400',
      }
    },
  }
}
