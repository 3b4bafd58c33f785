import type { Bus } from '../../bus/bus.ts'
import type {
  MediaAck,
  MediaBeat,
  MediaCall,
  MediaPolicy,
  MediaReply,
  MediaSpeaker,
  MediaTell,
} from '../../bus/media-messages.ts'
import type { Message } from '../../bus/messages.ts'
import { engineSubject, MEDIA_NODES_SUBJECT, mediaNodeSubject } from '../../bus/subjects.ts'
import type { Clock } from '../../protocol/clock.ts'

const EVERY_MS = 1_000

export type Answer = MediaReply['answer']
type Caller = MediaCall['peer']

export const playerOf = (player: string): Caller => ({ player, session: `s-${player}`.padEnd(16, '-'), role: 'player' })
export const spectatorOf = (player: string): Caller => ({ ...playerOf(player), role: 'spectator' })

/** All see and hear all, spectators too. */
export const open = (...players: string[]): MediaPolicy => ({
  players,
  viewers: Object.fromEntries(players.map((player) => [player, { see: players, hear: players }])),
  spectators: { see: players, hear: players },
})

/** Nobody receives anything. */
export const closed = (...players: string[]): MediaPolicy => ({
  players,
  viewers: Object.fromEntries(players.map((player) => [player, { see: [], hear: [] }])),
  spectators: { see: [], hear: [] },
})

/** The owner of one room, as far as media needs one: it leases as engines do, passes calls on, and keeps what it hears. */
export class StandInEngine {
  readonly acks: MediaAck[] = []
  readonly tells: MediaTell[] = []
  readonly speakers: MediaSpeaker[] = []
  readonly beats: MediaBeat[] = []
  readonly #bus: Bus
  readonly #clock: Clock
  #nodes: readonly string[]
  /** The node of each player who is not at home. */
  readonly #places = new Map<string, string>()
  readonly #id: string
  readonly #room: string
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  readonly #ends: (() => void)[]
  #onAck: ((ack: MediaAck) => void)[] = []
  readonly #onBeat: (() => void)[] = []
  #epoch: number
  #seq = 0
  #policy: MediaPolicy = closed()
  #ref = 0
  #lastCall = 0
  #endRepeats = () => {}

  constructor(bus: Bus, clock: Clock, at: { nodes: readonly string[]; id?: string; room?: string; epoch?: number }) {
    this.#bus = bus
    this.#clock = clock
    this.#nodes = at.nodes
    this.#id = at.id ?? 'e1'
    this.#room = at.room ?? 'r1'
    this.#epoch = at.epoch ?? 1
    this.#ends = [
      bus.subscribe(engineSubject(this.#id), (message) => this.#hear(message)),
      bus.subscribe(MEDIA_NODES_SUBJECT, (message) => {
        if (message.kind !== 'media-beat') return
        this.beats.push(message)
        for (const resolve of this.#onBeat.splice(0)) resolve()
      }),
    ]
  }

  /** Leases this policy, once all its nodes have been heard and then every second; resolves with the last of their first acknowledgements. */
  async lease(policy: MediaPolicy): Promise<MediaAck> {
    while (!this.#nodes.every((node) => this.#beatOf(node) > 0))
      await new Promise<void>((resolve) => this.#onBeat.push(resolve))
    this.#policy = policy
    this.#seq++
    const from = this.acks.length
    this.#repeat()
    for (;;) {
      const acks = this.acks.slice(from)
      const last = acks.at(-1)
      if (last !== undefined && this.#nodes.every((node) => acks.some((ack) => ack.node === node))) return last
      await this.acked()
    }
  }

  /** The next acknowledgement. */
  acked(): Promise<MediaAck> {
    return new Promise((resolve) => this.#onAck.push(resolve))
  }

  /** The room is at these nodes from the next lease on. */
  set nodes(nodes: readonly string[]) {
    this.#nodes = nodes
  }

  /** What this player calls goes to this node. */
  place(player: string, node: string): void {
    this.#places.set(player, node)
  }

  /** Owns the room under another epoch from now on. */
  set epoch(epoch: number) {
    this.#epoch = epoch
  }

  /** Goes on without leasing. */
  fallSilent(): void {
    this.#endRepeats()
  }

  /** Sends one lease, to all nodes of the room or to one. */
  send(lease: {
    seq?: number
    epoch?: number
    hash?: string
    policy: MediaPolicy | null
    beat?: number
    node?: string
  }): void {
    const { policy, hash = JSON.stringify(policy), seq = this.#seq, epoch = this.#epoch } = lease
    const to = { engine: this.#id, room: this.#room, epoch }
    for (const node of lease.node === undefined ? this.#nodes : [lease.node]) {
      const { beat = this.#beatOf(node) } = lease
      this.#publish(node, { kind: 'media-lease', ...to, seq, hash, policy, beat, nodes: this.#nodes })
    }
  }

  /** The answer to a call. `ref`: of the first, for a retry. */
  call(peer: Caller, method: string, params: unknown = {}, ref = ++this.#ref): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    const id = ++this.#lastCall
    this.#waiting.set(id, resolve)
    const to = { engine: this.#id, room: this.#room, epoch: this.#epoch }
    const node = this.#places.get(peer.player) ?? this.#nodes[0] ?? ''
    this.#publish(node, { kind: 'media-call', ...to, id, peer, ref, method: `media.${method}`, params })
    return promise
  }

  gone(...players: string[]): void {
    for (const node of this.#nodes)
      this.#publish(node, { kind: 'media-gone', engine: this.#id, room: this.#room, epoch: this.#epoch, players })
  }

  /** What one member was told under this topic, in order. */
  told({ player, session }: Caller, topic: string): unknown[] {
    return this.tells
      .filter((tell) => tell.to.player === player && tell.to.session === session && tell.topic === `media.${topic}`)
      .map(({ data }) => data)
  }

  stop(): void {
    this.#endRepeats()
    for (const end of this.#ends) end()
  }

  #repeat(): void {
    this.#endRepeats()
    const hash = JSON.stringify(this.#policy)
    const isKnown = this.#nodes.every((node) => this.acks.findLast((ack) => ack.node === node)?.hash === hash)
    this.send({ policy: isKnown ? null : this.#policy, hash })
    this.#endRepeats = this.#clock.after(EVERY_MS, () => this.#repeat())
  }

  #beatOf(node: string): number {
    return this.beats.findLast((beat) => beat.node === node)?.number ?? 0
  }

  #publish(node: string, message: Message): void {
    this.#bus.publish(mediaNodeSubject(node), message)
  }

  #hear(message: Message): void {
    if (message.kind === 'media-ack') {
      this.acks.push(message)
      for (const resolve of this.#onAck.splice(0)) resolve(message)
    } else if (message.kind === 'media-tell') this.tells.push(message)
    else if (message.kind === 'media-speaker') this.speakers.push(message)
    else if (message.kind === 'media-reply') {
      this.#waiting.get(message.id)?.(message.answer)
      this.#waiting.delete(message.id)
    }
  }
}
