import { apply } from '../../protocol/apply.ts'
import { decode, encode, SERVER_LIMITS } from '../../protocol/codec.ts'
import { OP } from '../../protocol/frames.ts'
import { sleep } from './figures.ts'
import { many, Player } from './player.ts'
import { masked } from './wire.ts'

/** Ms between two beats of a room, which differ from room to room. */
export interface Rhythm {
  least: number
  most: number
}

const AT_ONCE = 32
/** As the SDK, roughly: an `unavailable` is sent again. */
const AGAIN_MS = 100

/** One beat: when it was due by the last document, and when its PATCH came. Both ms since the epoch. */
export interface Beat {
  due: number
  came: number
}

/** A room of `pulse`, through the eyes of its only player. */
export class PulseRoom {
  readonly id: string
  readonly beats: Beat[] = []
  readonly #player: Player
  #document: unknown = null
  #due = 0
  #poked: { ref: number; frame: Buffer; answered: (at: number) => void } | null = null
  #ref = 1_000

  private constructor(id: string, player: Player) {
    this.id = id
    this.#player = player
  }

  /** Creates it, and sits down there. */
  static async open(port: number, nth: number, { least, most }: Rhythm): Promise<PulseRoom> {
    const player = await Player.enter(port, nth)
    const ms = Math.round(least + Math.random() * (most - least))
    const room = new PulseRoom(await player.create('pulse', { ms }), player)
    player.wire.onMessage = (bytes, at, end) => room.#hear(Buffer.from(bytes.subarray(at, end)))
    await player.join(room.id)
    return room
  }

  /** When the next beat is due, ms since the epoch. */
  get due(): number {
    return this.#due
  }

  /** Sends a move, again where the room is not available; resolves with when its OK came. */
  poke(): Promise<number> {
    this.#ref += 1
    const ref = this.#ref
    const frame = masked(encode([OP.move, ref, this.id, 'poke', {}]))
    return new Promise((answered) => {
      this.#poked = { ref, frame, answered }
      this.#player.wire.write(frame)
    })
  }

  #hear(bytes: Buffer): void {
    const frame = decode(bytes, SERVER_LIMITS)
    if (!Array.isArray(frame)) return
    const [op] = frame
    if (op === OP.state) this.#show(frame[3])
    else if (op === OP.patch) this.#show(apply(this.#document, frame[4]))
    else if ((op === OP.ok || op === OP.err) && frame[1] === this.#poked?.ref) void this.#answer(op === OP.ok)
  }

  #show(document: unknown): void {
    this.#document = document
    const due = dueIn(document)
    if (due === null || due === this.#due) return
    if (this.#due > 0) this.beats.push({ due: this.#due, came: Date.now() })
    this.#due = due
  }

  async #answer(isOk: boolean): Promise<void> {
    const poked = this.#poked
    if (poked === null) return
    if (isOk) {
      this.#poked = null
      poked.answered(Date.now())
      return
    }
    await sleep(AGAIN_MS)
    this.#player.wire.write(poked.frame)
  }

  close(): void {
    this.#player.wire.cut()
  }
}

const dueIn = (document: unknown): number | null => {
  if (typeof document !== 'object' || document === null || !('game' in document)) return null
  const { game } = document
  return typeof game === 'object' && game !== null && 'due' in game && typeof game.due === 'number' ? game.due : null
}

export const openPulses = (port: number, rooms: number, rhythm: Rhythm): Promise<PulseRoom[]> =>
  many(rooms, AT_ONCE, (nth) => PulseRoom.open(port, nth, rhythm))
