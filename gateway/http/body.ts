import { type HttpReply, type HttpRequest, problem } from './reply.ts'

const BODY_BYTES = 65_536

/** Resolves with the JSON object that a request carries, or with the reply that refuses it. */
export const jsonBody = async (
  request: HttpRequest,
): Promise<{ object: Record<string, unknown> } | { refusal: HttpReply }> => {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json')
    return {
      refusal: problem('bad_frame', 'send application/json', { status: 415, headers: { Accept: 'application/json' } }),
    }
  const bytes = await request.body(BODY_BYTES)
  if (bytes === null)
    return { refusal: problem('bad_frame', `the body is longer than ${BODY_BYTES} bytes`, { status: 413 }) }
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (isRecord(value)) return { object: value }
  } catch {
    return { refusal: problem('bad_frame', 'the body is not JSON in UTF-8') }
  }
  return { refusal: problem('bad_frame', 'the body must be a JSON object') }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
