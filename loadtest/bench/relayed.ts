/** What the raw relay reads and sends: frames whose heads are where ours are, and which are as long as ours. */

/** Where a MOVE of the bench has its ref, as a uint32. */
export const REF_AT = 3

const UINT32 = 0xce

/** Returns a writer of `[33, ref, seq]`; it writes each into the same bytes. */
export const okFrame = (): ((ref: number, seq: number) => Uint8Array) => {
  const frame = Buffer.alloc(12)
  frame.set([0x93, 33, UINT32])
  frame[7] = UINT32
  return (ref, seq) => {
    frame.writeUInt32BE(ref, 3)
    frame.writeUInt32BE(seq, 8)
    return frame
  }
}

/** Returns a writer of `[36, room, seq - 1, seq, bytes]`; it writes each into the same bytes. */
export const patchFrame = (bytes: number): ((seq: number) => Uint8Array) => {
  const frame = Buffer.alloc(bytes)
  frame.set([0x95, 36, 0xa1, 'r'.charCodeAt(0), UINT32])
  frame[9] = UINT32
  frame.set([0xc4, bytes - 16], 14)
  return (seq) => {
    frame.writeUInt32BE(seq - 1, 5)
    frame.writeUInt32BE(seq, 10)
    return frame
  }
}
