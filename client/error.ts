import type { ErrorCode } from '../protocol/errors.ts'
import type { Ref } from '../protocol/frames.ts'

/**
 * What the server refused, or the SDK could not do. `code` says what kind (docs/protocol.md, "error codes");
 * `message` says why; `detail` is what the server adds, such as the issues of an `invalid_payload`.
 *
 * @example
 * try {
 *   await room.move.mark({ cell: 4 })
 * } catch (error) {
 *   if (error instanceof MadangError && error.code === 'illegal_move') show(error.message)
 * }
 */
export class MadangError extends Error {
  readonly code: ErrorCode
  readonly detail: unknown
  /** The request's ref; null where the error answers none. */
  readonly ref: Ref | null

  constructor(code: ErrorCode, message: string, detail?: unknown, ref: Ref | null = null) {
    super(message)
    this.name = 'MadangError'
    this.code = code
    this.detail = detail
    this.ref = ref
  }

  /** Ms after which the server takes the request again; 0 where it did not say. */
  get retryAfter(): number {
    const { detail } = this
    if (typeof detail !== 'object' || detail === null || !('retryAfter' in detail)) return 0
    return typeof detail.retryAfter === 'number' ? Math.max(0, detail.retryAfter) : 0
  }
}
