import type { Attach, Command, Detach, Read } from '../../bus/messages.ts'
import type { Clock } from '../../protocol/clock.ts'

/** How long an old copy of a request may still arrive. */
const REMEMBERED_MS = 30_000

interface Lane {
  id: number
  /** Whether the request is still being worked on. */
  open: boolean
  /** By place in the request: the ERR of what was refused for good, which a copy of the request must not do after all. */
  refused: Map<number, Uint8Array> | null
}

/**
 * The newest request of each (gateway, connection, room): a gateway has one in flight, and sends it again with the same id
 * until it is answered. An older copy that arrives late must not act again.
 */
export class Lanes {
  readonly #clock: Clock
  /** Those that were entered since the last sweep, and those of the time between the two before. */
  #lanes = new Map<string, Lane>()
  #older = new Map<string, Lane>()
  #sweep: () => void

  constructor(clock: Clock) {
    this.#clock = clock
    this.#sweep = clock.after(REMEMBERED_MS, () => this.#forgetOld())
  }

  /** Whether to work on this request: false for one that is older than the newest, or is being worked on. */
  enter(request: Command | Attach | Detach | Read, conn: number | null): boolean {
    const key = laneOf(request, conn)
    const lane = this.#get(key)
    if (lane !== undefined && (request.id < lane.id || (request.id === lane.id && lane.open))) return false
    this.#older.delete(key)
    const refused = lane?.id === request.id ? lane.refused : null
    this.#lanes.set(key, { id: request.id, open: request.kind === 'command', refused })
    return true
  }

  /** Whether nothing newer came for this connection and room: after a Detach, an earlier request must not attach. */
  isNewest(request: Command | Attach | Read, conn: number | null): boolean {
    return this.#get(laneOf(request, conn))?.id === request.id
  }

  /** With what the frame at this place of the request was refused for good, if it was, and no newer request came. */
  refusal(request: Command, place: number): Uint8Array | undefined {
    return this.#of(request)?.refused?.get(place)
  }

  refuse(request: Command, place: number, error: Uint8Array): void {
    const lane = this.#of(request)
    if (lane === null) return
    lane.refused ??= new Map()
    lane.refused.set(place, error)
  }

  leave(request: Command): void {
    const lane = this.#of(request)
    if (lane !== null) lane.open = false
  }

  close(): void {
    this.#sweep()
  }

  #get(key: string): Lane | undefined {
    return this.#lanes.get(key) ?? this.#older.get(key)
  }

  /** The lane of this request; null where a newer one came. */
  #of(request: Command): Lane | null {
    const lane = this.#get(laneOf(request, request.conn))
    return lane?.id === request.id ? lane : null
  }

  #forgetOld(): void {
    for (const [key, lane] of this.#older) if (lane.open) this.#lanes.set(key, lane)
    this.#older = this.#lanes
    this.#lanes = new Map()
    this.#sweep = this.#clock.after(REMEMBERED_MS, () => this.#forgetOld())
  }
}

/** A request over HTTP is a lane by itself. */
const laneOf = ({ gateway, id, room }: Command | Attach | Detach | Read, conn: number | null): string =>
  conn === null ? `${gateway} http ${id}` : `${gateway} ${conn} ${room}`
