/** The queue on MongoDB, by the backend that agenda ships. */
import t from 'tap'
import { openMongoJobs } from '../../src/adapters/jobs/mongodb/backend.ts'
import { noMongo, startMongo } from '../support/mongodb.ts'
import { jobsContract } from './jobs.ts'
import { jobsAwayContract } from './jobs-away.ts'
import { repositoryContract } from './jobs-repository.ts'

const reason = noMongo()
if (reason !== undefined) t.test('the queue on MongoDB', { skip: reason }, () => undefined)
else {
  const server = await startMongo(t)
  const engine = async () => {
    const url = server.database()
    return () => openMongoJobs(url, 'LEXICHRON_READ_STORE')
  }
  jobsContract(t, 'mongodb', engine)
  jobsAwayContract(t, 'mongodb', engine)
  repositoryContract(t, 'mongodb', engine)
}
