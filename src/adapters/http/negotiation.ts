/** What a request would rather have (RFC 9110, 12.4.2). */
import { ProblemError } from './problems.ts'

/** What a body may be compressed by, the better one first. */
export const encodings = ['br', 'gzip'] as const
export type Encoding = (typeof encodings)[number]

const qualitiesOf = (header: string): ReadonlyMap<string, number> =>
  new Map(
    header.split(',').map(each => {
      const [range = '', ...params] = each.split(';').map(part => part.trim().toLowerCase())
      const q = params.find(param => param.startsWith('q='))
      return [range, q === undefined ? 1 : Number(q.slice(2)) || 0]
    }),
  )

/** `rangesOf`: what covers one that is offered, the most specific first, which speaks for it. */
const bestOf = <T extends string>(header: string, offered: readonly T[], rangesOf: (one: T) => readonly string[]) => {
  const qualities = qualitiesOf(header)
  const quality = (one: T): number => {
    const range = rangesOf(one).find(each => qualities.has(each))
    return range === undefined ? 0 : (qualities.get(range) ?? 0)
  }
  const [best] = offered.map(one => ({ one, q: quality(one) })).toSorted((a, b) => b.q - a.q)
  return best && best.q > 0 ? best.one : undefined
}

/** The better of some formats by Accept (12.5.1); the first without one, undefined when it allows none. */
const preferred = <F extends string>(accept: string | undefined, offered: readonly F[]): F | undefined =>
  accept === undefined || accept.trim() === ''
    ? offered[0]
    : bestOf(accept, offered, format => [format, `${format.split('/')[0]}/*`, '*/*'])

/** As `preferred`. @throws {ProblemError} not-acceptable, where it allows none of them. */
export const formatOf = <F extends string>(accept: string | undefined, offered: readonly F[], detail: string): F => {
  const format = preferred(accept, offered)
  if (format === undefined) throw new ProblemError('not-acceptable', detail)
  return format
}

/** The best that a request takes of what is kept compressed, by Accept-Encoding (12.5.3). */
export const encodingFor = (accepted: string | string[] | undefined): Encoding | undefined =>
  typeof accepted === 'string' ? bestOf(accepted, encodings, encoding => [encoding, '*']) : undefined

/** The best language of those offered by Accept-Language (12.5.4); the first one without it, or where it names none. */
export const languageFor = <L extends string>(accepted: string | undefined, offered: readonly [L, ...L[]]): L => {
  const qualities = qualitiesOf(accepted ?? '')
  const ranges = [...qualities.keys()]
  return (
    bestOf(accepted ?? '', offered, language => [
      ...ranges.filter(range => range === language || range.startsWith(`${language}-`)),
      '*',
    ]) ?? offered[0]
  )
}
