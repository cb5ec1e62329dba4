/** What a file looks like that is no dictionary, from how it begins. */
import { open } from 'node:fs/promises'

const BYTES = 512

const magic: readonly (readonly [bytes: readonly number[], says: string])[] = [
  [[0x1f, 0x8b], 'is compressed with gzip: unpack it first, as with gunzip'],
  [[0x50, 0x4b, 0x03, 0x04], 'is a ZIP archive: unpack it first'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'is compressed with Zstandard: unpack it first, as with unzstd'],
  [[0x42, 0x5a, 0x68], 'is compressed with bzip2: unpack it first, as with bunzip2'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'is compressed with xz: unpack it first, as with unxz'],
  [[0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x20], 'is a database of SQLite'],
  [[0x25, 0x50, 0x44, 0x46], 'is a PDF'],
]

const firstBytes = async (path: string): Promise<Buffer> => {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BYTES), 0, BYTES, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** Why the file holds no lines of text, to follow its name; undefined where it may. @throws the file system's error. */
export const noTextFault = async (path: string): Promise<string | undefined> => {
  const first = await firstBytes(path)
  if (first.length === 0) return 'is empty'
  const known = magic.find(([bytes]) => bytes.every((byte, at) => first[at] === byte))
  if (known) return known[1]
  return first.includes(0) ? 'is no text: it has bytes that no text has' : undefined
}

/** What lines of text that are no entries look like, as a sentence. */
export const textLooksLike = async (path: string): Promise<string> => {
  const text = (await firstBytes(path))
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart()
  const [line = ''] = text.split('\n')
  if (text.startsWith('[')) return 'It looks like one JSON array: write an entry a line, as with jq -c ".[]".'
  if (text.startsWith('<')) return 'It looks like XML or HTML.'
  if (/^\{\s*$/.test(line)) return 'It looks like JSON of several lines: write an entry a line, as with jq -c.'
  if (text.startsWith('{'))
    return 'It looks like lines of JSON with other members than an entry has: docs/ndjson.md lists those.'
  if (line.includes('\t')) return 'It looks like a table with tabs, or the index of a dictd dictionary (import dictd).'
  if (line.includes(',')) return 'It looks like a table with commas (CSV).'
  return 'It looks like plain text: each line has to be a JSON object.'
}
