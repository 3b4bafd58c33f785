import type { Bus } from '../../bus/bus.ts'
import type { MediaNodeId, MediaSpeaker, MediaTell, ToMediaNode } from '../../bus/media-messages.ts'
import type { EngineId, Message } from '../../bus/messages.ts'
import { engineSubject, MEDIA_NODES_SUBJECT, mediaNodeSubject, partitionOf } from '../../bus/subjects.ts'
import type { Clock } from '../../protocol/clock.ts'
import type { CallFrame, PlayerId, RoomId } from '../../protocol/frames.ts'
import type { Asker } from '../room/admit.ts'
import type { LiveRoom } from '../room/live.ts'
import { isOut, isPlayer } from '../room/membership.ts'
import { isMoving } from '../room/refusals.ts'
import type { Report } from '../room/writer.ts'
import { type MediaAnswer, MediaCalls } from './calls.ts'
import { Lease, type LeasePorts } from './lease.ts'
import { MediaNodes } from './nodes.ts'
import { Orphans } from './orphans.ts'
import { Speaking } from './speaking.ts'

export interface MediaPorts {
  readonly engine: EngineId
  /** Since which epoch the room's partition is this engine's; null where it is not. */
  epochOf(room: RoomId): number | null
  /** Whether no other engine can have taken over. */
  isSure(): boolean
  readonly bus: Bus
  readonly clock: Clock
  readonly report: Report
  /** The room, where it is in memory. */
  room(id: RoomId): LiveRoom | undefined
}

/**
 * The video of this engine's rooms: which media nodes have each, what its members call there, and what the nodes tell them. A room
 * has a lease from the first call until nobody has used video for 30 s.
 */
export class Media {
  readonly #ports: MediaPorts
  readonly nodes = new MediaNodes()
  readonly #orphans: Orphans
  readonly #calls: MediaCalls
  readonly #leases = new Map<RoomId, Lease>()
  readonly #speaking = new Map<RoomId, Speaking>()
  readonly #unsubscribe: readonly (() => void)[]

  constructor(ports: MediaPorts) {
    const { bus, clock, engine } = ports
    this.#ports = ports
    this.#orphans = new Orphans(clock)
    this.#calls = new MediaCalls(clock, (node, call) => this.#publish(node, call))
    const hear = (message: Message): void => this.#hear(message)
    this.#unsubscribe = [bus.subscribe(engineSubject(engine), hear), bus.subscribe(MEDIA_NODES_SUBJECT, hear)]
  }

  /** Whether somebody uses video in this room. */
  isUsed(room: RoomId): boolean {
    return this.#leases.get(room)?.isUsed === true
  }

