import type { BetweenMediaNodes, MediaNodeId } from '../bus/media-messages.ts'
import type { Clock } from '../protocol/clock.ts'
import type { PlayerId } from '../protocol/frames.ts'
import { Neighbour, type Said } from './neighbour.ts'
import type { Stage } from './stage.ts'

/** A new owner may not have heard of all of a room's nodes at first: for so long those that it does not name are kept. */
const KEPT_MS = 3_000

export interface NeighboursOptions {
  /** This node. */
  node: MediaNodeId
  room: string
  clock: Clock
  stage: Stage
  say: (node: MediaNodeId, message: BetweenMediaNodes) => void
}

/** The other nodes that have part of one room, as its lease names them. */
export class Neighbours {
  readonly #options: NeighboursOptions
  readonly #others = new Map<MediaNodeId, Neighbour>()
  /** The number of the last message that was heard of each: kept, for who goes may come back. */
  readonly #heard = new Map<MediaNodeId, number>()
  #number = 0
  #keptMs = 0
  #levels: Readonly<Record<PlayerId, number>> = {}

  constructor(options: NeighboursOptions) {
    this.#options = options
  }

  /** The nodes of the room are these. */
  be(nodes: readonly MediaNodeId[]): void {
    const { node, clock, stage } = this.#options
    if (this.#keptMs <= 0) for (const other of this.#others.values()) if (!nodes.includes(other.id)) this.#forget(other)
    for (const id of nodes) {
      if (id === node || this.#others.has(id)) continue
      const say = (said: Said) => this.#say(id, said)
      this.#others.set(id, new Neighbour({ id, opens: node < id, clock, stage, say }))
    }
  }

  /** The room has a new owner. */
  keep(): void {
    this.#keptMs = KEPT_MS
  }

  hear(message: BetweenMediaNodes): void {
    const other = this.#others.get(message.node)
    if (other === undefined || message.number <= (this.#heard.get(message.node) ?? 0)) return
    this.#heard.set(message.node, message.number)
    if (message.kind === 'media-part') other.hear(message)
    else this.#options.stage.speaking.hearFrom(message.node, new Map(Object.entries(message.levels)))
  }

  /** What is published or received here has changed. */
  settle(): void {
    for (const other of this.#others.values()) other.settle()
  }

  /** This is how loud those speak who publish here. */
  tellLevels(levels: ReadonlyMap<PlayerId, number>): void {
    const told = this.#levels
    this.#levels = Object.fromEntries(levels)
    if (this.#others.size === 0 || JSON.stringify(this.#levels) === JSON.stringify(told)) return
    for (const id of this.#others.keys()) this.#say(id, { kind: 'media-levels', levels: this.#levels })
  }

  /** Says all again; `ms` have passed since the last time. */
  repeat(ms: number): void {
    this.#keptMs -= ms
    for (const [id, other] of this.#others) {
      other.repeat()
      this.#say(id, { kind: 'media-levels', levels: this.#levels })
    }
  }

  close(): void {
    for (const other of this.#others.values()) this.#forget(other)
  }

  #forget(other: Neighbour): void {
    this.#others.delete(other.id)
    other.close()
    this.#options.stage.speaking.hearFrom(other.id, new Map())
  }

  #say(to: MediaNodeId, said: Said): void {
    const { node, room, say } = this.#options
    this.#number++
    say(to, { node, room, number: this.#number, ...said })
  }
}
