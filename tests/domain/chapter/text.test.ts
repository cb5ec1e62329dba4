import { equal, ok } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { passagesBetween, shownPassages } from '../../../src/domain/chapter/differences.ts'
import { MOST_DIFFERENCES, MOST_TEXT, PART_LENGTH } from '../../../src/domain/chapter/limits.ts'
import {
  digestOf,
  pack,
  partsOf,
  type Since,
  type Step,
  stepped,
  stepTo,
  unpack,
} from '../../../src/domain/chapter/packed.ts'
import { spliced, splicesBetween } from '../../../src/domain/chapter/splices.ts'
import { countWords, lengthOf, readingMinutes } from '../../../src/domain/chapter/words.ts'
import { holds } from '../../support/property.ts'

/** Texts whose paragraphs come again, so that differences have something to find. */
const paragraph = fc.oneof(
  fc.constantFrom('The sea was calm.', 'Nobody came.', '😀😁 𠀀𠀁', 'e\u0301tude', '', 'a'),
  fc.string({ unit: 'binary', maxLength: 12 }),
)
const text = fc.array(paragraph, { maxLength: 12 }).map(lines => lines.join('\n'))

t.test('words are counted by letters, whatever stands between them', async t => {
  t.equal(countWords(''), 0)
  t.equal(countWords(' \n— … *** '), 0)
  t.equal(countWords("It's the sailor’s 2nd voyage; co-op."), 7, 'an apostrophe joins, a hyphen does not')
  t.equal(countWords('Привет, мир'), 2)
  t.equal(countWords('e\u0301tude na\u0308ive'), 2, 'marks belong to their letter')
  t.equal(countWords('吾輩は猫である'), 7, 'where nobody sets spaces each letter counts')
  t.equal(countWords('猫cat猫 dog'), 4)
  t.equal(countWords('𠀀𠀁'), 2)
  t.equal(countWords('สวัสดี'), 4)
  t.equal(readingMinutes(0), 0)
  t.equal(readingMinutes(1), 1)
  t.equal(readingMinutes(240), 1)
  t.equal(readingMinutes(241), 2)
  holds(fc.property(text, value => equal(lengthOf(value), [...value].length)))
})

t.test('both ways of counting words say the same of a text that either can count', async () => {
  // The ideographic space sends a text the other way, and is no word.
  holds(
    fc.property(fc.string({ unit: fc.constantFrom(..."ab é1’'-.\u0301я ") }), value =>
      equal(countWords(`${value}\u3000`), countWords(value)),
    ),
  )
})

t.test('splices make the one text of the other, and tear no pair', async () => {
  holds(
    fc.property(text, text, (before, after) => {
      const splices = splicesBetween(before, after)
      equal(spliced(before, splices), after)
      for (const [, , inserted] of splices) ok(inserted.isWellFormed() || !after.isWellFormed())
      let end = -1
      for (const [at, removed] of splices) {
        ok(at > end || end < 0, 'they ascend, and touch nowhere')
        end = at + removed
      }
    }),
    400,
  )
})

t.test('a change within a paragraph is small, however long the text is around it', async t => {
  const lines = Array.from({ length: 2_000 }, (_, i) => `Paragraph ${i} says what it says.\n`)
  const before = lines.join('')
  const after = lines.with(3, 'Paragraph three says what it says.\n').with(1_900, 'Gone.\n').join('')
  const splices = splicesBetween(before, after)
  t.equal(spliced(before, splices), after)
  t.ok(JSON.stringify(splices).length < 120, JSON.stringify(splices))
  t.strictSame(splicesBetween(before, before), [])
  t.equal(spliced('short', [[3, 9, '']]), undefined, 'splices of another text are refused')
  t.equal(
    spliced('short', [
      [3, 1, ''],
      [2, 1, ''],
    ]),
    undefined,
  )
})

t.test('paragraphs that all differ are one splice, and not compared on', async t => {
  const many = (sign: string): string => Array.from({ length: 20_000 }, (_, i) => `${sign}${i * 7}\n`).join('')
  const splices = splicesBetween(many('a'), many('b'))
  t.equal(splices.length, 1)
  t.equal(spliced(many('a'), splices), many('b'))
})

t.test('what is packed is unpacked, and nothing else is', async t => {
  holds(fc.property(fc.string({ unit: 'grapheme' }), value => equal(unpack(pack(value)), value)))
  t.equal(unpack('no base64 at all, nor deflated'), undefined)
  t.equal(unpack(pack('\0'.repeat(17 * MOST_TEXT))), undefined, 'a bomb is left where it is')
  t.strictSame(partsOf('abc'), ['abc'])
  const long = 'x'.repeat(2 * PART_LENGTH + 1)
  t.equal(partsOf(long).length, 3)
  t.equal(partsOf(long).join(''), long)
})

const none: Since = { whole: 0, differences: 0, size: 0 }
const after = (since: Since, { form, packed }: Step): Since =>
  form === 'whole'
    ? { whole: packed.length, differences: 0, size: 0 }
    : { whole: since.whole, differences: since.differences + 1, size: since.size + packed.length }

