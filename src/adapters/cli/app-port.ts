/** What the command line needs of the program: src/app/program.ts opens it, and nothing here knows what it is made of. */
import type { Rotation } from '../../commands/address-rotation.ts'
import type { LeftEntry } from '../../commands/import-left.ts'
import type { ReasonCount } from '../../commands/import-reasons.ts'
import type { Config } from '../../config/load.ts'
import type { Block } from '../../domain/access/block.ts'
import type { ImportCounts, ImportFormat } from '../../domain/entry/import.ts'
import type { Refusal } from '../../domain/refusal.ts'
import type { Role } from '../../domain/roles.ts'
import type { StoryVisibility } from '../../domain/story/terms.ts'
import type { Clock } from '../../ports/clock.ts'
import type { EventStore } from '../../ports/event-store.ts'
import type { JobDetail, JobState, JobView } from '../../ports/jobs.ts'
import type { Locale } from '../../ports/mailer.ts'

/**
 * `serve`: HTTP, projections and all; `work`: what one command of the command line needs, which may run beside a service
 * on the same files.
 */
export type AppPurpose = 'serve' | 'work'

export type AppOptions = {
  readonly purpose: AppPurpose
  /** Of package.json, shown in /health and OpenAPI. */
  readonly version: string
  /** That of the system where none is given. */
  readonly clock?: Clock
  /** Takes the lines of the log where a person looks at them: whole lines, above whatever else stands on the terminal. */
  readonly print?: (text: string) => void
  /** Stands between the program and its event store: a slow network, in tests. Nothing does where none is given. */
  readonly between?: Between
  /** What whoever is not let in waits for (src/commands/beat.ts), in ms; 0, in tests: nothing. */
  readonly beatMs?: number
}

export type Between = <Store extends EventStore>(store: Store) => Store

/** How far a long work is: `done` of `total` (0 while unknown) in `unit`s, within the step named `step`. */
export type Progress = {
  readonly step: string
  readonly done: number
  readonly total: number
  readonly unit: 'bytes' | 'events' | 'entries' | 'documents'
}

/** What a long work reports while it runs. An aborted signal ends it at the next safe point; it can be run again. */
export type Watch = { readonly onProgress: (progress: Progress) => void; readonly signal: AbortSignal }

/** A line of a source that was not taken, and why. */
export type ImportFault = {
  readonly file?: string
  readonly line: number
  readonly reason: string
  /** What is wrong with each member of a line of NDJSON, in the words of the interface. */
  readonly errors?: readonly { readonly pointer: string; readonly code: string; readonly detail: string }[]
}

export type ImportOptions = Watch & {
  /** Names the source in streams and entries; by default made from the file's or folder's name. */
  readonly source?: string
  /** BCP 47 of the lemmas, for formats that do not say it. */
  readonly language?: string
  readonly licence?: string
  /** BCP 47 of the glosses, for dictd: they are then translations. */
  readonly target?: string
  /** The first wrong line ends the import. */
  readonly strict: boolean
  readonly onFault: (fault: ImportFault) => void
  /** An entry that stays as people have made it, and why. */
  readonly onKept?: (kept: ImportFault) => void
  /** An entry that an earlier import of the source has written, and that the source has no more. */
  readonly onLeft?: (entry: LeftEntry) => void
}
/** `complete` is false when the signal or a wrong line under `strict` ended it, or nothing but wrong lines came. */
export type ImportReport = ImportCounts & {
  readonly source: string
  readonly complete: boolean
  /** Why lines were not taken, and entries kept, the most frequent first. */
  readonly reasons: readonly ReasonCount[]
  /** How many entries the source has no more. */
  readonly left: number
}

/** `author`: the id of the account whose stories they are; the rest is what a file does not say. */
export type StoryImportOptions = Watch & {
  readonly author: string
  readonly language?: string
  readonly visibility?: StoryVisibility
  readonly isPublished: boolean
  /** The first story that is wrong ends the import. */
  readonly strict: boolean
  readonly onFault: (fault: ImportFault) => void
  /** A story that is there, and not as the source has it. */
  readonly onKept: (kept: ImportFault) => void
}
/** `complete` is false when the signal or a wrong story under `strict` ended it, or nothing but wrong ones came. */
export type StoryImportReport = Omit<ImportReport, 'left'>

