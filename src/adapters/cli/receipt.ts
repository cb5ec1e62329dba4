/** `lexichron receipt verify`: is a receipt genuine? Needs no service, no log and no key but the public one. */
import { readFile } from 'node:fs/promises'
import { verifyReceipt } from '../../commands/receipts.ts'
import { type CliCommand, exitCodes, needed, UsageError } from './command.ts'

const LARGEST = 1024 * 1024

const textOf = async (path: string): Promise<string> => {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`)
  })
  if (text.length > LARGEST) throw new UsageError(`${path} is no receipt and no list of keys: it is too long.`)
  return text
}

/** The answer of the service as it was saved, or the signed text alone. */
const signedIn = (text: string): string => {
  if (!text.trimStart().startsWith('{')) return text
  try {
    const { signed }: { signed?: unknown } = Object(JSON.parse(text))
    return typeof signed === 'string' ? signed : ''
  } catch {
    return ''
  }
}

const keysIn = (path: string, text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`${path} is no JWK Set: save what GET /v1/receipts/keys answers.`)
  }
}

export const receiptVerify: CliCommand = {
  name: 'receipt verify',
  usage: '<file>',
  summary: 'check the receipt of an erasure with the public keys, without a service',
  details: [
    '<file> is what GET /v1/receipts/<token> answered, or its member signed; exit code 1 when it is not genuine.',
  ],
  options: { keys: { type: 'string' } },
  about: { keys: 'file with what GET /v1/receipts/keys answered' },
  positionals: [1, 1],
  run: async (input, { terminal }) => {
    const [path = ''] = input.positionals
    const keysPath = needed(input, 'keys', 'the file with the public keys')
    const keys = keysIn(keysPath, await textOf(keysPath))
    const found = verifyReceipt(signedIn(await textOf(path)), keys)
    if ('fault' in found) {
      terminal.note(`lexichron: ${found.fault}`)
      return exitCodes.failed
    }
    await terminal.result(JSON.stringify(found.payload, null, terminal.json ? undefined : 2))
    return exitCodes.done
  },
}
