/** The queue in a file of its own. */
import { join } from 'node:path'
import t from 'tap'
import { openSqliteJobs } from '../../src/adapters/jobs/sqlite/backend.ts'
import { temporaryFolder } from '../support/service.ts'
import { jobsContract } from './jobs.ts'

jobsContract(t, 'sqlite', async t => {
  const path = join(temporaryFolder(t), 'jobs.db')
  return async () => openSqliteJobs(path)
})
