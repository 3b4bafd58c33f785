import type { MediaAck, MediaLease, MediaNodeId, MediaPolicy } from '../../bus/media-messages.ts'
import type { Clock } from '../../protocol/clock.ts'
import { messageOf } from '../../protocol/errors.ts'
import type { PlayerId, RoomId } from '../../protocol/frames.ts'
import type { LiveRoom } from '../room/live.ts'
import type { RoomState } from '../room/state.ts'
import type { Report } from '../room/writer.ts'
import { hashOf, mayDiffer, nothingOf, policyOf } from './matrix.ts'
import type { MediaNodes } from './nodes.ts'

const REPEAT_MS = 1_000
/** Leases without an acknowledgement after which a node loses the room. */
const UNACKED_MOST = 2
/** Leases after which it ends where nobody uses video. */
const UNUSED_MOST = 30

export interface LeasePorts {
  readonly clock: Clock
  readonly nodes: MediaNodes
  readonly report: Report
  /** The room, where it is in memory. */
  room(id: RoomId): LiveRoom | undefined
  /** Whether no other engine can have taken over: else nothing is sent. */
  isSure(): boolean
  send(node: MediaNodeId, lease: Pick<MediaLease, 'room' | 'seq' | 'hash' | 'policy' | 'nodes'>): void
  /**
   * This node does not have the room any more: calls there end. `members` join again: these players, or null for all; where the
   * room is at no other node, nobody can yet.
   */
  left(room: RoomId, node: MediaNodeId): void
  rejoin(room: RoomId, members: ReadonlySet<PlayerId> | null): void
  /** Nobody used video for 30 s. */
  ended(room: RoomId): void
}

/** What one node has of the room. */
interface Part {
  /** What it enforces, as far as it said. */
  acked: string | null
  unacked: number
  /** Leases since it last said that somebody is there. */
  unused: number
  wasWhole: boolean
}

/**
 * Where one room's video is, and the policy that its nodes were told: said again every second, to each whole until it has
 * acknowledged it. While the room is not in memory nothing is said, and after 5 s its nodes forward nothing. A room is at one node,
 * its home, until that is full: who comes then goes to another one.
 */
export class Lease {
  readonly room: RoomId
  readonly #ports: LeasePorts
  /** The first is its home. */
  readonly #parts = new Map<MediaNodeId, Part>()
  /** Who joined where. */
  readonly #places = new Map<PlayerId, MediaNodeId>()
  /** What the policy was made of. */
  #state: RoomState
  #policy: MediaPolicy
  #hash: string
  #unused = 0
  #cancel: () => void = () => {}

