import type { Bus } from '../../bus/bus.ts'
import type { MediaCall, MediaLease, MediaNodeId, ToEngine, ToMediaNode } from '../../bus/media-messages.ts'
import type { Message } from '../../bus/messages.ts'
import { engineSubject, MEDIA_NODES_SUBJECT, mediaNodeSubject } from '../../bus/subjects.ts'
import { Heartbeat } from '../../media/heartbeat.ts'
import type { Viewer } from '../../media/policy.ts'
import { Tenure } from '../../media/tenure.ts'
import type { PlayerId, RoomId } from '../../protocol/frames.ts'
import type { Host } from './host.ts'

const BEAT_MS = 1_000
/** As of a real node: without a lease for so long it is said to all engines that the room is here. */
const ORPHAN_MS = 2_000

/** What one viewer receives of one player now. */
export interface Flow {
  readonly node: MediaNodeId
  readonly room: RoomId
  readonly viewer: Viewer
  readonly player: PlayerId
  readonly kind: 'audio' | 'video'
}

/** Hears what begins and ends to flow at one node. */
export interface FlowTap {
  began(flow: Flow): void
  ended(flow: Flow): void
}

/**
 * A media node without packets: it believes and grants as a real one does, by the same code. Who joins publishes camera and microphone at
 * once, and receives whatever is granted.
 */
export class SimMediaNode {
  readonly id: MediaNodeId
  readonly host: Host
  readonly heartbeat: Heartbeat
  readonly #bus: Bus
  readonly #tap: FlowTap
  readonly #rooms = new Map<RoomId, MediaRoom>()

  constructor(id: MediaNodeId, host: Host, bus: Bus, tap: FlowTap) {
    this.id = id
    this.host = host
    this.heartbeat = new Heartbeat(host.clock)
    this.#bus = bus
    this.#tap = tap
    bus.subscribe(mediaNodeSubject(id), (message) => this.#hear(message))
    this.#beat()
  }

  /** What flows here ends, as where the process is gone or stands still. */
  get flows(): readonly Flow[] {
    return [...this.#rooms.values()].flatMap((room) => room.flows)
  }

  close(): void {
    for (const room of this.#rooms.values()) room.close()
  }

  #beat(): void {
    this.#bus.publish(MEDIA_NODES_SUBJECT, {
      kind: 'media-beat',
      node: this.id,
      number: this.heartbeat.next(),
      state: 'ready',
      progress: null,
      problem: null,
      load: 0,
      isFull: false,
    })
    for (const room of this.#rooms.values()) room.tick(BEAT_MS)
    this.host.clock.after(BEAT_MS, () => this.#beat())
  }

  #hear(message: Message): void {
    if (message.kind === 'media-release') this.#rooms.get(message.room)?.release()
    if (message.kind !== 'media-lease' && message.kind !== 'media-call' && message.kind !== 'media-gone') return
    const room = this.#rooms.get(message.room) ?? new MediaRoom(message.room, this, this.#bus, this.#tap)
    this.#rooms.set(message.room, room)
    room.hear(message)
  }
}

class MediaRoom {
  readonly #room: RoomId
  readonly #node: SimMediaNode
  readonly #bus: Bus
  readonly #tap: FlowTap
  readonly #tenure: Tenure
  /** By player and session. */
  readonly #peers = new Map<string, Viewer>()
  readonly #flows = new Map<string, Flow>()
  #silentMs = 0

  constructor(room: RoomId, node: SimMediaNode, bus: Bus, tap: FlowTap) {
    this.#room = room
    this.#node = node
    this.#bus = bus
    this.#tap = tap
    this.#tenure = new Tenure(node.host.clock, node.heartbeat, () => this.#settle())
  }

  get flows(): readonly Flow[] {
    return [...this.#flows.values()]
  }

  hear(message: Exclude<ToMediaNode, { kind: 'media-release' }>): void {
    if (!this.#tenure.believes(message)) return
    if (message.kind === 'media-lease') this.#lease(message)
    else if (message.kind === 'media-call') this.#call(message)
    else this.#end((viewer) => message.players.includes(viewer.player))
    this.#settle()
  }

  release(): void {
    this.#silentMs = ORPHAN_MS
    this.#sayOrphan()
  }

  tick(ms: number): void {
    this.#silentMs += ms
    if (this.#silentMs >= ORPHAN_MS) this.#sayOrphan()
  }

  close(): void {
    this.#tenure.close()
    this.#end(() => true)
    this.#settle()
  }

  #lease(lease: MediaLease): void {
    if (this.#tenure.renew(lease)) {
      this.#silentMs = 0
      if (!lease.nodes.includes(this.#node.id)) this.#end(() => true)
    }
    this.#settle()
    const { hash, epoch } = this.#tenure
    const peers = this.#players().length
    this.#say({ kind: 'media-ack', node: this.#node.id, room: this.#room, epoch, hash, peers })
  }

  #call({ id, peer, method, engine }: MediaCall): void {
    const key = `${peer.player} ${peer.session}`
    if (method === 'media.join') this.#peers.set(key, { player: peer.player, role: peer.role })
    if (method === 'media.leave') this.#peers.delete(key)
    const reply = { kind: 'media-reply', node: this.#node.id, id, answer: { value: null } } as const
    this.#bus.publish(engineSubject(engine), reply)
  }

  #end(which: (viewer: Viewer) => boolean): void {
    for (const [key, viewer] of this.#peers) if (which(viewer)) this.#peers.delete(key)
  }

  #settle(): void {
    const { grants } = this.#tenure
    const publishers = [...this.#peers.values()].filter(({ role }) => role === 'player')
    const now = new Map<string, Flow>()
    for (const [key, viewer] of this.#peers)
      for (const { player } of publishers)
        for (const kind of ['audio', 'video'] as const)
          if (grants.may(viewer, { player, kind }))
            now.set(`${key} ${player} ${kind}`, { node: this.#node.id, room: this.#room, viewer, player, kind })
    for (const [key, flow] of this.#flows) if (now.get(key)?.viewer !== flow.viewer) this.#stop(key, flow)
    for (const [key, flow] of now) {
      if (this.#flows.has(key)) continue
      this.#flows.set(key, flow)
      this.#tap.began(flow)
    }
  }

  #stop(key: string, flow: Flow): void {
    this.#flows.delete(key)
    this.#tap.ended(flow)
  }

  #players(): PlayerId[] {
    return [...new Set([...this.#peers.values()].map(({ player }) => player))]
  }

  #sayOrphan(): void {
    const players = this.#players()
    if (players.length === 0) return
    this.#bus.publish(MEDIA_NODES_SUBJECT, {
      kind: 'media-orphan',
      node: this.#node.id,
      beat: this.#node.heartbeat.last,
      room: this.#room,
      players,
    })
  }

  #say(message: ToEngine): void {
    this.#bus.publish(engineSubject(this.#tenure.engine), message)
  }
}
