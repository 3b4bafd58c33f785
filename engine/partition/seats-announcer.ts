import type { Bus } from '../../bus/bus.ts'
import type { EngineId, SeatsOfRoom } from '../../bus/messages.ts'
import { SEATS_SUBJECT } from '../../bus/subjects.ts'
import type { Clock } from '../../protocol/clock.ts'
import type { RoomId } from '../../protocol/frames.ts'
import { encodedSize } from '../../protocol/size.ts'
import { digest } from '../room/digest.ts'
import type { LiveRoom } from '../room/live.ts'
import { seatsOf } from './seats.ts'

const EVERY_MS = 1_000
/** Changes that come within this time are said together. */
const GATHER_MS = 50
/** Of one message: with the largest options a frame may hold, hundreds of rooms would be too much for a bus. */
const ROOMS_MOST = 256
const BYTES_MOST = 256 * 1024

interface AnnouncerPorts {
  readonly engine: EngineId
  readonly bus: Bus
  readonly clock: Clock
  /** The public rooms in memory. */
  readonly rooms: () => Iterable<LiveRoom>
  /** There is nobody to tell. */
  readonly isAlone: () => boolean
}

/** Says to the other engines which rooms here have a free seat: once a second, and soon after it changes. */
export class SeatsAnnouncer {
  readonly #ports: AnnouncerPorts
  /** As of the last message, also those for which there was no place in it. */
  #said = new Map<RoomId, SeatsOfRoom>()
  #isGathering = false
  #cancel: () => void

  constructor(ports: AnnouncerPorts) {
    this.#ports = ports
    this.#cancel = ports.clock.after(EVERY_MS, () => this.#say())
  }

  /** A room may have changed, or came into memory. */
  changed(room: LiveRoom): void {
    const { clock, isAlone } = this.#ports
    if (this.#isGathering) return
    const seats = seatsOf(room, clock.now())
    const said = this.#said.get(room.room)
    if ((seats?.free === said?.free && seats?.players === said?.players) || isAlone()) return
    this.#isGathering = true
    this.#sayIn(GATHER_MS)
  }

  close(): void {
    this.#cancel()
  }

  #sayIn(ms: number): void {
    this.#cancel()
    this.#cancel = this.#ports.clock.after(ms, () => this.#say())
  }

  #say(): void {
    const { engine, bus, clock, rooms, isAlone } = this.#ports
    this.#isGathering = false
    this.#sayIn(EVERY_MS)
    if (isAlone()) return
    const all: SeatsOfRoom[] = []
    for (const room of rooms()) {
      const seats = seatsOf(room, clock.now())
      if (seats !== null) all.push(seats)
    }
    this.#said = new Map(all.map((seats) => [seats.room, seats]))
    bus.publish(SEATS_SUBJECT, { kind: 'seats', engine, rooms: most(all) })
  }
}

/** As many as a message holds: of each kind of room the fullest first. Pure. */
const most = (all: SeatsOfRoom[]): SeatsOfRoom[] => {
  const rows = all.length <= ROOMS_MOST ? all : byTurns(all).slice(0, ROOMS_MOST)
  let bytes = 0
  return rows.filter((seats) => {
    const size = encodedSize(seats)
    if (bytes + size > BYTES_MOST) return false
    bytes += size
    return true
  })
}

/** One of each game and options in turn, the fullest first: a game with many rooms leaves place for the others. */
const byTurns = (all: readonly SeatsOfRoom[]): SeatsOfRoom[] => {
  const kinds = new Map<string, number>()
  return all
    .toSorted((a, b) => b.players - a.players)
    .map((seats) => {
      const kind = `${seats.game} ${digest(seats.options)}`
      const turn = kinds.get(kind) ?? 0
      kinds.set(kind, turn + 1)
      return { seats, turn }
    })
    .sort((a, b) => a.turn - b.turn)
    .map(({ seats }) => seats)
}
