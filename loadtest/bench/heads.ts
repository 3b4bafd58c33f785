// Parts of server frames, read where they stand: a load generator that decoded whole frames would measure itself.

/** The place after the short text at `at`. */
export const afterText = (bytes: Buffer, at: number): number => {
  const type = bytes[at] ?? 0
  return type === 0xd9 ? at + 2 + (bytes[at + 1] ?? 0) : at + 1 + (type & 31)
}

/** The unsigned integer at `at`. */
export const integerAt = (bytes: Buffer, at: number): number => {
  const type = bytes[at] ?? 0
  if (type < 128) return type
  if (type === 0xcc) return bytes[at + 1] ?? 0
  return type === 0xcd ? bytes.readUInt16BE(at + 1) : bytes.readUInt32BE(at + 1)
}
/** How many bytes the unsigned integer at `at` takes. */
export const widthAt = (bytes: Buffer, at: number): number => {
  const type = bytes[at] ?? 0
  return type < 128 ? 1 : type === 0xcc ? 2 : type === 0xcd ? 3 : 5
}
