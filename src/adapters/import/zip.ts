/**
 * Reads the texts of a ZIP within bounds: what it says of its own sizes is not believed, nothing is written anywhere, and what is not
 * asked for is not inflated.
 */
import { open } from 'node:fs/promises'
import { Unzip, UnzipInflate } from 'fflate'
import { SourceError } from './source.ts'

/** Bytes of the file. */
export const MOST_ZIPPED = 100_000_000
/** Bytes of all that is read of it, inflated. */
export const MOST_INFLATED = 64_000_000
/** Files in it. */
export const MOST_FILES = 4_000
/** So many bytes are inflated at once: the worst becomes a thousand times as many, before anything is counted. */
const STEP = 4_096

/** A path within the archive: relative, of no step upwards. */
const isWithin = (name: string): boolean =>
  name !== '' && !/^[/\\]|^[a-z]:|\\|\0/i.test(name) && !name.split('/').some(part => part === '..')

const signature = Buffer.from([0x50, 0x4b, 0x03, 0x04])

/** The files that are wanted, by their names, as UTF-8. @throws {SourceError} with what is wrong. */
export const readZip = async (
  path: string,
  isWanted: (name: string) => boolean,
): Promise<ReadonlyMap<string, string>> => {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (size > MOST_ZIPPED) throw new SourceError(`${path} has more than ${MOST_ZIPPED} bytes.`)
    const found = new Map<string, Buffer[]>()
    const ended = new Set<string>()
    let [files, inflated] = [0, 0]
    const unzip = new Unzip(entry => {
      files += 1
      if (files > MOST_FILES) throw new SourceError(`${path} has more than ${MOST_FILES} files in it.`)
      const { name } = entry
      if (!isWithin(name))
        throw new SourceError(
          `${path} has a file in it whose name leads out of it: ${JSON.stringify(name.slice(0, 100))}.`,
        )
      if (!isWanted(name)) return
      if (found.has(name))
        throw new SourceError(`${path} has two files of the name ${JSON.stringify(name.slice(0, 100))}.`)
      const chunks: Buffer[] = []
      found.set(name, chunks)
      entry.ondata = (error, data, isLast) => {
        if (error) throw error
        inflated += data.length
        if (inflated > MOST_INFLATED)
          throw new SourceError(`${path} has more than ${MOST_INFLATED} bytes of text once it is unpacked.`)
        chunks.push(Buffer.from(data))
        if (isLast) ended.add(name)
      }
      entry.start()
    })
    unzip.register(UnzipInflate)
    const buffer = Buffer.alloc(STEP)
    for (let at = 0; at < size; ) {
      const { bytesRead } = await file.read(buffer, 0, STEP, at)
      if (bytesRead === 0) break
      if (at === 0 && !buffer.subarray(0, 4).equals(signature)) throw new SourceError(`${path} is no ZIP archive.`)
      at += bytesRead
      // It keeps what it is given.
      unzip.push(Uint8Array.from(buffer.subarray(0, bytesRead)), at >= size)
    }
    if (ended.size < found.size) throw new SourceError(`${path} breaks off, or is damaged or encrypted.`)
    return new Map([...found].map(([name, chunks]) => [name, Buffer.concat(chunks).toString('utf8')]))
  } catch (error) {
    if (error instanceof SourceError || (error instanceof Error && 'syscall' in error)) throw error
    throw new SourceError(
      `${path} cannot be unpacked: it is damaged, encrypted, or packed in another way than deflate.`,
    )
  } finally {
    await file.close()
  }
}
