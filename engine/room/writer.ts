import type { Clock } from '../../protocol/clock.ts'
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

  /** The record of these events. Throws TypeError where one is not plain data, RangeError where they are too large for one record. */
  seal(inputs: readonly RoomInput[]): SealedRecord {
    const id = this.#ports.recordId()
    const bytes = encodeRecord({
      room: this.#room,
      kind: 'events',
      epoch: this.#ports.epoch,
      id,
      first: this.#end.seq + 1,
      previous: this.#end.checksum,
      inputs: inputs.map((input) => sealInput(input, this.#room, this.#game.runner, this.#ports.keys)),
      rules: this.#game.hash,
    })
    return { id, bytes, events: inputs.length }
  }

  async append({ id, bytes, events }: SealedRecord): Promise<Fate> {
    const position = await this.#store(id, bytes)
    if (typeof position !== 'number') return position
    this.#end = { position, checksum: recordChecksum(bytes), seq: this.#end.seq + events }
    return 'stored'
  }

  /** Stops asking for the fate of a record: nobody waits for it any more. */
  close(): void {
    this.#closed = true
  }

  async #store(id: string, record: Uint8Array): Promise<Position | 'refused' | 'lost'> {
    try {
      return await this.#ports.storage.append(this.#room, this.#end.position, record)
    } catch (error) {
      this.#report('error', 'a record was not stored', error)
      return error instanceof NotStored ? 'refused' : await this.#learnFate(id)
    }
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
    const why = error instanceof Error ? error.message : String(error)
    this.#ports.report(level, `${what}: ${why}`, { room: this.#room, seq: this.#end.seq })
  }
}
