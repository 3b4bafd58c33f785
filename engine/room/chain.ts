import type { RoomId, Seq } from '../../protocol/frames.ts'
import { CorruptRecord, decodeRecord, type LogRecord, recordChecksum } from '../../protocol/record.ts'
import type { EventLog, Position } from '../log/log.ts'

/** A room that cannot be read whole: it is frozen, and the message names the record and what is wrong with it. */
export class DamagedRoom extends Error {
  readonly room: RoomId
  constructor(room: RoomId, what: string, options?: ErrorOptions) {
    super(`room ${room}: ${what}`, options)
    this.name = 'DamagedRoom'
    this.room = room
  }
}

/** Where a reader stands in a room's log. */
export interface LogEnd {
  readonly position: Position
  /** Of the last record's bytes; 0 before the first. */
  readonly checksum: number
  readonly seq: Seq
}

export const LOG_START: LogEnd = { position: 0, checksum: 0, seq: 0 }

export interface ChainedRecord {
  readonly record: LogRecord
  readonly end: LogEnd
}

const PAGE = 256

/**
 * The records of a room after `from`, page by page, each checked against the one before: a record that is garbled,
 * missing, doubled or of another room throws DamagedRoom. While a page is worked through, the next one is read.
 */
export async function* readChain(
  log: Pick<EventLog, 'read'>,
  room: RoomId,
  from: LogEnd,
): AsyncGenerator<ChainedRecord[]> {
  let end = from
  let page = log.read(room, end.position, PAGE)
  for (;;) {
    const entries = await page
    const last = entries.length < PAGE ? undefined : entries.at(-1)
    if (last !== undefined) {
      page = log.read(room, last.position, PAGE)
      // Whoever gives up before that page does not learn that it failed.
      page.catch(() => {})
    }
    yield entries.map(({ position, record: bytes }) => {
      const record = openRecord(room, end, bytes)
      end = { position, checksum: recordChecksum(bytes), seq: end.seq + record.inputs.length }
      return { record, end }
    })
    if (last === undefined) return
  }
}

const openRecord = (room: RoomId, end: LogEnd, bytes: Uint8Array): LogRecord => {
  const where = `the record after event ${end.seq}`
  let record: LogRecord
  try {
    record = decodeRecord(bytes)
  } catch (error) {
    if (!(error instanceof CorruptRecord)) throw error
    throw new DamagedRoom(room, `${where} is damaged: ${error.message}`, { cause: error })
  }
  if (record.room !== room) throw new DamagedRoom(room, `${where} belongs to room ${record.room}`)
  if (record.first !== end.seq + 1)
    throw new DamagedRoom(room, `${where} begins with event ${record.first}: events are missing or doubled`)
  if (record.previous !== end.checksum)
    throw new DamagedRoom(room, `${where} does not follow the one before it: a record was replaced or is missing`)
  return record
}
