import t from 'tap'

process.env['LEFT_BEHIND'] = 'yes'
process.umask(0o11)
t.test('holds all the same', async t => {
  t.ok(true)
})
