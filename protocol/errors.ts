/** Error codes of ERR frames and of problem details (docs/protocol.md, "error codes"). */
export const ERROR_CODES = [
  'bad_frame',
  'unauthorized',
  'forbidden',
  'not_found',
  'not_member',
  'room_full',
  'illegal_move',
  'invalid_payload',
  'rate_limited',
  'unavailable',
  'conflict',
  'internal',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

/** True where the same request with the same ref may succeed later without the user changing anything. */
export const isRetryable = (code: ErrorCode): boolean => code === 'unavailable' || code === 'rate_limited'

/** WebSocket close codes (docs/protocol.md, "close codes"). */
export const CLOSE = {
  textMessage: 1003,
  policy: 1008,
  tooLarge: 1009,
  restarting: 1012,
  malformed: 4000,
  unauthorized: 4001,
  takenOver: 4002,
  tooSlow: 4003,
} as const
export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE]

/** A request that was refused: it took no effect, and its ref may be used again. Reaches the sender as ERR. */
export class Refusal extends Error {
  readonly code: ErrorCode
  readonly detail: unknown
  constructor(code: ErrorCode, message: string, detail?: unknown) {
    super(message)
    this.name = 'Refusal'
    this.code = code
    this.detail = detail
  }
}

/** Bytes that are no frame, or break a limit of form. Closes the socket with 4000. */
export class MalformedFrame extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MalformedFrame'
  }
}

/** The message of whatever was thrown, in words. Pure. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))
