import type { Attach, Command, Detach, Read } from '../../bus/messages.ts'
import type { Clock } from '../../protocol/clock.ts'

/** How long an old copy of a request may still arrive. */
const REMEMBERED_MS = 30_000

/** One request: the newest of its connection and room, until a newer one comes. */
export interface Lane {
  readonly id: number
  /** Whether the request is still being worked on. */
  isOpen: boolean
  /** By place in the request: what copies are answered with, which must not act: the ERR of what was refused for good, the OK of a JOIN over HTTP. */
  kept: Map<number, Uint8Array> | null
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

  /** The lane of a request that is to be worked on; null for one that is older than the newest, or is being worked on. */
  enter(request: Command | Attach | Detach | Read, conn: number | null): Lane | null {
    const key = laneOf(request, conn)
    const before = this.#get(key)
    if (before !== undefined && (request.id < before.id || (request.id === before.id && before.isOpen))) return null
    this.#older.delete(key)
    const kept = before?.id === request.id ? before.kept : null
    const lane = { id: request.id, isOpen: request.kind === 'command', kept }
    this.#lanes.set(key, lane)
    return lane
  }

  /** Whether nothing newer came for this connection and room: after a Detach, an earlier request must not attach. */
  isNewest(request: Command | Attach | Read, conn: number | null): boolean {
    return this.#get(laneOf(request, conn))?.id === request.id
  }

  close(): void {
    this.#sweep()
  }

  #get(key: string): Lane | undefined {
    return this.#lanes.get(key) ?? this.#older.get(key)
  }

  #forgetOld(): void {
    for (const [key, lane] of this.#older) if (lane.isOpen) this.#lanes.set(key, lane)
    this.#older = this.#lanes
    this.#lanes = new Map()
    this.#sweep = this.#clock.after(REMEMBERED_MS, () => this.#forgetOld())
  }
}

/** A request over HTTP is a lane by itself. */
const laneOf = ({ gateway, id, room }: Command | Attach | Detach | Read, conn: number | null): string =>
  conn === null ? `${gateway} http ${id}` : `${gateway} ${conn} ${room}`
