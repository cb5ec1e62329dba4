import t from 'tap'
import { noticeAggregate, noticeStream, tellOfComment, toldOf } from '../../../src/domain/comment/notice.ts'
import { scenario } from '../../support/scenario.ts'

const notice = scenario(noticeAggregate)
const told = { accountId: 'ada', comment: 'c1', thread: 'story-s1', because: 'answer' } as const

t.test('somebody is told of a comment once, whatever becomes true of them', async () => {
  const tell = tellOfComment(told)
  notice.given().when(tell).thenEvents({ type: 'CommentTold', data: told }).again().thenNothing()
  notice
    .given({ type: 'CommentTold', data: told })
    .when(tellOfComment({ ...told, because: 'work' }))
    .thenNothing()
  const [one, two] = ['501a48e3-b4ec-5dec-be9f-e904d6447fe3', '501a48e3-b4ec-5dec-be9f-e904d6447fe4']
  t.equal(noticeStream(one, two), noticeStream(one, two))
  t.not(noticeStream(one, two), noticeStream(two, one))
})

t.test('each is told for the nearest reason, and nobody of what they said themselves', async () => {
  const all = (around: Parameters<typeof toldOf>[1]) => Object.fromEntries(toldOf('ada', around))
  t.same(all({ answered: 'ben', mentioned: ['ben', 'cora', 'ada'], authors: ['cora', 'dan', 'ada'] }), {
    ben: 'answer',
    cora: 'mention',
    dan: 'work',
  })
  t.same(all({ answered: undefined, mentioned: [], authors: ['ada'] }), {})
  t.same(all({ answered: 'ada', mentioned: [], authors: [] }), {})
})
