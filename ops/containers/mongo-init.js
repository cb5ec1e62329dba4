// Makes the replica set of compose.prod.yaml, once: run again it finds it there. For mongosh --nodb, so that the password stands
// on no command line. Ends with 1 after two minutes without a primary; the stack then starts it again.
const DEADLINE_MS = 120_000
const NOT_YET = 'NotYetInitialized'

const { readFileSync } = require('node:fs')
const password = encodeURIComponent(readFileSync('/run/secrets/mongo_password', 'utf8').trim())
const until = Date.now() + DEADLINE_MS

const attempt = () => {
  const admin = connect(
    `mongodb://lexichron:${password}@mongo-1:27017/admin?directConnection=true&serverSelectionTimeoutMS=5000`,
  )
  try {
    return admin.adminCommand({ replSetGetStatus: 1 })
  } catch (error) {
    if (error.codeName !== NOT_YET) throw error
    const members = [1, 2, 3].map(n => ({ _id: n - 1, host: `mongo-${n}:27017` }))
    admin.adminCommand({ replSetInitiate: { _id: 'rs0', members } })
    return { members: [] }
  }
}

let reason = 'no member has become the primary'
let done = false
while (!done && Date.now() < until) {
  try {
    done = attempt().members.some(({ stateStr }) => stateStr === 'PRIMARY')
  } catch (error) {
    // The name and code alone: a message may hold the address that was asked for.
    reason = `${error.name} ${error.codeName ?? ''}`.trim()
  }
  if (!done) sleep(500)
}
print(done ? 'the replica set rs0 is there' : `the replica set rs0 is not there after two minutes: ${reason}`)
quit(done ? 0 : 1)