/** Texts one after another as steps, each with what is known after it. */
const stepsOf = (texts: readonly string[]): readonly { readonly step: Step; readonly since: Since }[] => {
  const steps: { step: Step; since: Since }[] = []
  let before: { text: string; digest: string; since: Since } | undefined
  for (const value of texts) {
    const digest = digestOf(value)
    const step = stepTo(value, digest, before)
    const since = after(before?.since ?? none, step)
    steps.push({ step, since })
    before = { text: value, digest, since }
  }
  return steps
}

t.test('any text of a row is made again from two wholes of bytes at most', async () => {
  holds(
    fc.property(fc.array(text, { minLength: 1, maxLength: 8 }), texts => {
      const steps = stepsOf(texts)
      let made: string | undefined
      for (const [index, { step, since }] of steps.entries()) {
        made = stepped(made, step)
        equal(made, texts[index])
        ok(since.size <= since.whole, 'the differences since a whole take no more than it does')
        ok(since.differences <= MOST_DIFFERENCES)
        if (step.form === 'splices') ok(step.packed.length <= 0.3 * since.whole)
      }
    }),
  )
})

t.test('a row of small changes has a whole after so many', async t => {
  const lines = Array.from({ length: 400 }, (_, i) => `Paragraph ${i * 7919} says ${i * i}.\n`)
  const texts = Array.from({ length: 120 }, (_, i) => lines.with(i, `${i}\n`).join(''))
  const forms = stepsOf(texts).map(({ step }) => step.form)
  t.strictSame(
    forms.flatMap((form, i) => (form === 'whole' ? [i] : [])),
    [0, MOST_DIFFERENCES + 1, 2 * (MOST_DIFFERENCES + 1)],
  )
})

t.test('a step that does not lead to the text that it names is none', async t => {
  const whole = stepTo('one\ntwo\nthree', digestOf('one\ntwo\nthree'))
  t.equal(stepped(undefined, whole), 'one\ntwo\nthree')
  t.equal(stepped(undefined, { ...whole, digest: digestOf('another') }), undefined)
  const splices: Step = { form: 'splices', digest: digestOf('b'), packed: pack('[[0,1,"b"]]') }
  t.equal(stepped('a', splices), 'b')
  t.equal(stepped('c', { ...splices, packed: pack('[[0,9,"b"]]') }), undefined)
  t.equal(stepped(undefined, splices), undefined)
  t.equal(stepped('a', { ...splices, packed: pack('{"0":1}') }), undefined)
  t.equal(stepped('a', { ...splices, packed: pack('[[') }), undefined)
})

t.test('the longest text that does not pack fits into parts', async t => {
  // Assigned ideographs of the second plane, four bytes each, in an order that no dictionary shortens.
  let state = 12_345
  const next = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state >> 8
  }
  const hostile = Array.from({ length: MOST_TEXT }, () => String.fromCodePoint(0x20000 + (next() % 42_000))).join('')
  const { packed } = stepTo(hostile, digestOf(hostile))
  t.ok(packed.length > PART_LENGTH, `${packed.length}`)
  t.ok(partsOf(packed).length <= 4)
  t.equal(unpack(packed), hostile)
})

t.test('differences are words that went and words that came', async t => {
  const shown = (before: string, now: string): string =>
    passagesBetween(before, now)
      .map(({ kind, text: value }) => ({ same: value, removed: `[-${value}-]`, added: `{+${value}+}` })[kind])
      .join('')
  t.equal(shown('The sea was calm.', 'The sea was wild.'), 'The sea was [-calm-]{+wild+}.')
  t.equal(shown('walked home', 'walking home'), '[-walked-]{+walking+} home', 'a word is shown whole')
  t.equal(shown('same', 'same'), 'same')
  t.equal(shown('', 'all new'), '{+all new+}')
  t.equal(shown('all gone', ''), '[-all gone-]')
  holds(
    fc.property(text, text, (before, now) => {
      const passages = passagesBetween(before, now)
      const without = (kind: string): string =>
        passages.flatMap(each => (each.kind === kind ? [] : [each.text])).join('')
      equal(without('added'), before)
      equal(without('removed'), now)
    }),
    400,
  )
})

t.test('of what is the same as much is shown as stands beside a change', async t => {
  const same = Array.from({ length: 2_000 }, (_, i) => `word${i}`).join(' ')
  const shown = shownPassages(passagesBetween(`${same} old ${same}`, `${same} new ${same}`))
  t.equal(
    shown.reduce((sum, { text: value, leftOut = 0 }) => sum + value.length + leftOut, 0),
    2 * same.length + 3 + 3 + 2,
  )
  t.strictSame(
    shown.map(({ kind, leftOut }) => `${kind}${leftOut === undefined ? '' : ' cut'}`),
    ['same cut', 'same', 'removed', 'added', 'same', 'same cut'],
  )
  t.match(shown[1]?.text, / word1999 $/)
  for (const { text: value } of shownPassages(passagesBetween('😀'.repeat(1_000), `${'😀'.repeat(1_000)}a`)))
    t.ok(value.isWellFormed())
})

t.test('texts without anything in common are shown as gone and come', async t => {
  const many = (sign: string): string => Array.from({ length: 30_000 }, (_, i) => `${sign}${i * 7}`).join(' ')
  t.strictSame(
    passagesBetween(many('a'), many('b')).map(({ kind }) => kind),
    ['removed', 'added'],
  )
})
