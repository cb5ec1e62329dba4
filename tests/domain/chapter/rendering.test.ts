import { equal, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { isSafeImage, isSafeLink, parseMarkup } from '../../../src/domain/chapter/markup.ts'
import { boundsOf, depthOf, isDeeperThan, isTooMuch } from '../../../src/domain/chapter/nesting.ts'
import { render, sanitised } from '../../../src/domain/chapter/rendering.ts'
import { holds } from '../../support/property.ts'

const vectors: readonly string[] = JSON.parse(
  readFileSync(new URL('../../fixtures/xss-vectors.json', import.meta.url), 'utf8'),
)

const tag = /<(\/?)([a-z0-9]+)((?: [a-z-]+="[^"<>]*")*)( \/)?>/g
const attribute = / ([a-z-]+)="([^"<>]*)"/g
const elements = new Set('p h1 h2 h3 h4 h5 h6 blockquote ul ol li em strong a br hr code pre img'.split(' '))
const attributes = new Set('href title rel data-image src alt loading referrerpolicy start'.split(' '))
const address = /^(?:https?:\/\/[^/\\]|mailto:[^/]|[?#]|\/(?![/\\])|[^/\\:]+(?:[/?#]|$))/

/** What is wrong with HTML that is to have elements and attributes of the closed list alone, told by its characters. */
const harmOf = (html: string): string | undefined => {
  // What is no tag of ours has no sign that could make one.
  if (/[<>]/.test(html.replaceAll(tag, ''))) return 'a sign of a tag'
  for (const [, , name = '', within = ''] of html.matchAll(tag)) {
    if (!elements.has(name)) return `the element ${name}`
    for (const [, key = '', value = ''] of within.matchAll(attribute)) {
      if (!attributes.has(key)) return `the attribute ${key}`
      if ((key === 'href' || key === 'src') && !address.test(value.replaceAll('&amp;', '&')))
        return `the address ${value}`
      if (key === 'src' && !value.startsWith('https://')) return `an image from ${value}`
    }
  }
  return undefined
}

const both = (text: string): readonly string[] => {
  const { html, withImages } = render(text)
  return withImages === undefined ? [html] : [html, withImages]
}

t.test('what is found to be harmful is', async t => {
  for (const html of [
    '<script>',
    '<p onclick="x">',
    '<a href="javascript:alert(1)">',
    '<a href="//host">',
    '<a href="data:x">',
    '<img src="http://host" />',
    '<img src=x>',
    '<p id="x">',
    'a < b',
  ])
    t.type(harmOf(html), 'string', html)
  t.equal(harmOf('<p>a &lt; b <a href="../x?y#z" title="t">x</a></p>\n<hr />'), undefined)
})

t.test('no vector of the corpus becomes anything but text', async t => {
  t.ok(vectors.length > 100)
  const harmful = vectors.flatMap(vector =>
    both(vector).flatMap(html => {
      const harm =
        harmOf(html) ?? (/href="\s*(?:javascript|vbscript|data)(?::|&)/i.test(html) ? 'an address' : undefined)
      return harm === undefined ? [] : [{ vector, html, harm }]
    }),
  )
  t.strictSame(harmful, [])
})

t.test('the same of vectors put together, and of any text', async () => {
  const part = fc.oneof(
    fc.constantFrom(...vectors),
    fc.constantFrom(
      '*',
      '_',
      '[',
      ']',
      '(',
      ')',
      '![',
      '](',
      '`',
      '\n',
      '\n\n',
      '> ',
      '- ',
      '1. ',
      '<',
      '>',
      '"',
      "'",
      '&',
      '\\',
      ' ',
    ),
    fc.string({ maxLength: 8 }),
  )
  holds(
    fc.property(fc.array(part, { maxLength: 8 }), parts => {
      for (const html of both(parts.join(''))) {
        equal(harmOf(html), undefined, html)
        equal(sanitised(html), html, 'the sanitiser has nothing left to do')
      }
    }),
    400,
  )
})

t.test('the sanitiser by itself lets none of the elements and attributes through either', async t => {
  const harmful = vectors.flatMap(vector =>
    (sanitised(vector).match(/<[^>]*>/g) ?? []).filter(found => /\son[a-z]+=|javascript:|<script|style=/i.test(found)),
  )
  t.strictSame(harmful, [])
  t.equal(sanitised('<p onclick="x" style="y" class="z">a<script>b</script></p>'), '<p>a</p>')
  t.equal(sanitised('<a href="javascript:x">a</a>'), '<a>a</a>')
  t.equal(sanitised('<img src="http://host/x.png">'), '<img />')
})

t.test('what people write is shown as they meant it', async t => {
  const shown = (text: string): string => render(text).html.trim()
  t.equal(
    shown('# One\n\nTwo *three* **four**\nfive  \nsix'),
    '<h1>One</h1>\n<p>Two <em>three</em> <strong>four</strong>\nfive<br />\nsix</p>',
  )
  t.equal(shown('- a\n- b'), '<ul><li>a</li>\n<li>b</li>\n</ul>')
  t.equal(shown('3. a'), '<ol start="3"><li>a</li>\n</ol>')
  t.equal(shown('> a\n\n***\n\n`b<`'), '<blockquote><p>a</p>\n</blockquote>\n<hr />\n<p><code>b&lt;</code></p>')
  t.equal(shown('```js\na & b\n```'), '<pre><code>a &amp; b\n</code></pre>')
  t.equal(shown('AT&T says "x" <b>'), '<p>AT&amp;T says "x" &lt;b&gt;</p>')
  t.equal(
    shown('[a](https://e.org "t")'),
    '<p><a href="https://e.org" title="t" rel="nofollow ugc noopener noreferrer">a</a></p>',
  )
  t.equal(shown('[a](javascript:x)'), '<p>[a](javascript:x)</p>')
  t.equal(shown('https://e.org is no link by itself'), '<p>https://e.org is no link by itself</p>')
})

t.test('an image is a link until the reader lets it be loaded, and then over https alone', async t => {
  const { html, withImages } = render('![a *b*](https://e.org/x.png "t") ![c](http://e.org/y.png)')
  t.equal(
    html,
    '<p><a href="https://e.org/x.png" title="t" data-image="image" rel="nofollow ugc noopener noreferrer">a b</a> <a href="http://e.org/y.png" rel="nofollow ugc noopener noreferrer">c</a></p>\n',
  )
  t.match(
    withImages,
    '<img src="https://e.org/x.png" alt="a b" title="t" loading="lazy" referrerpolicy="no-referrer" />',
  )
  t.notMatch(withImages, 'src="http:')
  t.equal(render('none').withImages, undefined)
  t.notMatch(render('[![a](https://e.org/x.png)](https://e.org)').html, /<a[^>]*><a/, 'no link within a link')
})

t.test('addresses are of a closed list', async t => {
  for (const safe of [
    'https://e.org',
    'HTTP://e.org/x?y#z',
    'mailto:a@e.org',
    '/x',
    'x/y',
    '../x',
    '#x',
    '?x',
    'x?y:z',
  ])
    t.ok(isSafeLink(safe), safe)
  for (const bad of [
    '',
    'javascript:x',
    ' https://e.org',
    'https:e.org',
    'https:///x',
    '//e.org',
    '/\\e.org',
    'x:y',
    'x&colon;y',
    'x%3ay',
    'data:x',
    'java\nscript:x',
    `https://e.org/${'x'.repeat(2_000)}`,
  ])
    t.notOk(isSafeLink(bad), bad.slice(0, 40))
  t.ok(isSafeImage('https://e.org/x.png'))
  for (const bad of ['http://e.org/x.png', '/x.png', 'data:image/png;base64,x']) t.notOk(isSafeImage(bad), bad)
})

/** The deepest markup of each kind, as deep as it is asked for. */
const nested: Readonly<Record<'quotes' | 'lists' | 'numbers' | 'stars' | 'lines', (deep: number) => string>> = {
  quotes: deep => `${'> '.repeat(deep)}a`,
  lists: deep => `${'- '.repeat(deep)}a`,
  numbers: deep => `${'1. '.repeat(deep)}a`,
  stars: deep =>
    `${Array.from({ length: deep }, (_, i) => (i % 2 ? '_a ' : '*a ')).join('')}b${Array.from({ length: deep }, (_, i) => ((deep - i) % 2 ? '*' : '_')).join(' c')}`,
  lines: deep => Array.from({ length: deep }, (_, i) => `${'  '.repeat(i)}- a\n`).join(''),
}

t.test('markup nests a hundred levels deep, and no deeper', async t => {
  for (const [name, make] of Object.entries(nested)) {
    t.notOk(isDeeperThan(make(100), 100), `${name}: 100`)
    t.ok(isDeeperThan(make(101), 100), `${name}: 101`)
    if (name !== 'lines') t.ok(isDeeperThan(make(10_000), 100), `${name}: 10,000`)
    const { html } = render(make(100))
    t.match(html, /a<\/|b/, `${name}: its text is there`)
  }
  t.ok(isDeeperThan('['.repeat(101), 100))
  t.ok(isDeeperThan('!['.repeat(10_000), 100))
  t.ok(isDeeperThan('>'.repeat(200_000), 100))
  t.notOk(isDeeperThan('[a] '.repeat(10_000), 100), 'brackets that close nest nowhere')
  t.notOk(isDeeperThan('*a* '.repeat(10_000), 100), 'nor emphasis')
  t.notOk(isDeeperThan(`${' '.repeat(600)}code`, 100), 'nor does code that is indented')
  t.notOk(isDeeperThan(`\`\`\`\n${' '.repeat(600)}- a\n\`\`\``, 100))
})

t.test('the bound of how deep a text nests is one', async () => {
  const part = fc.constantFrom(
    '*',
    '_',
    '**',
    '[',
    ']',
    '](b)',
    '![',
    '\n',
    '\n\n',
    '> ',
    '- ',
    '1. ',
    '  ',
    '    ',
    '\t',
    'a',
    ' ',
    '`',
    '\\',
    '```\n',
  )
  holds(
    fc.property(fc.array(part, { maxLength: 60 }), parts => {
      const text = parts.join('')
      const { blocks, inline, brackets } = boundsOf(text)
      const depth = depthOf(parseMarkup(text))
      ok(depth <= blocks + inline + brackets, `${depth} in ${JSON.stringify(text)}`)
    }),
    1_000,
  )
})

t.test('what is more markup than text is shown as text', async t => {
  const text = `${'<b>*_[`'.repeat(20_000)}\n\nthe end <script>`
  t.ok(isTooMuch(boundsOf(text)))
  const { html } = render(text)
  t.match(html, '<p>the end &lt;script&gt;</p>')
  t.equal(harmOf(html), undefined)
  t.ok(isTooMuch(boundsOf('- a\n'.repeat(60_000))), 'lines count as deep as they may stand')
  t.notOk(isTooMuch(boundsOf('Prose, "with" *some* emphasis.\n\n'.repeat(10_000))), 'a novel does not')
})

t.test('a short reference does not stand for an endless page', async t => {
  const text = `[a]: https://e.org/${'x'.repeat(1_900)}\n\n${'[a] '.repeat(15_000)}`
  const { html } = render(text)
  t.ok(html.length < 600_000, `${html.length}`)
  t.match(html, /a a a\s*<\/p>/, 'what is no link any more is text')
})
