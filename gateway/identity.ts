import { PLAYER_ID, type PlayerId } from '../protocol/frames.ts'

/** Who a token says its bearer is. */
export interface Identity {
  id: PlayerId
  name: string
  /** Guests share a rate per address besides their own. */
  guest: boolean
  /** When the token ends, ms since the epoch; absent where it does not say. */
  expiresAt?: number
}

export interface Authenticator {
  /** Resolves with the token's identity. Rejects with a Refusal: `unauthorized`, or `unavailable` where keys cannot be had now. */
  verify(token: string): Promise<Identity>
}

const NAME_CHARACTERS = 40
/** Control characters (C0, C1, line and paragraph separators) and those that change the direction of the text around them. */
const FORBIDDEN = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u

/** Returns what is wrong with this as a player's name, or null. Pure. */
export const nameFlaw = (name: unknown): string | null => {
  if (typeof name !== 'string') return 'a name is text of 1 to 40 characters'
  if (!name.isWellFormed()) return 'the name is not valid Unicode'
  if (name !== name.normalize('NFC')) return 'the name must be in Unicode normal form NFC'
  if (name.trim() === '') return 'the name is empty'
  if ([...name].length > NAME_CHARACTERS) return `the name is longer than ${NAME_CHARACTERS} characters`
  if (FORBIDDEN.test(name)) return 'the name holds control or bidi characters'
  return null
}

/** Returns what is wrong with this as a player's id, or null. Pure. */
export const playerIdFlaw = (id: unknown): string | null =>
  typeof id === 'string' && PLAYER_ID.test(id)
    ? null
    : 'the player id (claim sub) must be 1 to 64 of A-Z a-z 0-9 . _ : @ -'
