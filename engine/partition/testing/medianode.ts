import type { Bus } from '../../../bus/bus.ts'
import type { MediaBeat, MediaCall, MediaLease, MediaReply, ToMediaNode } from '../../../bus/messages.ts'
import { engineSubject, MEDIA_NODES_SUBJECT, mediaNodeSubject } from '../../../bus/subjects.ts'
import type { Clock } from '../../../protocol/clock.ts'

const BEAT_MS = 1_000

/** A media node that says what a test tells it to, and keeps what it was told. */
export class ScriptedMediaNode {
  readonly id: string
  readonly heard: ToMediaNode[] = []
  /** What its beats say. */
  beat: Omit<MediaBeat, 'kind' | 'node'> = { state: 'ready', progress: null, problem: null, load: 0 }
  /** How many peers its acks speak of. */
  peers = 1
  /** False: leases are taken, and not acknowledged. */
  acks = true
  /** Answers calls; null: says nothing. A test replaces it. */
  onCall: (call: MediaCall) => MediaReply['answer'] | null = ({ method }) => ({ value: method })
  readonly #bus: Bus
  readonly #clock: Clock
  readonly #unsubscribe: () => void
  #cancel: () => void = () => {}

  constructor(id: string, bus: Bus, clock: Clock) {
    this.id = id
    this.#bus = bus
    this.#clock = clock
    this.#unsubscribe = bus.subscribe(mediaNodeSubject(id), (message) => this.#hear(message as ToMediaNode))
    this.says({})
  }

  get leases(): MediaLease[] {
    return this.heard.filter((message) => message.kind === 'media-lease')
  }

  get calls(): MediaCall[] {
    return this.heard.filter((message) => message.kind === 'media-call')
  }

  /** Beats with this from now on. */
  says(beat: Partial<typeof this.beat>): void {
    Object.assign(this.beat, beat)
    this.#cancel()
    this.#bus.publish(MEDIA_NODES_SUBJECT, { kind: 'media-beat', node: this.id, ...this.beat })
    this.#cancel = this.#clock.after(BEAT_MS, () => this.says({}))
  }

  /** Falls silent. */
  stop(): void {
    this.#cancel()
    this.#unsubscribe()
  }

  tell(
    engine: string,
    epoch: number,
    to: { player: string; session: string },
    topic: `media.${string}`,
    data: unknown,
    room = 'r',
  ): void {
    this.#bus.publish(engineSubject(engine), { kind: 'media-tell', node: this.id, room, epoch, to, topic, data })
  }

  speaks(engine: string, epoch: number, player: string | null, room = 'r'): void {
    this.#bus.publish(engineSubject(engine), { kind: 'media-speaker', node: this.id, room, epoch, player })
  }

  ack({ engine, room, epoch }: Pick<MediaLease, 'engine' | 'room' | 'epoch'>, hash: string | null): void {
    const { id: node, peers } = this
    this.#bus.publish(engineSubject(engine), { kind: 'media-ack', node, room, epoch, hash, peers })
  }

  answer({ engine, id }: Pick<MediaCall, 'engine' | 'id'>, answer: MediaReply['answer']): void {
    this.#bus.publish(engineSubject(engine), { kind: 'media-reply', node: this.id, id, answer })
  }

  #hear(message: ToMediaNode): void {
    this.heard.push(message)
    if (message.kind === 'media-lease' && this.acks) this.ack(message, message.hash)
    if (message.kind !== 'media-call') return
    const answer = this.onCall(message)
    if (answer !== null) this.answer(message, answer)
  }
}
