/** Tables of a Markdown page that a test holds the service against: what was asked, by row, and what is said to whom, by column. */
import { readFileSync } from 'node:fs'

/** The cells of a row by the names of their columns; the first column is the row's own name. */
export type Table = {
  readonly columns: readonly string[]
  readonly rows: ReadonlyMap<string, Readonly<Record<string, string>>>
}

const cells = (line: string): readonly string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map(each => each.trim())

/** @throws when a row is there twice: one of the two would never be looked at. */
const tableOf = (lines: readonly string[]): Table => {
  const [head = '', ...body] = lines.filter(line => !line.startsWith('|--'))
  const [, ...columns] = cells(head)
  const rows = new Map<string, Readonly<Record<string, string>>>()
  for (const line of body) {
    const [name = '', ...said] = cells(line)
    const row = name.replaceAll('`', '')
    if (rows.has(row)) throw new Error(`two rows are called ${row}`)
    rows.set(row, Object.fromEntries(columns.map((column, index) => [column, said[index] ?? ''])))
  }
  return { columns, rows }
}

/** The table below each heading of the second level, by that heading. */
export const readTables = (file: URL): ReadonlyMap<string, Table> => {
  const sections = readFileSync(file, 'utf8').split(/^## /m).slice(1)
  return new Map(
    sections.map(section => {
      const [heading = '', ...lines] = section.split('\n')
      return [heading.trim(), tableOf(lines.filter(line => line.startsWith('|')))]
    }),
  )
}
