/** What SQLite's result codes mean: a closed list of kinds, each with a sentence. */
import { OwnError } from '../../domain/own-error.ts'

/**
 * `foreign`: a file of another program; `newer`, `older`: its schema; `notadb`: no database at all; `busy`: locked by
 * another connection beyond the busy timeout; `misuse`: a statement this program got wrong.
 */
export type SqliteErrorKind =
  | 'busy'
  | 'cantopen'
  | 'closed'
  | 'constraint'
  | 'corrupt'
  | 'foreign'
  | 'full'
  | 'io'
  | 'misuse'
  | 'newer'
  | 'notadb'
  | 'older'
  | 'readonly'

export class SqliteError extends OwnError {
  override readonly name = 'SqliteError'
  readonly kind: SqliteErrorKind
  constructor(kind: SqliteErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

// Primary result codes: https://www.sqlite.org/rescode.html
const kindsByCode: ReadonlyMap<number, SqliteErrorKind> = new Map([
  [5, 'busy'],
  [6, 'busy'],
  [8, 'readonly'],
  [10, 'io'],
  [11, 'corrupt'],
  [13, 'full'],
  [14, 'cantopen'],
  [19, 'constraint'],
  [26, 'notadb'],
])
// Growing the shared memory of the WAL, the first thing to fail on a full disk, is reported as an input/output error.
const IOERR_SHMSIZE = 4874

// Deno states the code on some paths only, the text of sqlite3_errmsg always.
const kindsByText: readonly (readonly [string, SqliteErrorKind])[] = [
  ['database is locked', 'busy'],
  ['database table is locked', 'busy'],
  ['attempt to write a readonly database', 'readonly'],
  ['database disk image is malformed', 'corrupt'],
  ['malformed database schema', 'corrupt'],
  ['database or disk is full', 'full'],
  ['unable to open database file', 'cantopen'],
  ['file is not a database', 'notadb'],
  ['constraint failed', 'constraint'],
  ['disk I/O error', 'io'],
  ['database is not open', 'closed'],
  ['statement has been finalized', 'closed'],
]

export const sentences: Readonly<Partial<Record<SqliteErrorKind, string>>> = {
  busy: 'another process holds the file locked',
  cantopen: 'the file cannot be opened: it is a folder, or its folder is missing or not writable',
  closed: 'the database is closed',
  corrupt: 'the file is damaged: restore it from a backup',
  full: 'the disk is full',
  io: 'reading or writing the file failed',
  notadb: 'the file is not a SQLite database',
  readonly: 'the file or its folder is not writable',
}

const codeOf = (error: Error): number | undefined =>
  'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined

/** The error as a SqliteError when SQLite raised it; anything else comes back as it was. */
export const classify = (error: unknown, path: string): unknown => {
  if (!(error instanceof Error) || error instanceof SqliteError) return error
  const code = codeOf(error)
  const kind =
    code === IOERR_SHMSIZE
      ? 'full'
      : ((code === undefined ? undefined : kindsByCode.get(code & 0xff)) ??
        kindsByText.find(([text]) => error.message.includes(text))?.[1])
  if (kind) return new SqliteError(kind, `${path}: ${sentences[kind] ?? error.message}`, { cause: error })
  const raised = 'code' in error && error.code === 'ERR_SQLITE_ERROR'
  return raised ? new SqliteError('misuse', `${path}: ${error.message}`, { cause: error }) : error
}

/** As `classify`; what is no fault of SQLite's kept the file from being opened. */
export const cannotOpen = (error: unknown, path: string): SqliteError => {
  const known = classify(error, path)
  const reason = error instanceof Error ? error.message : String(error)
  if (known instanceof SqliteError) return known
  return new SqliteError('cantopen', `${path}: the file cannot be opened: ${reason}`, { cause: error })
}