  /** Brings a CALL `media.*` to its member's node, in the room's turn; `settle` is called once. Throws Refusal. */
  call(
    [, ref, id, method, params]: CallFrame,
    { by, session }: Asker,
    room: LiveRoom,
    settle: (answer: MediaAnswer) => void,
  ): void {
    const role = room.roleOf(by)
    // Somebody who has joined is at the node where the room is, which the owner before this one knew.
    if (method !== 'media.join' && !this.#leases.has(id) && this.nodes.size > 1 && this.#orphans.mayBeFound(id))
      throw isMoving()
    const lease = this.#lease(room)
    if (lease.nodes.length === 0) lease.settle()
    const node = method === 'media.join' ? this.#place(lease, by) : lease.nodeOf(by)
    if (node === null) throw this.nodes.refusal()
    const { engine, epochOf } = this.#ports
    const epoch = epochOf(id)
    if (epoch === null) throw isMoving()
    const peer = { player: by, session, role }
    this.#calls.send(node, { engine, epoch, room: id, peer, ref, method, params: params ?? {} }, settle)
  }

  /** After each commit, before anything of it is shown: what it forbids is said first. */
  committed(room: LiveRoom): void {
    this.#leases.get(room.room)?.committed(room)
  }

  /** A member is out of the room, or no spectator any more: the peers of now end. */
  gone(room: RoomId, player: PlayerId): void {
    for (const node of this.#leases.get(room)?.nodes ?? []) this.#sendAway(node, room, player)
  }

  /** The rooms of this partition are another engine's. */
  lose(partition: number): void {
    for (const { room, nodes } of [...this.#leases.values()]) {
      if (partitionOf(room) !== partition) continue
      for (const node of nodes) this.#publish(node, { kind: 'media-release', room })
      this.#end(room)
    }
  }

  close(): void {
    for (const end of this.#unsubscribe) end()
    for (const room of [...this.#leases.keys()]) this.#end(room)
    this.#calls.close()
    this.#orphans.close()
  }

  #hear(message: Message): void {
    switch (message.kind) {
      case 'media-beat':
        this.nodes.heard(message)
        if (message.state !== 'ready')
          for (const lease of this.#leases.values()) if (lease.nodes.includes(message.node)) lease.settle()
        break
      case 'media-orphan':
        this.nodes.spokeOf(message.node, message.beat)
        this.#orphans.heard(message)
        if ((this.nodes.stateOf(message.node) ?? 'ready') === 'ready') this.#adopt(message.room)
        break
      case 'media-reply':
        this.#calls.answered(message)
        break
      case 'media-ack':
        if (this.#isOfNow(message)) this.#leases.get(message.room)?.acked(message)
        break
      case 'media-tell':
        this.#told(message)
        break
      case 'media-speaker':
        // Each of a room's nodes says it.
        if (this.#leases.get(message.room)?.nodes[0] === message.node) this.#spoke(message)
        break
    }
  }

  /** Where this player joins; what may be left of it at the room's other nodes ends. */
  #place(lease: Lease, player: PlayerId): MediaNodeId | null {
    const place = lease.place(player)
    for (const node of lease.nodes) if (node !== place) this.#sendAway(node, lease.room, player)
    return place
  }

  #sendAway(node: MediaNodeId, room: RoomId, player: PlayerId): void {
    const { engine, epochOf } = this.#ports
    const epoch = epochOf(room)
    if (epoch !== null) this.#publish(node, { kind: 'media-gone', engine, epoch, room, players: [player] })
  }

  /** Goes on with a room of this engine where its video is already. */
  #adopt(id: RoomId): void {
    const room = this.#ports.room(id)
    if (room === undefined || this.#ports.epochOf(id) === null) return
    const lease = this.#leases.get(id)
    if (lease !== undefined)
      for (const [node, players] of this.#orphans.take(id))
        for (const player of lease.adopt(node, players)) this.#sendAway(node, id, player)
    else this.#lease(room)
  }

  #told(message: MediaTell): void {
    const { to, topic, data } = message
    this.#roomOf(message)?.note(to, topic, data)
  }

  #spoke(message: MediaSpeaker): void {
    const room = this.#roomOf(message)
    if (room === undefined || !room.game.runner.hearsSpeaking) return
    const speaking =
      this.#speaking.get(message.room) ??
      new Speaking(this.#ports.clock, (by, speaking) => this.#speaks(message.room, by, speaking))
    this.#speaking.set(message.room, speaking)
    speaking.heard(message.player)
  }

  #speaks(room: RoomId, by: PlayerId, speaking: boolean): void {
    this.#ports
      .room(room)
      ?.event((state, stamp) =>
        state.phase === 'playing' && isPlayer(state, by) && !isOut(state, by)
          ? { type: 'media.speaking', by, speaking, ...stamp }
          : null,
      )
  }

  /** The room that a node speaks of; undefined where it is not in memory, or that node does not have it. */
  #roomOf({ node, room, epoch }: MediaTell | MediaSpeaker): LiveRoom | undefined {
    const isItsNode = this.#leases.get(room)?.nodes.includes(node) === true
    return isItsNode && this.#isOfNow({ room, epoch }) ? this.#ports.room(room) : undefined
  }

  /** Throws Refusal where no node takes the room. */
  #lease(room: LiveRoom): Lease {
    const { clock, report, engine, epochOf, isSure } = this.#ports
    const present = this.#leases.get(room.room)
    if (present !== undefined) return present
    const ports: LeasePorts = {
      clock,
      nodes: this.nodes,
      report,
      room: (id) => this.#ports.room(id),
      isSure,
      send: (node, said) => {
        const epoch = epochOf(said.room)
        // What it says must not outlast what it owns.
        if (epoch !== null && isSure())
          this.#publish(node, { kind: 'media-lease', engine, epoch, beat: this.nodes.beatOf(node), ...said })
      },
      left: (id, node) => this.#calls.giveUp(id, node),
      rejoin: (id, members) =>
        this.#ports.room(id)?.noteTo((player) => members === null || members.has(player), 'media.moved', null),
      ended: (id) => this.#end(id),
    }
    const lease = new Lease(room, ports, this.#orphans.take(room.room))
    this.#leases.set(room.room, lease)
    return lease
  }

  #end(room: RoomId): void {
    this.#leases.get(room)?.close()
    this.#leases.delete(room)
    this.#speaking.get(room)?.close()
    this.#speaking.delete(room)
  }

  #isOfNow({ room, epoch }: { room: RoomId; epoch: number }): boolean {
    return epoch === this.#ports.epochOf(room)
  }

  #publish(node: MediaNodeId, message: ToMediaNode): void {
    this.#ports.bus.publish(mediaNodeSubject(node), message)
  }
}
