/**
 * What a query may meet on the read side, by the codes of the problems they become; `projection-unfinished` is for who builds one.
 */
export type ProjectionErrorCode =
  | 'projection-building'
  | 'projection-behind'
  | 'projection-unfinished'
  | 'cursor-expired'

export class ProjectionError extends Error {
  override readonly name = 'ProjectionError'
  readonly code: ProjectionErrorCode
  constructor(code: ProjectionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
