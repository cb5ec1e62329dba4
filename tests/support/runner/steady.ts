import t from 'tap'

t.test('holds', async t => {
  t.pass('one')
  t.pass('two')
})
