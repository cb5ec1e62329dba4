import t from 'tap'
import {
  destroyEvidence,
  fileReport,
  leaveReport,
  reportAggregate,
  reportStreamOf,
  tellOutcome,
} from '../../../src/domain/moderation/report.ts'
import type { ReportEvent } from '../../../src/domain/moderation/report-events.ts'
import { EVIDENCE_LENGTH, REPORT_WORDS } from '../../../src/domain/moderation/report-limits.ts'
import { accuracyOf, weightOf } from '../../../src/domain/moderation/report-weight.ts'
import type { ModeratedWork } from '../../../src/domain/moderation/target.ts'
import { type Given, scenario } from '../../support/scenario.ts'

const START = new Date('2026-01-01T00:00:00.000Z')
const later = (hours: number): Date => new Date(START.getTime() + hours * 60 * 60 * 1000)
const aReport = scenario(reportAggregate)
const target = { kind: 'comment', id: 'c1' } as const
const work: ModeratedWork = {
  target,
  authors: ['ben'],
  revision: '0',
  text: 'You again!',
  language: 'en',
  isGone: false,
}
const given = { reporter: 'ada', work, category: 'harassment', words: ' He will not stop. ', weight: 2 } as const
const file = (more: object = {}, now = START) => fileReport({ ...given, ...more }, now)
const filed: readonly Given<ReportEvent>[] = [
  {
    type: 'ReportFiled',
    data: {
      reporter: 'ada',
      target,
      authors: ['ben'],
      category: 'harassment',
      revision: '0',
      language: 'en',
      weight: 2,
      isGone: false,
      words: 'He will not stop.',
    },
    at: START,
  },
  { type: 'EvidenceKept', data: { revision: '0', isCut: false, text: 'You again!' }, at: START },
]
const told: Given<ReportEvent> = {
  type: 'ReportOutcomeTold',
  data: { reporter: 'ada', target, round: 1, outcome: 'upheld', filings: 1 },
}

t.test('a report keeps what it is about as it was, and why', async t => {
  aReport
    .given()
    .when(file())
    .thenEvents(...filed.map(({ type, data }) => ({ type, data }) as ReportEvent))
  t.match(aReport.given(...filed).state?.filings, [
    { words: 'He will not stop.', evidence: { text: 'You again!', isCut: false } },
  ])
  aReport
    .given()
    .when(file({ words: '  ' }))
    .then('ReportFiled', 'EvidenceKept')
  aReport
    .given()
    .when(file({ work: { ...work, text: '', isGone: true } }))
    .then('ReportFiled')
  t.not(reportStreamOf(target, 'ada'), reportStreamOf(target, 'cora'), 'each has one of their own')
  t.equal(reportStreamOf(target, 'ada'), reportStreamOf({ id: 'c1', kind: 'comment' }, 'ada'))
})

t.test('what is too long is cut, in code points, and says so', async t => {
  const long = '😀'.repeat(EVIDENCE_LENGTH + 1)
  const { events } = aReport.given().when(file({ work: { ...work, text: long } }))
  t.match(events[1]?.data, { isCut: true })
  t.equal([...String(Object(events[1]?.data).text)].length, EVIDENCE_LENGTH)
  const most = '😀'.repeat(REPORT_WORDS)
  aReport
    .given()
    .when(file({ words: most }))
    .then('ReportFiled', 'EvidenceKept')
  aReport
    .given()
    .when(file({ words: `${most}x` }))
    .thenRefused('text-invalid')
})

t.test('nobody reports what is theirs, nor the same twice', async t => {
  aReport
    .given()
    .when(file({ reporter: 'ben' }))
    .thenRefused('report-not-possible')
  aReport
    .given(...filed)
    .when(file({}, later(23)))
    .thenRefused('report-repeated')
  // What held it back, and let it go, has counted its revisions on.
  aReport
    .given(...filed)
    .when(file({ work: { ...work, revision: '2' } }, later(1)))
    .thenRefused('report-repeated')
  const edited = { ...work, revision: '1', text: 'You, again!' }
  aReport
    .given(...filed)
    .when(file({ work: edited }, later(1)))
    .then('ReportFiled', 'EvidenceKept')
  aReport
    .given(...filed)
    .when(file({}, later(24)))
    .then('ReportFiled', 'EvidenceKept')
  t.equal(aReport.given(...filed).when(file({}, later(23))).refusal?.context?.['seconds'], 3600)
})

t.test('its reporter is told once how it ended, and again when they report again', async t => {
  aReport.given().when(tellOutcome(1, 'upheld')).thenNothing()
  aReport
    .given(...filed)
    .when(tellOutcome(1, 'upheld'))
    .then('ReportOutcomeTold')
    .again()
    .thenNothing()
  aReport
    .given(...filed, told, ...filed)
    .when(tellOutcome(2, 'dismissed'))
    .then('ReportOutcomeTold')
  t.match(aReport.given(...filed, told).state, { told: 1, outcome: { outcome: 'upheld', round: 1 } })
})

t.test('evidence is destroyed once nobody may appeal, and not before', async t => {
  aReport
    .given(...filed)
    .when(destroyEvidence(1))
    .thenNothing()
  aReport
    .given(...filed, told)
    .when(destroyEvidence(2))
    .thenNothing()
  aReport
    .given(...filed, told, ...filed)
    .when(destroyEvidence(1))
    .thenNothing()
  aReport
    .given(...filed, told)
    .when(destroyEvidence(1))
    .then('EvidenceDestroyed')
    .thenState(state => t.strictSame(state?.filings[0]?.evidence, { revision: '0', isCut: false }))
    .again()
    .thenNothing()
})

t.test('what a reporter said goes with them, and the report stays', async t => {
  aReport.given().when(leaveReport).thenNothing()
  aReport
    .given(...filed)
    .when(leaveReport)
    .then('ReporterLeft')
    .thenState(state => t.match(state?.filings, [{ words: undefined, evidence: { text: 'You again!' } }]))
    .again()
    .thenNothing()
})

t.test('what was removed is absent, and the report stands', async t => {
  const [first, second] = filed
  const state =
    first && second ? aReport.given({ ...first, removed: true }, { ...second, removed: true }).state : undefined
  t.strictSame(state?.filings, [
    {
      at: START.toISOString(),
      category: 'harassment',
      revision: '0',
      weight: 2,
      isGone: false,
      evidence: { revision: '0', isCut: false },
    },
  ])
})

t.test('a report weighs what its reporter is worth: by trust, and by how often they were right', async t => {
  const plain = { isStaff: false, isNew: false, isIdle: false, upheld: 0, dismissed: 0 }
  t.equal(weightOf(plain), 2)
  t.equal(weightOf({ ...plain, isNew: true }), 1)
  t.equal(weightOf({ ...plain, isStaff: true }), 6)
  t.equal(weightOf({ ...plain, isIdle: true, isStaff: true }), 0, 'who may do nothing, weighs nothing')
  t.equal(accuracyOf({ upheld: 5, dismissed: 0 }), 0, 'five verdicts are none')
  t.equal(accuracyOf({ upheld: 7, dismissed: 3 }), 0, 'the pivot')
  t.equal(weightOf({ ...plain, upheld: 16 }), 12, 'five for each power of four')
  t.equal(weightOf({ ...plain, dismissed: 16 }), 0, 'never below nothing')
  t.ok(accuracyOf({ upheld: 3, dismissed: 7 }) < 0)
  t.ok(weightOf({ ...plain, upheld: 9, dismissed: 1 }) < weightOf({ ...plain, upheld: 18, dismissed: 2 }))
})
