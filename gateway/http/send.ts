import { decode, readHead, SERVER_LIMITS } from '../../protocol/codec.ts'
import { MalformedFrame } from '../../protocol/errors.ts'
import { FRAME_LIMITS } from '../../protocol/frames.ts'
import type { Gateway } from '../gateway.ts'
import type { Limits } from '../greeting.ts'
import type { Identity } from '../identity.ts'
import { acceptedForm, FORM_TYPES, type Form, formOf, framesIn, framesReply } from './forms.ts'
import { type HttpReply, type HttpRequest, problem, tooMany } from './reply.ts'
import { NO_SESSION, sessionOf } from './session.ts'

const BODY_BYTES = 65_536
const FULL_RETRY_MS = 1_000

export interface SendRoute {
  gateway: Pick<Gateway, 'post' | 'counters'>
  limits: Limits
}

/** `POST /v1/send`: frames → 200 with the OK, ERR and PONG frames that answer them, in order. */
export const postFrames = async (
  request: HttpRequest,
  { id, name, guest }: Identity,
  { gateway, limits }: SendRoute,
): Promise<HttpReply> => {
  const form = formOf(request.headers.get('content-type'))
  if (form === null)
    return problem('bad_frame', `send one of ${FORM_TYPES}`, { status: 415, headers: { Accept: FORM_TYPES } })
  const counts = gateway.counters.http.send
  counts.requests++
  const session = sessionOf(request)
  const body = await request.body(BODY_BYTES)
  if (body === null) return problem('bad_frame', `the body is longer than ${BODY_BYTES} bytes`, { status: 413 })
  counts.bytesIn += body.length
  const frames = readFrames(body, form, limits.frame)
  if (typeof frames === 'string') return problem('bad_frame', frames)
  if (session === null && frames.some((bytes) => readHead(bytes).ref !== null))
    return problem(
      'bad_frame',
      'a frame with a ref needs a session: name one in the header Madang-Session, or ?session=',
    )
  const who = { player: { id, name }, guest, session: session ?? NO_SESSION }
  const answers = await gateway.post(who, request.address, frames)
  if (answers === null) return tooMany(FULL_RETRY_MS)
  const accepted = acceptedForm(request.headers.get('accept'), form)
  const reply = framesReply(
    answers.map((answer) => decode(answer, SERVER_LIMITS)),
    accepted,
  )
  counts.bytesOut += reply.body.length
  return reply
}

/** The frames of a body, or why it is refused as a whole: nothing of it takes effect then. */
const readFrames = (body: Uint8Array, form: Form, frame: number): Uint8Array[] | string => {
  try {
    const frames = framesIn(body, form, { bytes: frame, depth: FRAME_LIMITS.depth })
    for (const bytes of frames) readHead(bytes)
    return frames.length > 0 ? frames : 'one frame or more was expected'
  } catch (error) {
    if (error instanceof MalformedFrame) return `malformed frames: ${error.message}`
    if (error instanceof TypeError) return 'the body is not UTF-8'
    throw error
  }
}
