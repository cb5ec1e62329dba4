declare module 'pino-roll' {
  type Stream = ReturnType<typeof import('pino').destination>
  type Options = {
    readonly mkdir: boolean
    readonly sync: boolean
    readonly minLength: number
    readonly maxLength: number
    readonly mode: number
    readonly file: string
    readonly size: string
    readonly frequency: 'daily' | 'hourly' | number
    readonly extension: string
    readonly dateFormat: string
    /** `count` files beside the current one. */
    readonly limit: { readonly count: number; readonly removeOtherLogFiles: boolean }
  }
  const roll: (options: Options) => Promise<Stream>
  export = roll
}