export type ProjectionStatus = {
  readonly kind: 'projection' | 'subscriber'
  readonly name: string
  /** Of a projection. */
  readonly version?: number
  readonly state: 'live' | 'building' | 'stopped'
  /** Positions are decimal strings; `lag` is the number of positions behind the head. */
  readonly position: string
  readonly lag: string
  /** Documents, or keys of a subscriber, that wait for `projections retry`. */
  readonly parked: readonly { readonly id: string; readonly reason: string; readonly since: string }[]
  /** Why it is stopped. */
  readonly reason?: string
  /** Of the generation that is being built, whichever process builds it: how far it is, 0 to 1. */
  readonly progress?: number
}

export type RebuildReport = { readonly name: string; readonly position: string }

/** A damaged event. `soundAt`: when it was found sound last (RFC 3339); absent where it never was, as far as is known. */
export type DamagedEvent = { readonly position: string; readonly soundAt?: string }

/** `repaired`: it differed, and was made again; `kept`: where the file of before is, when all of it was. `setAside`: events that only the log is read with, since their stream has two of a revision. */
export type Lookups = {
  readonly different: number
  readonly differences: readonly string[]
  readonly setAside: readonly string[]
  readonly repaired?: boolean
  readonly kept?: string
}

/** `differences` names documents whose replay is not what is live, 100 at most of `different`. */
export type VerifyReport = {
  readonly events: number
  /** Events that do not decode or break their schema, 100 at most, in words. */
  readonly faults: readonly string[]
  /** Events that do not fit their checksum. */
  readonly damaged: readonly DamagedEvent[]
  /** What the log is looked up by and does not fit its events, 100 at most of `different` in words; of the embedded log alone. */
  readonly lookups?: Lookups
  readonly projections: readonly {
    readonly name: string
    readonly documents: number
    readonly different: number
    readonly differences: readonly string[]
    /** Documents that were only compared up to this position, where the log cannot be read; absent: all were. */
    readonly readUpTo?: string
  }[]
}

/** `rebuilt`: it was not what the log says and is now. `reason`: why it was not, though it had to be. */
export type RepairReport = Pick<VerifyReport, 'events' | 'faults' | 'damaged' | 'lookups'> & {
  readonly projections: readonly {
    readonly name: string
    readonly documents: number
    readonly different: number
    readonly rebuilt: boolean
    readonly reason?: string
  }[]
}

export type TokenRequest = { readonly role: Role; readonly for: string; readonly lifeMs: number }
export type IssuedToken = {
  readonly id: string
  readonly role: Role
  /** Absent once the name was erased. */
  readonly for?: string
  readonly expiresAt: string
  /** The signed access token: shown once, stored nowhere. */
  readonly token: string
}
export type TokenStatus = Omit<IssuedToken, 'token'> & {
  readonly issuedAt: string
  readonly state: 'valid' | 'expired' | 'revoked'
}

/** Who is not served. `lifeMs` counts from now; absent: until it is taken away. */
export type BlockTool = {
  add(order: { readonly target: string; readonly reason: string; readonly lifeMs?: number }): Promise<Block | Refusal>
  /** In force now, newest first. */
  /** Once it is recorded that they were seen. */
  list(): Promise<readonly Block[] | Refusal>
  /** Named by its id or by what it blocks. */
  remove(named: string): Promise<Block | Refusal>
}

