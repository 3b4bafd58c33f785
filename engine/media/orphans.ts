import type { MediaNodeId, MediaOrphan } from '../../bus/messages.ts'
import type { Clock } from '../../protocol/clock.ts'
import type { PlayerId, RoomId } from '../../protocol/frames.ts'

/** What a node said last counts for at least so long, and for twice that at most: it says it every second. */
const KEPT_MS = 1_500

type Found = Map<MediaNodeId, readonly PlayerId[]>

/** Rooms that media nodes have and whose owners were silent lately: one of them may be this engine's by now. */
export class Orphans {
  readonly #clock: Clock
  #newer = new Map<RoomId, Found>()
  #older = new Map<RoomId, Found>()
  #cancel: (() => void) | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  heard({ room, node, players }: MediaOrphan): void {
    const found: Found = this.#newer.get(room) ?? new Map()
    this.#newer.set(room, found.set(node, players))
    this.#cancel ??= this.#clock.after(KEPT_MS, () => this.#age())
  }

  /** The nodes that have this room, and who is there; it is no orphan any more. */
  take(room: RoomId): ReadonlyMap<MediaNodeId, readonly PlayerId[]> {
    const found = new Map([...(this.#older.get(room) ?? []), ...(this.#newer.get(room) ?? [])])
    this.#older.delete(room)
    this.#newer.delete(room)
    return found
  }

  close(): void {
    this.#cancel?.()
  }

  #age(): void {
    this.#older = this.#newer
    this.#newer = new Map()
    this.#cancel = this.#older.size > 0 ? this.#clock.after(KEPT_MS, () => this.#age()) : null
  }
}
