/**
 * Regular expressions that a text of somebody else's choice makes slow: every one in the sources is looked into. What is found
 * is written otherwise: run by run, from the end, or without a pattern.
 */
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { slowTextFor } from '../../src/domain/text/pattern-cost.ts'
import { sourcesBelow } from '../support/architecture.ts'
import { patternsIn } from '../support/code.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const split = (literal: string): readonly [source: string, flags: string] => {
  const end = literal.lastIndexOf('/')
  return [literal.slice(1, end), literal.slice(end + 1)]
}

t.test('no pattern takes more than time in proportion to the text', async t => {
  const patterns = sourcesBelow(root, 'src').flatMap(({ path, text }) =>
    patternsIn(text).map((literal): readonly [string, string] => [path, literal]),
  )
  t.ok(patterns.length > 200, 'the patterns were found')
  const slow = patterns.flatMap(([path, literal]) => {
    const text = slowTextFor(...split(literal))
    return text === undefined ? [] : [`${path}: ${literal} is slow on ${JSON.stringify(text)} again and again`]
  })
  t.strictSame(slow, [])
})

t.test('slow ones are known: polynomial, exponential, and those that search', async t => {
  for (const slow of [
    /^(a+)+$/,
    /^(a|a)*$/,
    /^(a*)*b/,
    /^a*a*$/,
    /^(?:a|ab|b)*c/,
    /\s+$/,
    /a+b/,
    /<([^>]*)>$/,
    /\?.*$/,
    /^(.*?)(?:\s+\/(.+?)\/)?\s*(?:<([^<>]+)>)?\s*$/,
    /^(.+?)\s+\\[^\\]*\\/,
    /^\s+"(.+?)"(?:\s+-\s+(.+))?$/,
    /(__(?:Host|Secure)-[A-Za-z0-9_-]+=)[^\s;"'\\]+/g,
    /([?&][^=&#]*(?:pass|key|secret|token)[^=&#]*=)[^&#]*/gi,
    /(?:\d{0,100}){2}y/,
    /x(?=\w*\d)/,
    /^(?:\p{L}+|\p{Lu}+)*$/u,
  ])
    t.type(slowTextFor(slow.source, slow.flags), 'string', `${slow}`)
  for (const quick of [
    /^a*b*$/,
    /^[^,]*,[^,]*$/,
    /\s+/g,
    /[^\n]*/g,
    /<[^<>]*>/,
    /^\s{0,5}\d{1,3}\.\s+(?=\S)/,
    /^(?:[a-z]+-)*[a-z]+$/,
    /\d{1,5}x/,
    /^(?:[a-z]([a-z-]{0,61}[a-z])?\.)+$/,
    /(=)(?<=token=)[^;]+/g,
    /^(\S*)\s{2,}(\S.*)$/,
    /a|b|c/,
    /\\[\s\S]/,
    /[\]\\]+/g,
  ])
    t.equal(slowTextFor(quick.source, quick.flags), undefined, `${quick}`)
  t.throws(() => slowTextFor('(a+)\\1', ''), /refers back/)
  t.throws(() => slowTextFor('(?<=a+)b', ''), /loop/)
})