/** The opened program. Each method may throw the ports' errors; a refusal is a value. */
export type App = {
  /** Names that `rebuild`, `retry` and `verify` know. */
  readonly projectionNames: readonly string[]
  /** Names that `retry` knows beside them: effects on the world are not rebuilt. */
  readonly subscriberNames: readonly string[]
  /** Listens; the base address, such as http://127.0.0.1:8080. @throws the system's error (EADDRINUSE, EACCES). */
  listen(): Promise<string>
  /**
   * Fills a log that is new, or whose filling was not finished, with the sample of the configuration, until it is
   * searchable. Undefined when there is nothing to fill.
   */
  fillSample(watch: Watch): Promise<ImportReport | undefined>
  import(format: ImportFormat, path: string, options: ImportOptions): Promise<ImportReport | Refusal>
  /** Imports the stories of a file: lines of JSON, an EPUB book, CommonMark. */
  importStories(path: string, options: StoryImportOptions): Promise<StoryImportReport | Refusal>
  /** Reads all that is in the log by now into the read model of entries, unless a service does. */
  catchUp(watch: Watch): Promise<void>
  /** Published entries as NDJSON, one JSON text an entry without the line end. */
  exportEntries(options: { readonly language?: string; readonly signal: AbortSignal }): AsyncIterable<string>
  /** Builds it anew beside the live one, then swaps. */
  rebuild(name: string, watch: Watch): Promise<RebuildReport>
  projections(): Promise<readonly ProjectionStatus[]>
  /** Puts parked documents back to work; how many. */
  retry(name: string | undefined): Promise<number>
  verify(watch: Watch): Promise<VerifyReport>
  /** Builds again what is damaged and can be: read models, what the log is looked up by. Events cannot. */
  repair(watch: Watch): Promise<RepairReport>
  readonly tokens: {
    create(request: TokenRequest): Promise<IssuedToken | Refusal>
    list(): Promise<readonly TokenStatus[]>
    revoke(id: string): Promise<TokenStatus | Refusal>
  }
  readonly accounts: {
    /** Without a mail; `password` is there for a new account alone, shown once and stored nowhere. */
    create(request: {
      readonly email: string
      readonly role: Role
      readonly reason?: string
    }): Promise<{ readonly accountId: string; readonly password?: string } | Refusal>
  }
  readonly jobs: {
    list(options: { readonly state?: JobState; readonly limit: number }): Promise<readonly JobView[]>
    show(key: string): Promise<readonly JobDetail[]>
    retry(key?: string): Promise<number>
    drop(key: string): Promise<boolean>
  }
  readonly blocks: BlockTool
  readonly keys: {
    rotate(): Promise<{ readonly kid: string; readonly activeFrom: string }>
    /** Begins with a new key of addresses, or goes on with it. */
    rotateAddresses(): Promise<Rotation | Refusal>
  }
  /** Stops accepting, finishes what runs, flushes and closes; repeating it is harmless. */
  close(): Promise<void>
}

/** Every mail there is, as it would be sent with made-up data. */
export type Mails = {
  readonly names: readonly string[]
  /** The language that a reader of this one (BCP 47) is written to in. */
  localeOf(tag: string): Locale
  preview(
    name: string,
    locale: string,
    timeZone?: string,
  ): { readonly subject: string; readonly text: string; readonly html: string }
  /** Sends one, past the queue. @throws {MailError} what came of it. */
  test(config: Config, address: string, locale: string): Promise<{ readonly messageId: string }>
}

/** What one check of `doctor` has found; `advice` says what to do about a warning or failure. */
export type Finding = {
  readonly check: string
  readonly state: 'ok' | 'note' | 'warning' | 'failed'
  readonly detail: string
  readonly advice?: string
}
/** Checks everything that can be checked without opening the program. `config` throws where the settings are wrong. */
export type Diagnose = (config: () => Config) => Promise<readonly Finding[]>

export type CopyReport = {
  /** False when the signal ended it: run again, it goes on. */
  readonly complete: boolean
  readonly events: number
  /** Events that were in the target already. */
  readonly before: number
  /** SHA-256 over both logs' rows in hex, of a complete copy. */
  readonly digest?: string
  readonly fromLog: string
  readonly toLog: string
}
/** Copies a log; `from` is by default that of the settings. */
export type Copy = (
  config: Config,
  urls: { readonly from?: string; readonly to: string },
  watch: Watch,
) => Promise<CopyReport>

export type OpenApp = (config: Config, options: AppOptions) => Promise<App>
