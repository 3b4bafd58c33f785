import type { MediaReply } from '../bus/media-messages.ts'
import { messageOf, Refusal } from '../protocol/errors.ts'

export type Answer = MediaReply['answer']

const LONGEST_MESSAGE = 200

/** The answer that an error makes: a Refusal as it is, what goes with a worker's end `unavailable`, anything else `internal`. */
export const answerOf = (error: unknown): Answer => {
  if (error instanceof Refusal) {
    const { code, message, detail } = error
    return { refused: detail === undefined ? { code, message } : { code, message, detail } }
  }
  return { refused: { code: 'internal', message: 'the media node failed; nothing has changed' } }
}

/** The result of something that a worker was asked to do with what a client sent; rejects with a Refusal that says what was wrong with it. */
export const asked = async <T>(work: Promise<T>, isGone: () => boolean): Promise<T> => {
  try {
    return await work
  } catch (error) {
    if (error instanceof Refusal) throw error
    if (isGone()) throw gone()
    const message = messageOf(error)
    throw new Refusal('invalid_payload', message.slice(0, LONGEST_MESSAGE))
  }
}

export const gone = (): Refusal => new Refusal('unavailable', 'the media worker has just ended: join again')
export const notYet = (): Refusal => new Refusal('unavailable', 'the track is at another media node: try again soon')
export const noPeer = (): Refusal => new Refusal('not_found', 'no such peer here: call media.join')
