import t from 'tap'
import type { By } from '../../src/domain/decider.ts'
import * as series from '../../src/domain/story/series.ts'
import { permissionsOf } from '../support/roles.ts'
import { type Given, scenario } from '../support/scenario.ts'

const by = (id: string): By => ({
  id,
  permissions: permissionsOf('contributor'),
  now: new Date('2026-03-01T00:00:00Z'),
  commandId: '3f1c6a52-0c4b-5a7e-8a51-2f6d0b9c7e11',
})
const ada = by('ada')
const bert = by('bert')
const begun: Given<series.SeriesEvent> = { type: 'SeriesBegun', data: { author: 'ada', title: 'Lights' } }
const ordered: Given<series.SeriesEvent> = { type: 'SeriesOrdered', data: { stories: ['one', 'two'] } }
const deleted: Given<series.SeriesEvent> = { type: 'SeriesDeleted', data: { ground: 'author' } }
const aSeries = scenario(series.seriesAggregate)
const own =
  (...ids: string[]) =>
  (id: string) =>
    ids.includes(id)

t.test('a series begins, is edited and ends', async () => {
  const begin = series.beginSeries({ title: 'Lights' }, ada)
  aSeries.given().when(begin).thenEvents(begun)
  aSeries.given(begun).when(begin).thenRefused('conflict')
  aSeries.given().when(series.beginSeries({}, ada)).thenRefused('text-invalid')
  aSeries
    .given()
    .when(series.beginSeries({ title: 'x' }, { ...ada, kind: 'service' }))
    .thenRefused('permission-denied')
  const edit = series.editSeries({ title: 'Lamps', summary: 'Of light.' }, ada)
  aSeries.given(begun).when(edit).then('SeriesEdited').again(edit).thenNothing()
  aSeries
    .given(begun)
    .when(series.editSeries({ title: 'x' }, bert))
    .thenRefused('series-not-found')
  aSeries.given().when(edit).thenRefused('series-not-found')
  const remove = series.deleteSeries(ada)
  aSeries
    .given(begun, ordered)
    .when(remove)
    .thenEvents(deleted)
    .thenState(state => t.match(state, { title: '', stories: [], isDeleted: true }))
    .again(remove)
    .thenRefused('series-not-found')
  aSeries.given(begun).when(series.deleteSeries(bert)).thenRefused('series-not-found')
  aSeries
    .given(begun)
    .when(series.deleteSeriesOf('ada'))
    .then('SeriesDeleted')
    .again(series.deleteSeriesOf('ada'))
    .thenNothing()
  aSeries.given(begun).when(series.deleteSeriesOf('bert')).thenNothing()
})

t.test('its stories are its author’s, each once', async () => {
  const order = (ids: readonly string[], mine = own('one', 'two')) => series.orderSeries(ids, mine, ada)
  aSeries
    .given(begun)
    .when(order(['one', 'two']))
    .thenEvents(ordered)
    .again(order(['one', 'two']))
    .thenNothing()
  aSeries
    .given(begun)
    .when(order(['one', 'one']))
    .thenRefused('series-order-invalid')
  aSeries
    .given(begun)
    .when(order(['three']))
    .thenRefused('series-order-invalid')
  aSeries
    .given(begun, ordered)
    .when(order(['two', 'one'], own()))
    .then('SeriesOrdered')
  const many = Array.from({ length: 1_001 }, (_, i) => String(i))
  aSeries
    .given(begun)
    .when(order(many, () => true))
    .thenRefused('series-order-invalid')
  aSeries
    .given(begun)
    .when(order(many.slice(1), () => true))
    .then('SeriesOrdered')
  aSeries
    .given(begun)
    .when(series.orderSeries([], own(), bert))
    .thenRefused('series-not-found')
})
