import { expect, test } from 'vitest'
import { deriveId, deriveIdBeside } from './derive.ts'
import { PARTITIONS, partitionOf } from './subjects.ts'

const KEY = new Uint8Array(32)
const ROOM_ID = /^[A-Za-z0-9_-]{1,64}$/

test('an id derived beside a room falls into its partition, whichever that is, and is the same each time', () => {
  const seen = new Set<number>()
  for (let n = 0; seen.size < PARTITIONS; n++) {
    const room = deriveId(KEY, 'room', n)
    const beside = deriveIdBeside(room, KEY, 'again', room)
    expect(partitionOf(beside)).toBe(partitionOf(room))
    expect(beside).toMatch(ROOM_ID)
    expect(beside).not.toBe(room)
    expect(deriveIdBeside(room, KEY, 'again', room)).toBe(beside)
    seen.add(partitionOf(room))
  }
})
