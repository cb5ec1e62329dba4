import t from 'tap'

setInterval(() => undefined, 1_000)
t.pass('and nobody ends it')
