/** Mails as they were written to files; each is read once, however often somebody looks whether theirs has come. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import PostalMime, { type Email } from 'postal-mime'

export const openOutbox = (folder: string) => {
  const known = new Map<string, Promise<Email>>()
  /** All to this address with such a subject, by the names of their files. */
  return async (address: string, subject: RegExp): Promise<readonly Email[]> => {
    const names = readdirSync(join(folder, 'outbox'), { recursive: true, encoding: 'utf8' })
    const mails = await Promise.all(
      names
        .filter(each => each.endsWith('.eml'))
        .toSorted()
        .map(name => {
          const read = known.get(name) ?? PostalMime.parse(readFileSync(join(folder, 'outbox', name)))
          known.set(name, read)
          return read
        }),
    )
    return mails.filter(each => each.to?.[0]?.address === address && subject.test(each.subject ?? ''))
  }
}
