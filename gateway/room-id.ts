import { createHmac } from 'node:crypto'
import type { PlayerId, Ref, RoomId, SessionId } from '../protocol/frames.ts'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
/** 26 characters of 5 bits: 130 bits, so that a room's id cannot be guessed. */
const CHARACTERS = 26

/** Returns lowercase base32 (RFC 4648, no padding) of the first bits of `bytes`. Pure. */
const base32 = (bytes: Uint8Array, characters: number): string => {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 5 && text.length < characters) {
      bits -= 5
      text += ALPHABET[(held >>> bits) & 31]
    }
  }
  return text
}

/**
 * Returns the id of the room that this CREATE makes: the same for each retry, at every gateway with the same cluster key.
 * Pure. Neither players nor sessions contain a newline, so that the parts cannot run into each other.
 */
export const createdRoom = (clusterKey: Uint8Array, player: PlayerId, session: SessionId, ref: Ref): RoomId =>
  base32(createHmac('sha256', clusterKey).update(`room\n${player}\n${session}\n${ref}`).digest(), CHARACTERS)

/** Returns the session that stands for an Idempotency-Key of this player. Pure. */
export const idempotentSession = (clusterKey: Uint8Array, player: PlayerId, key: string): SessionId =>
  base32(createHmac('sha256', clusterKey).update(`idempotency\n${player}\n${key}`).digest(), CHARACTERS)
