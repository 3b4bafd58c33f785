import type { Attach, Command, Detach, Read } from '../../bus/messages.ts'
import type { Clock } from '../../protocol/clock.ts'

/** How long an old copy of a request may still arrive. */
const REMEMBERED_MS = 30_000

interface Lane {
  id: number
  /** Whether the request is still being worked on. */
  open: boolean
  at: number
  /** By place in the request: the ERR of what was refused for good, which a copy of the request must not do after all. */
  refused: Map<number, Uint8Array>
}

/**
 * The newest request of each (gateway, connection, room): a gateway has one in flight, and sends it again with the same id
 * until it is answered. An older copy that arrives late must not act again.
 */
export class Lanes {
  readonly #clock: Clock
  readonly #lanes = new Map<string, Lane>()
  #sweep: () => void

  constructor(clock: Clock) {
    this.#clock = clock
    this.#sweep = clock.after(REMEMBERED_MS, () => this.#forgetOld())
  }

  /** Whether to work on this request: false for one that is older than the newest, or is being worked on. */
  enter(request: Command | Attach | Detach | Read, conn: number | null): boolean {
    const key = laneOf(request, conn)
    const lane = this.#lanes.get(key)
    if (lane !== undefined && (request.id < lane.id || (request.id === lane.id && lane.open))) return false
    this.#lanes.delete(key)
    const refused: Lane['refused'] = lane?.id === request.id ? lane.refused : new Map()
    this.#lanes.set(key, { id: request.id, open: request.kind === 'command', at: this.#clock.now(), refused })
    return true
  }

  /** Whether nothing newer came for this connection and room: after a Detach, an earlier request must not attach. */
  isNewest(request: Command | Attach | Read, conn: number | null): boolean {
    return this.#lanes.get(laneOf(request, conn))?.id === request.id
  }

  /** What was refused of this request, to be added to; nothing where a newer one came. */
  refused(request: Command): Lane['refused'] {
    const lane = this.#lanes.get(laneOf(request, request.conn))
    return lane?.id === request.id ? lane.refused : new Map()
  }

  leave(request: Command): void {
    const lane = this.#lanes.get(laneOf(request, request.conn))
    if (lane !== undefined && lane.id === request.id) lane.open = false
  }

  close(): void {
    this.#sweep()
  }

  #forgetOld(): void {
    const old = this.#clock.now() - REMEMBERED_MS
    for (const [key, lane] of this.#lanes) {
      if (lane.at > old) break
      if (!lane.open) this.#lanes.delete(key)
    }
    this.#sweep = this.#clock.after(REMEMBERED_MS, () => this.#forgetOld())
  }
}

/** A request over HTTP is a lane by itself. */
const laneOf = ({ gateway, id, room }: Command | Attach | Detach | Read, conn: number | null): string =>
  conn === null ? `${gateway} http ${id}` : `${gateway} ${conn} ${room}`
