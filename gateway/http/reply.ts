import type { ErrorCode, Refusal } from '../../protocol/errors.ts'
import type { HttpStream } from './stream.ts'

/** A request of which the route needs no more than this; all of it is read before the first await. */
export interface HttpRequest {
  method: string
  /** Decoded, without the query. */
  path: string
  query: URLSearchParams
  /** By lowercase name. */
  headers: ReadonlyMap<string, string>
  /** The client's, as far as proxies are trusted. */
  address: string
  /** Whether the client speaks TLS to us. */
  isSecure: boolean
  /** Resolves with the whole body, or with null where it is longer than `bytes`. */
  body(bytes: number): Promise<Uint8Array | null>
  /** Runs `task` if the client goes before it has the whole reply. */
  onGone(task: () => void): void
}

export interface HttpReply {
  status: number
  headers: Record<string, string>
  body: Uint8Array | string
}

/** A reply whose body is written as it comes. */
export interface StreamReply extends Omit<HttpReply, 'body'> {
  body: HttpStream
}

const STATUS: Record<ErrorCode, number> = {
  bad_frame: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  not_member: 403,
  room_full: 409,
  illegal_move: 409,
  invalid_payload: 422,
  rate_limited: 429,
  unavailable: 503,
  conflict: 409,
  internal: 500,
}

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** Returns a reply of JSON. Pure. */
export const json = (status: number, value: unknown, headers: Record<string, string> = {}): HttpReply => ({
  status,
  headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers },
  body: JSON.stringify(value),
})

/** Returns problem details (RFC 9457) with a code of the protocol's table. Pure. */
export const problem = (
  code: ErrorCode,
  detail: string,
  {
    status = STATUS[code],
    headers = {},
    errors,
  }: { status?: number; headers?: Record<string, string>; errors?: unknown } = {},
): HttpReply => ({
  status,
  headers: { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', ...headers },
  body: JSON.stringify({ type: 'about:blank', title: TITLES[status] ?? 'Error', status, detail, code, errors }),
})

/** Returns the problem that a refusal is over HTTP. Pure. */
export const refused = ({ code, message, detail }: Pick<Refusal, 'code' | 'message' | 'detail'>): HttpReply => {
  const headers: Record<string, string> = {}
  if (code === 'unauthorized') headers['WWW-Authenticate'] = 'Bearer'
  if (code === 'unavailable') headers['Retry-After'] = '1'
  if (code === 'rate_limited') headers['Retry-After'] = String(retrySeconds(detail))
  return problem(code, message, { headers, errors: detail ?? undefined })
}

const retrySeconds = (detail: unknown): number => {
  const ms = typeof detail === 'object' && detail !== null && 'retryAfter' in detail ? Number(detail.retryAfter) : 0
  return Math.max(1, Math.ceil(ms / 1000))
}

/** Returns the reply to a client that asks too often. Pure. */
export const tooMany = (retryAfterMs: number): HttpReply =>
  refused({ code: 'rate_limited', message: 'too many requests: try again later', detail: { retryAfter: retryAfterMs } })
