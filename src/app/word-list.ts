/** The list of words that are not wanted, read once at the start. */
import { readFile } from 'node:fs/promises'
import type { Moderation } from '../config/limits.ts'
import { ConfigError } from '../config/load.ts'
import type { WordRule } from '../domain/moderation/pipeline.ts'
import { readWordList } from '../domain/moderation/pipeline-words.ts'

/** @throws {ConfigError} where it cannot be read, or a line of it is none. */
export const loadWords = async ({ words }: Pick<Moderation, 'words'>): Promise<readonly WordRule[]> => {
  if (words === undefined) return []
  const text = await readFile(words, 'utf8').catch(() => undefined)
  if (text === undefined) throw new ConfigError([`LEXICHRON_WORDS is ${JSON.stringify(words)}: it cannot be read.`])
  const { rules, faults } = readWordList(text)
  if (faults.length > 0)
    throw new ConfigError(faults.map(fault => `LEXICHRON_WORDS is ${JSON.stringify(words)}: ${fault}.`))
  return rules
}
