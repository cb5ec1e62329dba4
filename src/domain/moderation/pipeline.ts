/**
 * What is looked at of a text before others see it: a list of steps, of which the first that decides ends it. A step lets pass, holds back until a
 * moderator has looked, or refuses. Pure but for what a step counts.
 */
import { stepId } from '../ids.ts'
import { caseKey } from '../text/text.ts'

/** `before`: what it said until now, of an edit. `isNew`: its author's account is. */
export type Looked = {
  readonly account: string
  readonly text: string
  readonly before?: string
  readonly isNew: boolean
}
export type Judgement = { readonly outcome: 'hold' | 'refuse'; readonly reason: string }
export type Verdict = Judgement & { readonly step: string }
export type Step = {
  readonly name: string
  /** Undefined: it passes. */
  readonly judge: (looked: Looked) => Judgement | undefined | Promise<Judgement | undefined>
}
/** Undefined: all steps have let it pass. */
export type Pipeline = (looked: Looked) => Promise<Verdict | undefined>

export const openPipeline =
  (steps: readonly Step[]): Pipeline =>
  async looked => {
    for (const { name, judge } of steps) {
      const judgement = await judge(looked)
      if (judgement) return { ...judgement, step: name }
    }
    return undefined
  }

/** The command of the decision that holds what this command has written. */
export const pipelineCommand = (commandId: string): string => stepId(commandId, 'pipeline')

/** Letters and digits, in one case: what is left of a text without its markup. */
export const bareWords = (text: string): string =>
  caseKey(text.normalize('NFKC'), 'en')
    .split(/[^\p{L}\p{M}\p{N}]/u)
    .filter(word => word !== '')
    .join(' ')

const linksIn = (text: string): number => text.match(/https?:\/\/|www\./gi)?.length ?? 0

/** New accounts that bring many links wait for a moderator; `most`: 0 for no limit. */
export const linkStep = (most: number): Step => ({
  name: 'links',
  judge: ({ text, before = '', isNew }) =>
    most > 0 && isNew && linksIn(text) > most && linksIn(text) > linksIn(before)
      ? { outcome: 'hold', reason: `A new account brings ${most} links at most.` }
      : undefined,
})

/** `find`: what of a text it is about, each once. */
export type WordRule = { readonly outcome: Judgement['outcome']; readonly find: (text: string) => ReadonlySet<string> }

/** What is unwanted in it and was not there before: nobody is judged again for what they leave as it was. */
export const wordStep = (rules: readonly WordRule[]): Step => ({
  name: 'words',
  judge: ({ text, before = '' }) => {
    for (const { outcome, find } of rules) {
      const added = find(text).difference(find(before))
      if (added.size > 0) return { outcome, reason: 'It has words that are not wanted here.' }
    }
    return undefined
  },
})

/** `seen`: was the same said by this account a moment ago? It counts this time. */
export const repeatStep = (seen: (account: string, words: string) => Promise<boolean>): Step => ({
  name: 'repeat',
  judge: async ({ account, text, before }) =>
    before === undefined && (await seen(account, bareWords(text)))
      ? { outcome: 'refuse', reason: 'You have said the same a moment ago.' }
      : undefined,
})
