/** HTML as CommonMark: what it is rendered as is what it was. */
import { equal } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { blocksOf, commonMarkOf } from '../../src/adapters/import/commonmark.ts'
import { parseTree } from '../../src/adapters/import/markup-tree.ts'
import { SourceError } from '../../src/adapters/import/source.ts'
import { render } from '../../src/domain/chapter/rendering.ts'
import { holds } from '../support/property.ts'

const textOf = (html: string): string => blocksOf(parseTree(html, 'x', false)).join('\n\n')
/** Blanks and lines say nothing outside of code. */
const flat = (html: string): string =>
  html
    .replaceAll(' />', '>')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/ ?(<\/?(?:p|ul|ol|li|blockquote|h\d|hr|pre|br)\b[^>]*>) ?/g, '$1')
    .trim()
const isStable = (html: string): void => equal(flat(render(textOf(html)).html), flat(html), `${html}\n${textOf(html)}`)

t.test('each element that chapters have comes back', t => {
  for (const html of [
    '<p>It was <em>calm</em>, <strong>very</strong> calm &amp; <code>a`b</code> quiet.</p>',
    '<h1>One</h1><p>Two.</p><h3>Three #</h3>',
    '<p>a<br>b</p><hr><blockquote><p>said</p><p>more</p></blockquote>',
    '<ul><li>one</li><li>two<ul><li>deep</li></ul></li></ul><ol start="3"><li>three</li><li>four</li></ol>',
    '<ul><li><p>one</p><p>more</p></li><li><p>two</p></li></ul>',
    '<ol><li>a</li></ol><ol><li>b</li></ol>',
    '<pre><code>a  b\n```\n&lt;c&gt;\n</code></pre>',
    '<p>1. no list</p><p># no heading</p><p>&gt; no quote</p><p>- no</p><p>---</p><p>+ no</p><p>~~~</p>',
    '<p>*not* _so_ [x](y) &lt;b&gt; &amp;amp; \\ `z` ![i](j)</p>',
    '<p>a<em>b</em>c</p>',
  ])
    isStable(html)
  t.equal(textOf('<p><a href="https://example.org/a_b(c)">there</a></p>'), '[there](<https://example.org/a\\_b(c)>)')
  t.match(render('[there](<https://example.org/a\\_b(c)>)').html, 'href="https://example.org/a_b(c)"')
  t.end()
})

t.test('what CommonMark has no element for leaves what stands in it, and what runs leaves nothing', t => {
  t.equal(
    textOf('<div><p>a <span>b</span> <sup>2</sup></p><table><tr><td>c</td><td>d</td></tr></table></div>'),
    'a b 2\n\nc\n\nd',
  )
  t.equal(textOf('<script>alert(1)</script><style>p{}</style><svg><text>x</text></svg><p>a</p>'), 'a')
  t.equal(textOf('<p><a href="javascript:alert(1)">a</a><img src="http://x/y.png" alt="a *cat*"></p>'), 'aa \\*cat\\*')
  t.equal(textOf('<p><img src="https://x.example/y.png" alt="cat"></p>'), '![cat](<https://x.example/y.png>)')
  t.equal(textOf('<em><p>a</p></em>'), 'a')
  t.equal(textOf('<p>a<em> b </em>c <em>"d"</em>e</p>'), 'a *b* c "d"e')
  t.same(
    commonMarkOf(
      parseTree(
        '<html><head><title>x</title></head><body>\n<section><h1>The <em>Storm</em></h1><p>a</p></section></body></html>',
        'x',
        false,
      ),
    ),
    {
      title: 'The Storm',
      text: 'a',
    },
  )
  t.same(commonMarkOf(parseTree('<p>a</p><h1>b</h1>', 'x', false)), { text: 'a\n\n# b' })
  t.end()
})

t.test('whatever chapters are written, their HTML comes back', t => {
  const piece = fc.constantFrom(
    'calm',
    'the *sea*',
    '**storm**',
    '`code`',
    'a\\*b',
    '1\\. x',
    '[l](https://x.example/)',
    '\\# y',
    'é < & "q"',
    '_em_ *x*',
    'snake\\_case',
    '- z',
    '!',
    '<b>',
  )
  const line = fc.array(piece, { minLength: 1, maxLength: 4 }).map(pieces => pieces.join(' '))
  const block = fc.oneof(
    line,
    line.map(text => `## ${text}`),
    line.map(text => `> ${text}`),
    fc.array(line, { minLength: 1, maxLength: 3 }).map(lines => lines.map(each => `* ${each}`).join('\n')),
    fc
      .array(line, { minLength: 1, maxLength: 3 })
      .map(lines => lines.map((each, n) => `${n + 1}. ${each}`).join('\n\n')),
    line.map(text => `    ${text}`),
    line.map(text => `${text}\\\n${text}`),
    fc.constant('***'),
  )
  holds(
    fc.property(
      fc.array(block, { minLength: 1, maxLength: 5 }).map(blocks => blocks.join('\n\n')),
      text => {
        const { html } = render(text)
        equal(flat(render(textOf(html)).html), flat(html), `${text}\n---\n${textOf(html)}`)
      },
    ),
    300,
  )
  t.end()
})

t.test('trees are bounded', t => {
  const tree = (text: string) => () => parseTree(text, 'book', false)
  t.throws(tree('<div>'.repeat(300)), new SourceError('book nests more than 200 elements deep.'))
  t.throws(tree('<b/>'.repeat(600_000)), SourceError)
  t.throws(
    tree('<!DOCTYPE a [<!ENTITY lol "lol">]><a>&lol;</a>'),
    new SourceError('book declares entities, which are not expanded here.'),
  )
  t.end()
})
