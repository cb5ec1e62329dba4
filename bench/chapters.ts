/**
 * What the save of a chapter of the longest text costs: a sentence changed in 510,000 characters, from the bytes of the body to what
 * is durable in the log. CPU is the whole process's, the thread that writes with it; what read models make of it is not in it.
 */
import { parseJsonBody } from '../src/adapters/http/json-body.ts'
import { areas } from '../src/app/areas.ts'
import { type Closing, openCore, systemClock } from '../src/app/core.ts'
import { beginChapter, type Call, type Draft, saveDraft } from '../src/commands/chapters.ts'
import { loadConfig } from '../src/config/load.ts'
import { eventsAt } from '../src/core/log/revisions.ts'
import { chapterAggregate, chapterStream, isChapterEvent } from '../src/domain/chapter/chapter.ts'
import { render } from '../src/domain/chapter/rendering.ts'
import { bytesOfText, KEPT_TEXTS, openChapterTexts } from '../src/domain/chapter/texts.ts'
import { begunId, idOf } from '../src/domain/ids.ts'
import { isRefusal } from '../src/domain/refusal.ts'
import { beginStory } from '../src/domain/story/decisions.ts'
import { storyAggregate, storyStream } from '../src/domain/story/story.ts'
import { type BenchOptions, type BenchRow, inFolder, main, median, quantile, timed } from './bench.ts'

/** Milliseconds of CPU that a save takes at most. */
const REACH_MS = 60
const LONGEST = 510_000
/** A draft is saved six times a minute. */
const PAUSE_MS = 11_000

/** Prose that no other paragraph repeats, with marks as authors set them. */
const prose = (length: number, seed: number): string => {
  const words = ['the', 'sea', 'was', '*calm*', 'that', 'morning', 'and', 'nobody', 'came', 'to', 'harbour', '"again"']
  let [drawn, text] = [seed, '']
  while (text.length < length) {
    drawn = (drawn * 1_103_515_245 + 12_345) % 2_147_483_648
    text += `${words[(drawn >> 8) % words.length]}${drawn % 97 === 0 ? '.\n\n' : ' '}`
  }
  return text.slice(0, length)
}

const measure = async (folder: string, saves: number): Promise<readonly number[]> => {
  const opened: Closing[] = []
  const config = loadConfig({ LEXICHRON_DATA_DIR: folder }, folder)
  const core = await openCore({ config, clock: systemClock, areas, opened })
  try {
    const { transactor, memory, log, newId } = core
    const deps = {
      stories: transactor(storyAggregate),
      chapters: transactor(chapterAggregate),
      texts: openChapterTexts({
        events: async (id, revisions) => {
          const found = await eventsAt(log, chapterStream(id), revisions)
          return new Map([...found].flatMap(([at, event]) => (isChapterEvent(event) ? [[at, event]] : [])))
        },
        kept: memory.region('streams').cache({ max: KEPT_TEXTS, sizeOf: bytesOfText }),
      }),
    }
    const start = Date.now()
    const callAt = (turn: number): Call => {
      const [commandId, at] = [newId(), new Date(start + turn * PAUSE_MS)]
      const by = { id: 'author', permissions: new Set(['stories:write'] as const), now: at, commandId }
      return { by, envelope: { commandId, actor: { kind: 'account', id: 'author' }, correlationId: commandId, at } }
    }
    const first = callAt(0)
    const storyId = begunId('story', first.envelope.commandId)
    const begun = await deps.stories.run(
      storyStream(storyId),
      beginStory('en', { title: 'The Sea' }, first.by),
      first.envelope,
    )
    if (isRefusal(begun)) throw new Error(begun.detail)
    const chapter = await beginChapter(deps, storyId, { title: 'One' }, callAt(1))
    if (isRefusal(chapter)) throw new Error(chapter.detail)
    const ref = { storyId, chapterId: idOf(chapter.stream) }
    const text = prose(LONGEST, 7)
    const cpu: number[] = []
    for (let turn = 0; turn < saves; turn += 1) {
      const at = 1_000 + turn * 3_001
      const draft = { title: 'One', text: `${text.slice(0, at)}Save ${turn}. ${text.slice(at + 12)}` }
      const body = Buffer.from(JSON.stringify(draft))
      const { result, cpu: took } = await timed(() =>
        saveDraft(deps, ref, parseJsonBody(body) as Draft, callAt(2 + turn)),
      )
      if (isRefusal(result)) throw new Error(result.detail)
      // The first is a whole, and compiles what it needs.
      if (turn > 0) cpu.push(took)
    }
    return cpu
  } finally {
    for (const each of opened.toReversed()) await each.close()
  }
}

export const run = ({ quick }: BenchOptions): Promise<readonly BenchRow[]> =>
  inFolder(async folder => {
    const cpu = await measure(folder, quick ? 3 : 60)
    const middle = median(cpu)
    const usual = prose(12_000, 11)
    const rounds: number[] = []
    for (let round = 0; round < (quick ? 2 : 50); round += 1) rounds.push((await timed(() => render(usual))).cpu)
    const rendering = median(rounds)
    return [
      {
        work: 'save of 510,000 characters',
        against: 'CPU',
        ours: `${middle.toFixed(1)} ms`,
        peer: '',
        reach: `<= ${REACH_MS} ms`,
        met: middle <= REACH_MS,
        note: `p95 ${quantile(cpu, 0.95).toFixed(1)} ms of ${cpu.length} saves`,
      },
      {
        work: 'HTML of 12,000 characters',
        against: 'CPU',
        ours: `${rendering.toFixed(1)} ms`,
        peer: '',
        reach: '',
        met: null,
      },
    ]
  })

await main(import.meta, run)
