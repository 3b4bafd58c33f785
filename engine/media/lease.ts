import type { MediaAck, MediaNodeId, MediaPolicy } from '../../bus/messages.ts'
import type { Clock } from '../../protocol/clock.ts'
import type { RoomId, Seq } from '../../protocol/frames.ts'
import type { LiveRoom } from '../room/live.ts'
import type { RoomState } from '../room/state.ts'
import type { Report } from '../room/writer.ts'
import { hashOf, mayDiffer, nothingOf, policyOf } from './matrix.ts'
import type { MediaNodes } from './nodes.ts'

const REPEAT_MS = 1_000
/** Leases without an acknowledgement after which the room moves. */
const UNACKED_MOST = 2
/** Leases after which it ends where nobody uses video. */
const UNUSED_MOST = 30

export interface LeasePorts {
  readonly clock: Clock
  readonly nodes: MediaNodes
  readonly report: Report
  /** The room, where it is in memory. */
  room(id: RoomId): LiveRoom | undefined
  send(node: MediaNodeId, lease: { room: RoomId; seq: Seq; hash: string; policy: MediaPolicy | null }): void
  /** The room is not at the node where it was: calls there end, and its peers join again where it is at another one. */
  moved(room: RoomId, isElsewhere: boolean): void
  /** Nobody used video for 30 s. */
  ended(room: RoomId): void
}

/**
 * Where one room's video is, and the policy that its node was told: said again every second, whole until the node has
 * acknowledged it. While the room is not in memory nothing is said, and after 5 s its node forwards nothing.
 */
export class Lease {
  readonly room: RoomId
  readonly #ports: LeasePorts
  #node: MediaNodeId | null
  /** What the policy was made of. */
  #state: RoomState
  #policy: MediaPolicy
  #hash: string
  /** What the node enforces, as far as it said. */
  #acked: string | null = null
  #unacked = 1
  #unused = 0
  #wasWhole = true
  #cancel: () => void = () => {}

  /** Throws Refusal where no node takes the room. */
  constructor(room: LiveRoom, ports: LeasePorts) {
    const node = ports.nodes.take(null)
    if (node === null) throw ports.nodes.refusal()
    this.room = room.room
    this.#ports = ports
    this.#node = node
    this.#state = room.state
    this.#policy = this.#made(room)
    this.#hash = hashOf(this.#policy)
    this.#say()
    this.#cancel = ports.clock.after(REPEAT_MS, () => this.#repeat())
  }

  /** The node that has the room now; null while none does. */
  get node(): MediaNodeId | null {
    return this.#node
  }

  /** Whether somebody uses video here, as far as its node said lately. */
  get isUsed(): boolean {
    return this.#unused <= UNACKED_MOST
  }

  /** Finds the room another node where its own is gone, gives it up, or does not answer; true where it moved, and its policy was said. */
  settle(): boolean {
    const { nodes, moved } = this.#ports
    const state = this.#node === null ? null : nodes.stateOf(this.#node)
    if (state === 'ready' && this.#unacked < UNACKED_MOST) return false
    const next = nodes.take(this.#node)
    const stays = next === null && (this.#node === null || state === 'ready' || state === 'draining')
    if (stays) return false
    if (this.#node !== null && state !== null) this.#forbid(this.#node)
    this.#node = next
    this.#acked = null
    this.#unacked = 0
    this.#say()
    moved(this.room, next !== null)
    return next !== null
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
    if (node !== this.#node) return
    this.#acked = hash
    if (peers > 0) this.#unused = 0
    if (hash === this.#hash) this.#unacked = 0
    // It has lost what it had acknowledged.
    else if (!this.#wasWhole) this.#say()
  }

  close(): void {
    this.#cancel()
  }

  #repeat(): void {
    this.#cancel = this.#ports.clock.after(REPEAT_MS, () => this.#repeat())
    this.#unused += 1
    const room = this.#ports.room(this.room)
    if (this.#unused > UNUSED_MOST) this.#ports.ended(this.room)
    if (this.#unused > UNUSED_MOST || room === undefined) return
    this.committed(room)
    if (!this.settle()) this.#say()
    this.#unacked += 1
  }

  /** What the room leaves behind must not go on under the last policy until that runs out. */
  #forbid(node: MediaNodeId): void {
    const policy = nothingOf(this.#state)
    this.#ports.send(node, { room: this.room, seq: this.#state.seq, hash: hashOf(policy), policy })
  }

  #say(): void {
    if (this.#node === null) return
    const policy = this.#acked === this.#hash ? null : this.#policy
    this.#wasWhole = policy !== null
    this.#ports.send(this.#node, { room: this.room, seq: this.#state.seq, hash: this.#hash, policy })
  }

  /** Where the rules throw, nobody sees or hears anybody. */
  #made({ state, game }: LiveRoom): MediaPolicy {
    try {
      return policyOf(state, game.runner)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#ports.report('error', `nobody is seen or heard: ${why}`, { room: this.room, seq: state.seq })
      return nothingOf(state)
    }
  }
}
