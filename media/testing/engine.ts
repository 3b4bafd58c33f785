import type { Bus } from '../../bus/bus.ts'
import type {
  MediaAck,
  MediaBeat,
  MediaCall,
  MediaPolicy,
  MediaReply,
  MediaSpeaker,
  MediaTell,
  Message,
} from '../../bus/messages.ts'
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
  readonly #node: string
  readonly #id: string
  readonly #room: string
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  readonly #ends: (() => void)[]
  #onAck: ((ack: MediaAck) => void)[] = []
  #epoch: number
  #seq = 0
  #policy: MediaPolicy = closed()
  #ref = 0
  #lastCall = 0
  #endRepeats = () => {}

  constructor(bus: Bus, clock: Clock, at: { node: string; id?: string; room?: string; epoch?: number }) {
    this.#bus = bus
    this.#clock = clock
    this.#node = at.node
    this.#id = at.id ?? 'e1'
    this.#room = at.room ?? 'r1'
    this.#epoch = at.epoch ?? 1
    this.#ends = [
      bus.subscribe(engineSubject(this.#id), (message) => this.#hear(message)),
      bus.subscribe(MEDIA_NODES_SUBJECT, (message) => {
        if (message.kind === 'media-beat') this.beats.push(message)
      }),
    ]
  }

  /** Leases this policy, now and every second; resolves with the node's first acknowledgement. */
  lease(policy: MediaPolicy): Promise<MediaAck> {
    this.#policy = policy
    this.#seq++
    const acked = this.acked()
    this.#repeat()
    return acked
  }

  /** The next acknowledgement. */
  acked(): Promise<MediaAck> {
    return new Promise((resolve) => this.#onAck.push(resolve))
  }

  /** Owns the room under another epoch from now on. */
  set epoch(epoch: number) {
    this.#epoch = epoch
  }

  /** Goes on without leasing. */
  fallSilent(): void {
    this.#endRepeats()
  }

  /** Sends one lease. */
  send(lease: { seq?: number; epoch?: number; hash?: string; policy: MediaPolicy | null }): void {
    const { policy, hash = JSON.stringify(policy), seq = this.#seq, epoch = this.#epoch } = lease
    const to = { engine: this.#id, room: this.#room, epoch }
    this.#publish({ kind: 'media-lease', ...to, seq, hash, policy })
  }

  /** The answer to a call. `ref`: of the first, for a retry. */
  call(peer: Caller, method: string, params: unknown = {}, ref = ++this.#ref): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    const id = ++this.#lastCall
    this.#waiting.set(id, resolve)
    const to = { engine: this.#id, room: this.#room, epoch: this.#epoch }
    this.#publish({ kind: 'media-call', ...to, id, peer, ref, method: `media.${method}`, params })
    return promise
  }

  gone(...players: string[]): void {
    this.#publish({ kind: 'media-gone', engine: this.#id, room: this.#room, epoch: this.#epoch, players })
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
    const isKnown = this.acks.at(-1)?.hash === JSON.stringify(this.#policy)
    this.send({ policy: isKnown ? null : this.#policy, hash: JSON.stringify(this.#policy) })
    this.#endRepeats = this.#clock.after(EVERY_MS, () => this.#repeat())
  }

  #publish(message: Message): void {
    this.#bus.publish(mediaNodeSubject(this.#node), message)
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
