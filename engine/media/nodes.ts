import { Attendance } from '../../bus/attendance.ts'
import type { MediaBeat, MediaNodeId } from '../../bus/media-messages.ts'
import { Refusal } from '../../protocol/errors.ts'

interface Node {
  readonly beat: MediaBeat
  /** Rooms that it was given since its last beat: its load does not show them yet. */
  given: number
}

/** The media nodes that are there, as they say themselves; by the engine's own beats they are counted. */
export class MediaNodes {
  readonly #nodes = new Map<MediaNodeId, Node>()
  readonly #beats = new Map<MediaNodeId, number>()
  readonly #attendance = new Attendance<MediaNodeId>()

  heard(beat: MediaBeat): void {
    this.spokeOf(beat.node, beat.number)
    this.#attendance.heard(beat.node)
    this.#nodes.set(beat.node, { beat, given: 0 })
  }

  /** A beat of the engine's own leaves. */
  sent(): void {
    this.#attendance.sent()
  }

  /** It came back: nodes that are gone by it are forgotten. */
  returned(): void {
    for (const node of this.#attendance.returned()) {
      this.#nodes.delete(node)
      this.#beats.delete(node)
    }
  }

  get size(): number {
    return this.#nodes.size
  }

  /** What a node said last; null where it is gone. */
  stateOf(node: MediaNodeId): MediaBeat['state'] | null {
    return this.#nodes.get(node)?.beat.state ?? null
  }

  /** A node spoke of this beat of its own: who is new here may hear of it before the next one comes. */
  spokeOf(node: MediaNodeId, beat: number): void {
    this.#beats.set(node, beat)
  }

  /** The number of the beat that was heard of last; 0 where the node is gone. */
  beatOf(node: MediaNodeId): number {
    return this.#beats.get(node) ?? 0
  }

  /** The least loaded node that is ready, but none of `but`; with `isFull: false` none that is full. It takes a room, or part of one. Null where there is none. */
  take({ but = [], isFull = true }: { but?: readonly MediaNodeId[]; isFull?: boolean } = {}): MediaNodeId | null {
    const ready = [...this.#nodes.values()].filter(
      ({ beat }) => beat.state === 'ready' && !but.includes(beat.node) && (isFull || !beat.isFull),
    )
    const best = leastOf(ready)
    if (best === null) return null
    best.given += 1
    return best.beat.node
  }

  /** The first of these that is ready, and not full; null where none is. */
  notFull(nodes: readonly MediaNodeId[]): MediaNodeId | null {
    const isFree = (node: MediaNodeId) => this.stateOf(node) === 'ready' && this.#nodes.get(node)?.beat.isFull === false
    return nodes.find(isFree) ?? null
  }

  /** The least loaded of these; null where none is here. */
  least(nodes: readonly MediaNodeId[]): MediaNodeId | null {
    return leastOf(nodes.flatMap((node) => this.#nodes.get(node) ?? []))?.beat.node ?? null
  }

  /** Why no node takes a room. */
  refusal(): Refusal {
    const beats = Array.from(this.#nodes.values(), ({ beat }) => beat)
    const preparing = beats.find(({ state }) => state === 'preparing')
    if (preparing !== undefined)
      return new Refusal('unavailable', 'Video is being prepared: try again soon.', {
        preparing: true,
        progress: preparing.progress,
      })
    const problem = beats.find(({ state }) => state === 'failed')?.problem
    return new Refusal('unavailable', problem ?? 'No media node is here for video: try again later.')
  }
}

const leastOf = (nodes: readonly Node[]): Node | null =>
  nodes.reduce<Node | null>((least, node) => (least === null || isLess(node, least) ? node : least), null)

const isLess = (a: Node, b: Node): boolean =>
  a.beat.load < b.beat.load || (a.beat.load === b.beat.load && a.given < b.given)
