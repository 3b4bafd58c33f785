import { concat, SERVER_LIMITS } from '../protocol/codec.ts'
import type { FetchAnswer } from './environment.ts'

/** The whole body of an answer. Rejects where it is cut off, or longer than anything a server sends. */
export const bodyOf = async ({ body }: FetchAnswer): Promise<Uint8Array> => {
  const reader = body?.getReader()
  const parts: Uint8Array[] = []
  for (let length = 0; reader; ) {
    const { done, value } = await reader.read()
    if (done) break
    if (!value) continue
    length += value.length
    if (length > SERVER_LIMITS.bytes) throw new RangeError(`the answer has more than ${SERVER_LIMITS.bytes} bytes`)
    parts.push(value)
  }
  return concat(...parts)
}
