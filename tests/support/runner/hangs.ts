import t from 'tap'

t.test('never ends', async () => {
  for (;;) await new Promise(resolve => setTimeout(resolve, 10))
})
