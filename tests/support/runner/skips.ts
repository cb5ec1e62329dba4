import t from 'tap'

t.test('needs what is not here', { skip: 'no engine' }, async () => {})
