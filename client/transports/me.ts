import { OP, type SessionId, type Welcome } from '../../protocol/frames.ts'
import { parseServerFrame } from '../../protocol/parse.ts'
import { jsonOf } from '../problem.ts'

/** The WELCOME that an answer of `GET /v1/me` stands for; null where it is something else, such as a proxy's own page. Pure. */
export const me = (body: Uint8Array, session: SessionId): Welcome | null => {
  const json = jsonOf(body)
  if (typeof json !== 'object' || json === null) return null
  try {
    const frame = parseServerFrame([OP.welcome, { ...json, session, resumed: true }])
    return frame?.[0] === OP.welcome ? frame[1] : null
  } catch {
    return null
  }
}
