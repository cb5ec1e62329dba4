/** Threads of libuv's pool: files, names of hosts and hashes of passwords take turns on them. */

/** Those that it has where nobody says otherwise (https://docs.libuv.org/en/v1.x/threadpool.html). */
const STOCK = 4
/** Beside those that hash: files and names are to have some of their own. */
const SPARE = 2

const given = (set: string | undefined): number | undefined =>
  set !== undefined && /^[1-9]\d{0,3}$/.test(set) ? Number(set) : undefined

/**
 * What UV_THREADPOOL_SIZE is to be, where it may be `set`: a thread for each core to hash on and some more, so that a machine of
 * many cores is used. It is read when the pool is used first, so that a program may set it for itself. An operator's choice stays.
 */
export const threadPoolSize = (cores: number, set = process.env['UV_THREADPOOL_SIZE']): number =>
  given(set) ?? Math.max(STOCK, cores + SPARE)

/** Hashes of passwords at once: as many as there are cores, and never on the last thread. */
export const hashesAtOnce = (cores: number, set = process.env['UV_THREADPOOL_SIZE']): number =>
  Math.max(1, Math.min(cores, (given(set) ?? STOCK) - 1))
