import type { Clock } from '../../protocol/clock.ts'
import { messageOf } from '../../protocol/errors.ts'
import type { RoomId } from '../../protocol/frames.ts'
import { decodeRecord, encodeRecord, recordChecksum } from '../../protocol/record.ts'
import { NotStored, type Position, type Storage } from '../log/log.ts'
import type { LoadedGame } from '../rules/game.ts'
import type { LogEnd } from './chain.ts'
import type { RoomInput } from './input.ts'
import { type Keys, sealInput } from './sealing.ts'

/** How long until the log is asked again for the fate of a record. */
const ASK_AGAIN_MS = 1_000

/** A report for the log: never with a payload, a token or a name. */
export type Report = (level: 'error' | 'warn' | 'info', message: string, fields: Record<string, unknown>) => void

export interface WriterPorts {
  readonly clock: Clock
  readonly storage: Pick<Storage, 'append' | 'last'>
  readonly keys: Keys
  readonly epoch: number
  readonly report: Report
  /** Unique per owner and append. */
  recordId(): string
}

interface SealedRecord {
  readonly id: string
  readonly bytes: Uint8Array
  readonly events: number
}

/** The record that goes after `end`. Throws TypeError where an input is not plain data, RangeError where they are too large for one record. */
export const sealRecord = (
  room: RoomId,
  end: LogEnd,
  { hash, runner }: LoadedGame,
  kind: 'events' | 'claim',
  inputs: readonly RoomInput[],
  { epoch, keys, recordId }: Pick<WriterPorts, 'epoch' | 'keys' | 'recordId'>,
): SealedRecord => {
  const id = recordId()
  const sealed = inputs.map((input) => sealInput(input, room, runner, keys))
  const head = { room, kind, epoch, id, first: end.seq + 1, previous: end.checksum }
  return { id, bytes: encodeRecord({ ...head, inputs: sealed, rules: hash }), events: inputs.length }
}

/** Where the log ends once the record is stored at `position`. Pure. */
export const endAfter = (end: LogEnd, { bytes, events }: SealedRecord, position: Position): LogEnd => ({
  position,
  checksum: recordChecksum(bytes),
  seq: end.seq + events,
})

/** What became of an append: stored; surely not stored; or the log holds something that this owner did not write. */
export type Fate = 'stored' | 'refused' | 'lost'

/** The one who appends to one room's log, record after record, each fenced by the one before. One append at a time. */
export class RoomWriter {
  readonly #room: RoomId
  readonly #game: LoadedGame
  readonly #ports: WriterPorts
  #end: LogEnd
  #closed = false

  constructor(room: RoomId, end: LogEnd, game: LoadedGame, ports: WriterPorts) {
    this.#room = room
    this.#end = end
    this.#game = game
    this.#ports = ports
  }

  /** Where the log ends, as far as this owner has written and read it. */
  get end(): LogEnd {
    return this.#end
  }

  /** The record of these events. Throws as `sealRecord`. */
  seal(inputs: readonly RoomInput[]): SealedRecord {
    return sealRecord(this.#room, this.#end, this.#game, 'events', inputs, this.#ports)
  }

  async append(record: SealedRecord): Promise<Fate> {
    try {
      return this.#stored(record, await this.#ports.storage.append(this.#room, this.#end.position, record.bytes))
    } catch (error) {
      this.#report('error', 'a record was not stored', error)
      if (error instanceof NotStored) return 'refused'
      const position = await this.#learnFate(record.id)
      return position === 'lost' ? 'lost' : this.#stored(record, position)
    }
  }

  #stored(record: SealedRecord, position: Position): 'stored' {
    this.#end = endAfter(this.#end, record, position)
    return 'stored'
  }

  /** Stops asking for the fate of a record: nobody waits for it any more. */
  close(): void {
    this.#closed = true
  }

  /** Neither a fence nor a timeout says that the record is not there: the room's last record does. */
  async #learnFate(id: string): Promise<Position | 'lost'> {
    while (!this.#closed) {
      try {
        const last = await this.#ports.storage.last(this.#room)
        return last !== null && decodeRecord(last.record).id === id ? last.position : 'lost'
      } catch (error) {
        this.#report('warn', 'asking the log for the fate of a record', error)
        await new Promise<void>((resolve) => this.#ports.clock.after(ASK_AGAIN_MS, resolve))
      }
    }
    return 'lost'
  }

  #report(level: 'error' | 'warn', what: string, error: unknown): void {
    const why = messageOf(error)
    this.#ports.report(level, `${what}: ${why}`, { room: this.#room, seq: this.#end.seq })
  }
}
