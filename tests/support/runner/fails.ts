import t from 'tap'

t.test('breaks', async t => {
  t.equal('what was', 'what is due', 'the reason')
})
