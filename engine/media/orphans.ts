import type { MediaNodeId, MediaOrphan } from '../../bus/media-messages.ts'
import type { Clock } from '../../protocol/clock.ts'
import type { PlayerId, RoomId } from '../../protocol/frames.ts'

/** What a node said last counts for at least so long, and for twice that at most: it says it every second. */
const KEPT_MS = 1_500

/** A room is looked for while it has been aged less often than this since it was asked for, and is not looked for again until it was aged so often. */
const SOUGHT_AGES = 2
const DONE_AGES = 8

type Found = Map<MediaNodeId, readonly PlayerId[]>

/** Rooms that media nodes have and whose owners were silent lately: one of them may be this engine's by now. */
export class Orphans {
  readonly #clock: Clock
  #newer = new Map<RoomId, Found>()
  #older = new Map<RoomId, Found>()
  readonly #sought = new Map<RoomId, number>()
  #cancel: (() => void) | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  heard({ room, node, players }: MediaOrphan): void {
    const found: Found = this.#newer.get(room) ?? new Map()
    this.#newer.set(room, found.set(node, players))
    this.#cancel ??= this.#clock.after(KEPT_MS, () => this.#age())
  }

  /** Whether a node may still say that it has this room, of which somebody is on video by its own account: for 1.5 to 3 s after the first question. */
  mayBeFound(room: RoomId): boolean {
    if (this.#older.has(room) || this.#newer.has(room)) return false
    const ages = this.#sought.get(room) ?? 0
    this.#sought.set(room, ages)
    this.#cancel ??= this.#clock.after(KEPT_MS, () => this.#age())
    return ages < SOUGHT_AGES
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
    for (const [room, ages] of this.#sought)
      if (ages + 1 < DONE_AGES) this.#sought.set(room, ages + 1)
      else this.#sought.delete(room)
    this.#cancel = this.#older.size + this.#sought.size > 0 ? this.#clock.after(KEPT_MS, () => this.#age()) : null
  }
}
