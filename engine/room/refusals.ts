import { Refusal } from '../../protocol/errors.ts'

/** It is not, or no longer, in this engine's memory. */
export const isMoving = (): Refusal => new Refusal('unavailable', 'The room is moving. Send it again.')

export const stopping = (): Refusal => new Refusal('unavailable', 'The server is stopping.')

export const rulesFailed = (): Refusal =>
  new Refusal('internal', 'The rules of this game failed on that; nothing has changed.')
