import { decode, encode, type Limits } from './codec.ts'
import { CorruptRecord, checksumOf, unwrap, wrap } from './envelope.ts'
import { messageOf } from './errors.ts'
import type { RoomId, Seq } from './frames.ts'
import { COUNT, ROOM, type Shape, TEXT } from './shapes.ts'

export { CorruptRecord, unwrap, wrap } from './envelope.ts'

/** What one append to a room's log holds. */
export interface LogRecord {
  room: RoomId
  /** `events`: inputs that were taken; `claim`: a new owner's mark; `base`: what stands in place of the room's past. */
  kind: 'events' | 'claim' | 'base'
  /** Its owner's. */
  epoch: number
  /** Unique per owner and append. */
  id: string
  /** The seq of its first event; for a claim or an empty record the seq that the next event would have. */
  first: Seq
  /** `recordChecksum` of the room's record before it, 0 for the first: a missing or replaced record breaks the chain. */
  previous: number
  /** Plain data, Uint8Arrays allowed. */
  inputs: readonly unknown[]
  /** The hash of the rules that the room runs on. */
  rules: string
}

const MAGIC = 'MR'
const FORMAT = 1
/** The owner ends a record at 256 KiB of inputs; a store may refuse more than this. */
export const RECORD_LIMITS: Limits = { bytes: 1_000_000, depth: 128 }

/** The stored bytes of a record. Pure. Throws TypeError where an input is not plain data, RangeError above RECORD_LIMITS. */
export function encodeRecord(record: LogRecord): Uint8Array {
  const { room, kind, epoch, id, first, previous, inputs, rules } = record
  const body = encode([room, kind, epoch, id, first, previous, inputs, rules], RECORD_LIMITS.depth)
  if (body.length > RECORD_LIMITS.bytes) {
    throw new RangeError(`a record of room ${room} has ${body.length} bytes, ${RECORD_LIMITS.bytes} are allowed`)
  }
  return wrap(MAGIC, body, FORMAT)
}

/** What a later record's `previous` says of these bytes. Pure; does not verify them. Throws CorruptRecord where they are too short. */
export function recordChecksum(bytes: Uint8Array): number {
  if (bytes.length < 7) throw new CorruptRecord(`a record has ${bytes.length} bytes, too short`)
  return checksumOf(bytes)
}

/**
 * The record that stored bytes hold, in its present shape whatever their format. Pure.
 * Throws CorruptRecord saying what is wrong, and of which room where `room` (in whose log it was found) is given.
 */
export function decodeRecord(bytes: Uint8Array, room?: RoomId): LogRecord {
  try {
    const { format, body } = unwrap(MAGIC, bytes)
    if (format > FORMAT) {
      throw new CorruptRecord(`format ${format}: it was written by a newer Madang; this one reads up to ${FORMAT}`)
    }
    let value = decode(body, RECORD_LIMITS)
    for (let from = format; from < FORMAT; from++) value = UPCASTS[from]?.(value)
    const record = parseBody(value)
    if (room !== undefined && record.room !== room) throw new CorruptRecord(`it belongs to room ${record.room}`)
    return record
  } catch (error) {
    const where = room === undefined ? 'a record' : `a record of room ${room}`
    throw new CorruptRecord(`${where}: ${messageOf(error)}`, { cause: error })
  }
}

/** From each earlier format's body to the next one's. */
const UPCASTS: Readonly<Record<number, (body: unknown) => unknown>> = {
  // Format 0 did not chain records.
  0: (body) => (Array.isArray(body) ? body.toSpliced(5, 0, 0) : body),
}

function parseBody(value: unknown): LogRecord {
  if (!Array.isArray(value)) throw new CorruptRecord('its body is not an array')
  const [room, kind, epoch, id, first, previous, inputs, rules]: readonly unknown[] = value
  return {
    room: take('room', ROOM, room),
    kind: take('kind', KIND, kind),
    epoch: take('epoch', COUNT, epoch),
    id: take('id', TEXT, id),
    first: take('first', COUNT, first),
    previous: take('previous', COUNT, previous),
    inputs: take('inputs', LIST, inputs),
    rules: take('rules', TEXT, rules),
  }
}

const LIST: Shape<unknown[]> = { is: (value): value is unknown[] => Array.isArray(value), text: 'an array' }
const KIND: Shape<LogRecord['kind']> = {
  is: (value): value is LogRecord['kind'] => value === 'events' || value === 'claim' || value === 'base',
  text: 'a kind',
}

function take<T>(element: string, shape: Shape<T>, value: unknown): T {
  if (shape.is(value)) return value
  throw new CorruptRecord(`its ${element} is not ${shape.text}`)
}
