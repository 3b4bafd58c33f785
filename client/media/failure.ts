import { messageOf } from '../../protocol/errors.ts'
import { MadangError } from '../error.ts'

/** The error as the SDK tells it: what WebRTC threw is `internal`. Pure. */
export const asMadangError = (error: unknown): MadangError => {
  if (error instanceof MadangError) return error
  const reason = messageOf(error)
  return new MadangError('internal', `this browser could not do its part of the video: ${reason}`)
}
