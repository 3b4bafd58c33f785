import { createHmac } from 'node:crypto'
import { partitionOf } from './subjects.ts'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
/** 26 characters of 5 bits: 130 bits, so that an id cannot be guessed. */
const CHARACTERS = 26

/**
 * An id that follows from these parts and the cluster's key: the same for each retry at every gateway and engine, and not
 * to be guessed without the key. 26 characters of lowercase base32 (RFC 4648). Pure. No part may contain a newline.
 */
export const deriveId = (clusterKey: Uint8Array, ...parts: readonly (string | number)[]): string => {
  const bytes = createHmac('sha256', clusterKey).update(parts.join('\n')).digest()
  let id = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 5 && id.length < CHARACTERS) {
      bits -= 5
      id += ALPHABET[(held >>> bits) & 31]
    }
  }
  return id
}

/** The same, with a suffix that puts it into the partition of `room`: whoever makes it owns both. Pure. */
export const deriveIdBeside = (
  room: string,
  clusterKey: Uint8Array,
  ...parts: readonly (string | number)[]
): string => {
  const id = deriveId(clusterKey, ...parts)
  const partition = partitionOf(room)
  let suffix = 0
  while (partitionOf(id + suffix.toString(36)) !== partition) suffix += 1
  return id + suffix.toString(36)
}
