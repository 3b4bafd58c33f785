import { textAt } from './decode.ts'
import { MalformedFrame } from './errors.ts'
import { NAME, OP, type Ref, ROOM_ID, type RoomId } from './frames.ts'
import { byteAt, uint16At, uint32At } from './scan.ts'

/** What a gateway needs to know of a client's frame to pass it on. */
export interface Head {
  op: number
  /** Null where the op has none, or it is not a ref. */
  ref: Ref | null
  /** Null where the op has none, or it is not a room id. */
  room: RoomId | null
  /** The game of CREATE and MATCH. */
  game: string | null
  /** Whether it is a CALL whose method begins with `media.`. */
  isMedia: boolean
  /** Why the head gets ERR `bad_frame`, or null. */
  bad: string | null
}

const WITH_REF: ReadonlySet<number> = new Set([OP.create, OP.join, OP.leave, OP.move, OP.call, OP.match])
const WITH_ROOM: ReadonlySet<number> = new Set([OP.join, OP.leave, OP.move, OP.cast, OP.call, OP.input])
const WITH_GAME: ReadonlySet<number> = new Set([OP.create, OP.match])
/** `media.` */
const MEDIA = [0x6d, 0x65, 0x64, 0x69, 0x61, 0x2e]
const scratch = new DataView(new ArrayBuffer(8))

/**
 * The head of a client's frame that `scan` has accepted, without decoding what follows it. Pure.
 * Throws MalformedFrame where the value is not an array that begins with an integer.
 */
export function readHead(bytes: Uint8Array): Head {
  const cursor = { bytes, at: 0 }
  const count = readCount(cursor)
  const op = count > 0 ? readInteger(cursor) : null
  if (op === null) throw new MalformedFrame('not an array that begins with an integer')
  const head: Head = { op, ref: null, room: null, game: null, isMedia: false, bad: null }
  const known = op >= OP.hello && op <= OP.input
  const refs = WITH_REF.has(op)
  if (refs || !known) {
    const ref = count > 1 ? readInteger(cursor) : null
    if (ref !== null && ref > 0) head.ref = ref
  }
  if (!known) head.bad = `${op} is not the op of a client's frame`
  else if (refs && head.ref === null) head.bad = 'ref: a positive integer was expected'
  const index = refs ? 2 : 1
  if (head.bad !== null) return head
  const text = WITH_ROOM.has(op) || WITH_GAME.has(op) ? (count > index ? readText(cursor) : null) : null
  if (WITH_ROOM.has(op)) {
    if (text !== null && ROOM_ID.test(text)) head.room = text
    else head.bad = 'room: 1 to 64 of A-Z a-z 0-9 _ - were expected'
    if (op === OP.call && count > index + 1) head.isMedia = beginsWith(cursor, MEDIA)
  } else if (WITH_GAME.has(op)) {
    if (text !== null && NAME.test(text)) head.game = text
    else head.bad = 'game: 1 to 64 characters were expected'
  }
  return head
}

interface Cursor {
  readonly bytes: Uint8Array
  at: number
}

/** How many values the array at the cursor holds; -1 where no array is there. */
function readCount(cursor: Cursor): number {
  const { bytes } = cursor
  const type = byteAt(bytes, cursor.at)
  if (type >= 0x90 && type < 0xa0) {
    cursor.at += 1
    return type & 0x0f
  }
  if (type === 0xdc) {
    cursor.at += 3
    return uint16At(bytes, 1)
  }
  if (type !== 0xdd) return -1
  cursor.at += 5
  return uint32At(bytes, 1)
}

/** The integer at the cursor, of any width, also one written as a float; null (and the cursor anywhere) where none is there. */
function readInteger(cursor: Cursor): number | null {
  const { bytes } = cursor
  const at = cursor.at + 1
  const type = byteAt(bytes, cursor.at)
  cursor.at = at
  if (type < 0x80) return type
  if (type >= 0xe0) return type - 0x100
  if (type < 0xca || type > 0xd3) return null
  const width = type <= 0xcb ? 4 << (type - 0xca) : 1 << ((type - 0xcc) & 3)
  cursor.at = at + width
  if (width === 1) return type === 0xcc ? byteAt(bytes, at) : (byteAt(bytes, at) << 24) >> 24
  if (type === 0xcd) return uint16At(bytes, at)
  if (type === 0xd1) return (uint16At(bytes, at) << 16) >> 16
  if (type === 0xce) return uint32At(bytes, at)
  if (type === 0xd2) return uint32At(bytes, at) | 0
  if (type === 0xcf) return uint32At(bytes, at) * 2 ** 32 + uint32At(bytes, at + 4)
  if (type === 0xd3) return (uint32At(bytes, at) | 0) * 2 ** 32 + uint32At(bytes, at + 4)
  for (let i = 0; i < width; i++) scratch.setUint8(i, byteAt(bytes, at + i))
  const value = width === 4 ? scratch.getFloat32(0) : scratch.getFloat64(0)
  return Number.isSafeInteger(value) ? value : null
}

/** The string at the cursor, which then is behind it; null where none is there, or one of more than 256 bytes. */
function readText(cursor: Cursor): string | null {
  const length = readLength(cursor)
  const from = cursor.at
  cursor.at = from + length
  return length < 0 || length > 256 ? null : textAt(cursor.bytes, from, cursor.at)
}

/** Whether the string at the cursor begins with these bytes. */
function beginsWith(cursor: Cursor, start: readonly number[]): boolean {
  if (readLength(cursor) < start.length) return false
  return start.every((byte, i) => byteAt(cursor.bytes, cursor.at + i) === byte)
}

/** How many bytes the string at the cursor has, which then is at the first of them; -1 where no string is there. */
function readLength(cursor: Cursor): number {
  const { bytes } = cursor
  const at = cursor.at + 1
  const type = byteAt(bytes, cursor.at)
  cursor.at = at
  if (type >= 0xa0 && type < 0xc0) return type & 0x1f
  if (type < 0xd9 || type > 0xdb) return -1
  const width = 1 << (type - 0xd9)
  cursor.at = at + width
  if (width === 1) return byteAt(bytes, at)
  return width === 2 ? uint16At(bytes, at) : uint32At(bytes, at)
}
