/** The queue on MongoDB, by the backend that agenda ships. */
import { MongoClient } from 'mongodb'
import t from 'tap'
import { openMongoJobs } from '../../src/adapters/jobs/mongodb/backend.ts'
import { planFaults } from '../support/explain.ts'
import { isRealMongo, noMongo, startMongo } from '../support/mongodb.ts'
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

  t.test('the jobs about an account are found by an index', async t => {
    const url = server.database()
    const backend = await openMongoJobs(url, 'LEXICHRON_READ_STORE')
    t.teardown(() => backend.disconnect())
    await backend.connect()
    const client = await MongoClient.connect(url)
    t.teardown(() => client.close())
    const jobs = client.db().collection('jobs')
    const declared = (await jobs.indexes()).find(({ name }) => name === 'about')
    t.match(declared, { key: { 'data.about': 1 } })
    // Only a real server has plans.
    if (!isRealMongo) return
    const plan = await jobs.find({ 'data.about': 'ada' }).explain('queryPlanner')
    t.same(planFaults(plan['queryPlanner'], 'about'), [])
  })
}
