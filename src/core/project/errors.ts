/**
 * What a query may meet on the read side, by the codes of the problems they become; `projection-unfinished` is for who builds one.
 */
import { OwnError } from '../../domain/own-error.ts'
export type ProjectionErrorCode =
  | 'projection-building'
  | 'projection-behind'
  | 'projection-unfinished'
  | 'cursor-expired'

export class ProjectionError extends OwnError {
  override readonly name = 'ProjectionError'
  readonly code: ProjectionErrorCode
  constructor(code: ProjectionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
