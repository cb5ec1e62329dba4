/** Its tests are never reached. */
import t from 'tap'

t.comment('nothing follows')
