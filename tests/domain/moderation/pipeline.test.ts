import t from 'tap'
import {
  bareWords,
  linkStep,
  openPipeline,
  repeatStep,
  type Step,
  wordStep,
} from '../../../src/domain/moderation/pipeline.ts'
import { readWordList } from '../../../src/domain/moderation/pipeline-words.ts'

const looked = (text: string, before?: string, isNew = true) =>
  before === undefined ? { account: 'ada', text, isNew } : { account: 'ada', text, before, isNew }
const hold = { outcome: 'hold', reason: 'Because.' } as const

t.test('the first step that decides ends it, and what none decides passes', async t => {
  const asked: string[] = []
  const step = (name: string, decides: boolean): Step => ({
    name,
    judge: () => {
      asked.push(name)
      return decides ? hold : undefined
    },
  })
  t.same(await openPipeline([step('a', false), step('b', true), step('c', true)])(looked('x')), { ...hold, step: 'b' })
  t.same(asked, ['a', 'b'])
  t.equal(await openPipeline([step('a', false)])(looked('x')), undefined)
  t.equal(await openPipeline([])(looked('x')), undefined)
})

t.test('new accounts bring few links, and nobody is asked for what was there', async t => {
  const judge = linkStep(1).judge
  const two = 'https://a.example and HTTP://b.example'
  t.match(await judge(looked(two)), { outcome: 'hold' })
  t.equal(await judge(looked('www.a.example')), undefined)
  t.equal(await judge(looked(two, undefined, false)), undefined, 'an old account')
  t.equal(await judge(looked(`${two}!`, two)), undefined, 'the links were there before')
  t.equal(await linkStep(0).judge(looked(two)), undefined, 'no limit')
})

t.test('a list of words holds and refuses, whatever the case and the markup', async t => {
  const { rules, faults } = readWordList('# A list\n\nhold buy NOW\r\nrefuse /v[i1]agra/\n')
  t.same(faults, [])
  const judge = wordStep(rules).judge
  t.match(await judge(looked('You should **buy** now.')), { outcome: 'hold' })
  t.match(await judge(looked('V1AGRA')), { outcome: 'refuse' })
  t.equal(await judge(looked('buy nowhere')), undefined, 'whole words')
  for (let n = 0; n < 3; n += 1)
    t.match(await judge(looked('v1agra')), { outcome: 'refuse' }, 'the same again is judged the same')
})

t.test('only what is added to a text is judged', async t => {
  const judge = wordStep(readWordList('refuse spam\nrefuse /v[i1]agra/').rules).judge
  t.equal(await judge(looked('spam and more', 'spam')), undefined)
  t.equal(await judge(looked('viagra and more', 'viagra')), undefined)
  t.match(await judge(looked('viagra v1agra', 'viagra')), { outcome: 'refuse' })
  t.match(await judge(looked('spam', 'ham')), { outcome: 'refuse' })
})

t.test('a list with a line that is none, or a costly pattern, is refused with its line', async t => {
  const of = (line: string) => readWordList(`hold fine\n${line}\n`).faults
  t.same(of('maybe spam'), ['line 2: it begins neither with hold nor with refuse'])
  t.same(of('hold ***'), ['line 2: there is no word'])
  for (const costly of ['(a+)+$', '(a|a)*b', '\\d+\\d+x', '.*a.*b', '(x+x+)+y'])
    t.match(of(`hold /${costly}/`), [/^line 2: it is slow where/], costly)
  t.match(of('hold /(a/'), [/^line 2: it is no pattern that can be judged/])
  t.match(of('hold /(a)\\1/'), [/^line 2: it is no pattern that can be judged/])
  t.match(of(`hold /${'(?:'.repeat(25)}a${'{2})'.repeat(25)}/`), [/^line 2: it is no pattern that can be judged/])
  t.match(of(`hold /${'a'.repeat(201)}/`), [/^line 2: a pattern has 200 characters at most/])
  t.notMatch(of('hold /(secret+)+x/')[0], 'secret+', 'what stands there is not told')
})

t.test('the same is not said twice within a while, whatever its markup', async t => {
  t.equal(bareWords('**Hello**, _WORLD_!'), bareWords('hello world'))
  const said = new Set<string>()
  const judge = repeatStep(async (account, words) => {
    const key = `${account} ${words}`
    const seen = said.has(key)
    said.add(key)
    return seen
  }).judge
  t.equal(await judge(looked('Hello, world')), undefined)
  t.match(await judge(looked('*hello* WORLD')), { outcome: 'refuse' })
  t.equal(await judge(looked('hello world', 'hello')), undefined, 'an edit repeats nothing')
})