  /** At the nodes that have the room already, else at one that takes it. Throws Refusal where none does. */
  constructor(room: LiveRoom, ports: LeasePorts, found: ReadonlyMap<MediaNodeId, readonly PlayerId[]>) {
    this.room = room.room
    this.#ports = ports
    this.#state = room.state
    this.#policy = this.#made(room)
    this.#hash = hashOf(this.#policy)
    for (const [node, players] of found) this.#adopt(node, players)
    const node = this.#parts.size > 0 ? null : ports.nodes.take()
    if (node !== null) this.#add(node)
    if (this.#parts.size === 0) throw ports.nodes.refusal()
    this.#say()
    this.#cancel = ports.clock.after(REPEAT_MS, () => this.#repeat())
  }

  /** The nodes that have the room now, its home first; none while none does. */
  get nodes(): readonly MediaNodeId[] {
    return [...this.#parts.keys()]
  }

  /** Whether somebody uses video here, as far as its nodes said lately. */
  get isUsed(): boolean {
    return this.#unused <= UNACKED_MOST
  }

  /** The node that takes this player's calls; null while none has the room. */
  nodeOf(player: PlayerId): MediaNodeId | null {
    return this.#places.get(player) ?? this.nodes[0] ?? null
  }

  /** The node that a player joins at: where that one was, else the first that is not full, which may be one that is new to the room. */
  place(player: PlayerId): MediaNodeId | null {
    const known = this.#places.get(player)
    if (known !== undefined) return known
    const { nodes } = this.#ports
    const node = nodes.notFull(this.nodes) ?? this.#spread() ?? nodes.least(this.nodes)
    if (node !== null) this.#places.set(player, node)
    return node
  }

  /** A node has part of the room that this owner did not know of: it goes on there. Returns who is at another node by now. */
  adopt(node: MediaNodeId, players: readonly PlayerId[]): PlayerId[] {
    const isNew = !this.#parts.has(node)
    this.#adopt(node, players)
    if (isNew && this.#parts.has(node)) this.#say()
    return players.filter((player) => this.#places.get(player) !== node)
  }

  #adopt(node: MediaNodeId, players: readonly PlayerId[]): void {
    const here = players.filter((player) => (this.#places.get(player) ?? node) === node)
    // Its beat may not have come yet.
    const state = this.#ports.nodes.stateOf(node) ?? 'ready'
    if (here.length === 0 || state !== 'ready') return
    if (!this.#parts.has(node)) this.#add(node)
    for (const player of here) this.#places.set(player, node)
  }

  /** A node that is new to the room, and not full; null where there is none. */
  #spread(): MediaNodeId | null {
    const node = this.#ports.nodes.take({ but: this.nodes, isFull: false })
    if (node === null) return null
    this.#add(node)
    this.#say()
    return node
  }

  /**
   * Gives up nodes that are gone, give the room up, or do not answer, and finds the room another where it was at no other; true where
   * that changed something, and the policy was said.
   */
  settle(): boolean {
    const { nodes } = this.#ports
    const before = this.nodes
    for (const [node, { unacked }] of this.#parts) {
      const state = nodes.stateOf(node)
      if (state === 'ready' && unacked < UNACKED_MOST) continue
      const next = this.#parts.size > 1 ? null : nodes.take({ but: [node] })
      const stays = this.#parts.size === 1 && next === null && (state === 'ready' || state === 'draining')
      if (stays) continue
      this.#parts.delete(node)
      if (next !== null) this.#add(next)
      if (state !== null) this.#forbid(node)
    }
    const next = this.#parts.size > 0 ? null : nodes.take()
    if (next !== null) this.#add(next)
    const left = before.filter((node) => !this.#parts.has(node))
    const isElsewhere = this.nodes.some((node) => !before.includes(node))
    if (left.length === 0 && !isElsewhere) return false
    this.#say()
    this.#leave(left, isElsewhere)
    return this.#parts.size > 0
  }

  /** After a commit: what it changed is said at once. */
  committed(room: LiveRoom): void {
    const before = this.#state
    this.#state = room.state
    if (!mayDiffer(before, room.state)) return
    this.#policy = this.#made(room)
    const hash = hashOf(this.#policy)
    if (hash === this.#hash) return
    this.#hash = hash
    this.#say()
  }

  acked({ node, hash, peers }: MediaAck): void {
    const part = this.#parts.get(node)
    if (part === undefined) return
    part.acked = hash
    if (peers > 0) {
      part.unused = 0
      this.#unused = 0
    }
    if (hash === this.#hash) part.unacked = 0
    // It has lost what it had acknowledged.
    else if (!part.wasWhole) this.#sayTo(node, part)
  }

  close(): void {
    this.#cancel()
  }

  #repeat(): void {
    this.#cancel = this.#ports.clock.after(REPEAT_MS, () => this.#repeat())
    const parts = [...this.#parts.values()]
    // What is not sent is not acknowledged: that is no sign of the node.
    if (!this.#ports.isSure()) {
      for (const part of parts) part.unacked = 0
      return
    }
    this.#unused += 1
    for (const part of parts) part.unused += 1
    const room = this.#ports.room(this.room)
    if (this.#unused > UNUSED_MOST) this.#ports.ended(this.room)
    if (this.#unused > UNUSED_MOST || room === undefined) return
    this.#shrink()
    this.committed(room)
    if (!this.settle()) this.#say()
    for (const part of parts) part.unacked += 1
  }

  /** Gives up nodes where nobody is any more. */
  #shrink(): void {
    const idle = [...this.#parts].flatMap(([node, { unused }]) => (unused > UNUSED_MOST ? [node] : []))
    if (idle.length === 0 || idle.length === this.#parts.size) return
    for (const node of idle) {
      this.#parts.delete(node)
      this.#forbid(node)
    }
    this.#leave(idle, false)
  }

  #add(node: MediaNodeId): void {
    this.#parts.set(node, { acked: null, unacked: 1, unused: 0, wasWhole: false })
  }

  /** `isElsewhere`: all of the room is at another node. */
  #leave(nodes: readonly MediaNodeId[], isElsewhere: boolean): void {
    const members = new Set<PlayerId>()
    for (const [player, node] of this.#places) if (nodes.includes(node)) members.add(player)
    for (const player of members) this.#places.delete(player)
    for (const node of nodes) this.#ports.left(this.room, node)
    if (isElsewhere) this.#ports.rejoin(this.room, null)
    else if (this.#parts.size > 0) this.#ports.rejoin(this.room, members)
  }

  /** What the room leaves behind must not go on under the last policy until that runs out. */
  #forbid(node: MediaNodeId): void {
    const policy = nothingOf(this.#state)
    const { room, nodes } = this
    this.#ports.send(node, { room, seq: this.#state.seq, hash: hashOf(policy), policy, nodes })
  }

  #say(): void {
    for (const [node, part] of this.#parts) this.#sayTo(node, part)
  }

  #sayTo(node: MediaNodeId, part: Part): void {
    const policy = part.acked === this.#hash ? null : this.#policy
    part.wasWhole = policy !== null
    const { room, nodes } = this
    this.#ports.send(node, { room, seq: this.#state.seq, hash: this.#hash, policy, nodes })
  }

  /** Where the rules throw, nobody sees or hears anybody. */
  #made({ state, game }: LiveRoom): MediaPolicy {
    try {
      return policyOf(state, game.runner)
    } catch (error) {
      const why = messageOf(error)
      this.#ports.report('error', `nobody is seen or heard: ${why}`, { room: this.room, seq: state.seq })
      return nothingOf(state)
    }
  }
}
