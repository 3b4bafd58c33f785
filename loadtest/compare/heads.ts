import { OP } from '../../protocol/frames.ts'
import { afterText, integerAt, widthAt } from '../bench/heads.ts'

/** What the message at `at` says: the seq of a STATE or PATCH, the ref of an OK and the integer that is its value; null for any other. */
export const headAt = (bytes: Buffer, at: number): { shown: number } | { ref: number; value: number | null } | null => {
  const op = bytes[at + 1]
  if (op === OP.state) return { shown: integerAt(bytes, afterText(bytes, at + 2)) }
  if (op === OP.patch) {
    const from = afterText(bytes, at + 2)
    return { shown: integerAt(bytes, from + widthAt(bytes, from)) }
  }
  if (op !== OP.ok) return null
  const value = at + 2 + widthAt(bytes, at + 2)
  return { ref: integerAt(bytes, at + 2), value: isIntegerAt(bytes, value) ? integerAt(bytes, value) : null }
}

const isIntegerAt = (bytes: Buffer, at: number): boolean => {
  const type = bytes[at] ?? 0xc0
  return type < 128 || (type >= 0xcc && type <= 0xce)
}
