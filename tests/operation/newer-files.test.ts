/** Files of a version that is newer than this one, found at a start. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'
import { runHere, serveHere } from '../support/here.ts'
import { temporaryFolder } from '../support/service.ts'

for (const [file, named] of [
  ['events.db', /events\.db/],
  ['read.db', /read\.db/],
  ['jobs.db', /jobs\.db/],
] as const)
  t.test(`${file} of a newer version ends the start with 1, a reason, and the file as it was`, async t => {
    const folder = temporaryFolder(t)
    const service = await serveHere(t, folder)
    await service.close()
    const db = new DatabaseSync(join(folder, file))
    const version = Number(Object(db.prepare('PRAGMA user_version').get()).user_version)
    db.exec(`PRAGMA user_version = ${version + 1}`)
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    db.close()
    const bytes = readFileSync(join(folder, file))
    const { code, out, err } = await runHere(folder, ['serve', '--json'])
    t.equal(code, 1, err)
    t.match(err, named)
    t.match(err, /newer|version/)
    t.notMatch(err, /\n\s+at /, 'no stack')
    t.notMatch(out, /listening/)
    t.ok(readFileSync(join(folder, file)).equals(bytes))
  })
