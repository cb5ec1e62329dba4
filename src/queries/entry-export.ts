/** The published dictionary as a whole. */

import type { View } from '../core/project/view.ts'
import type { Cursor } from '../core/query/define.ts'
import { defined } from '../domain/defined.ts'
import type { EntryDocument } from '../projections/entries.ts'
import type { EntryReads } from './entries.ts'
import { scopeOf } from './entry-lists.ts'
import { type EntryView, entryView } from './entry-view.ts'

/** Of a collection whose place another one has taken nobody folds on: what it shows is looked up where it stands now. */
const asTheyStand = async (reads: EntryReads, page: Awaited<ReturnType<View<EntryDocument>['find']>>) => {
  await reads.entries.ready()
  if (page.generation === reads.entries.generation()) return page.documents
  const now = await reads.entries.get(page.documents.map(({ id }) => id))
  return [...now.values()].filter(({ body }) => body.status === 'published')
}

export type ExportPage = { readonly items: readonly EntryView[]; readonly cursor: Cursor; readonly position: bigint }

/** The published dictionary in the order of its ids, page by page, from a cursor on. */
export const exportEntries = (reads: EntryReads) =>
  async function* (input: { readonly after?: Cursor; readonly language?: string }): AsyncGenerator<ExportPage> {
    const where = scopeOf(defined({ language: input.language }))
    let after = input.after?.key
    let generation = input.after?.generation
    for (;;) {
      const page = await reads.entries.find(
        { where, order: [], limit: 200, ...defined({ after: Array.isArray(after) ? after : undefined }) },
        generation,
      )
      generation = page.generation
      const documents = await asTheyStand(reads, page)
      const items = documents.map(({ id, body }) => entryView(id, body, body.revision))
      const key = page.next ?? (page.documents.length > 0 ? [page.documents.at(-1)?.id ?? ''] : after)
      yield {
        items,
        cursor: { generation: reads.entries.generation(), key: key ?? [''] },
        position: reads.entries.position(),
      }
      if (!page.next) return
      after = page.next
    }
  }
