import type { Bus } from '../../../bus/bus.ts'
import type {
  MediaBeat,
  MediaCall,
  MediaGone,
  MediaLease,
  MediaReply,
  MediaSpeaker,
  MediaTell,
  ToMediaNode,
} from '../../../bus/media-messages.ts'
import type { Message } from '../../../bus/messages.ts'
import { engineSubject, MEDIA_NODES_SUBJECT, mediaNodeSubject } from '../../../bus/subjects.ts'
import type { Clock } from '../../../protocol/clock.ts'

const BEAT_MS = 1_000

/** A media node that says what a test tells it to, and keeps what it was told. */
export class ScriptedMediaNode {
  readonly id: string
  readonly heard: ToMediaNode[] = []
  /** What its beats say. */
  beat: Omit<MediaBeat, 'kind' | 'node' | 'number'> = {
    state: 'ready',
    progress: null,
    problem: null,
    load: 0,
    isFull: false,
  }
  /** How many peers its acks speak of. */
  peers = 1
  /** False: leases are taken, and not acknowledged. */
  acks = true
  /** Answers calls; null: says nothing. A test replaces it. */
  onCall: (call: MediaCall) => MediaReply['answer'] | null = ({ method }) => ({ value: method })
  readonly #bus: Bus
  readonly #clock: Clock
  readonly #unsubscribe: () => void
  #beats = 0
  #cancel: () => void = () => {}

  constructor(id: string, bus: Bus, clock: Clock) {
    this.id = id
    this.#bus = bus
    this.#clock = clock
    this.#unsubscribe = bus.subscribe(mediaNodeSubject(id), (message) => this.#hear(message))
    this.says({})
  }

  get leases(): MediaLease[] {
    return this.heard.filter((message) => message.kind === 'media-lease')
  }

  get gone(): MediaGone[] {
    return this.heard.filter((message) => message.kind === 'media-gone')
  }

  get calls(): MediaCall[] {
    return this.heard.filter((message) => message.kind === 'media-call')
  }

  /** Beats with this from now on. */
  says(beat: Partial<typeof this.beat>): void {
    Object.assign(this.beat, beat)
    this.#cancel()
    this.#bus.publish(MEDIA_NODES_SUBJECT, { kind: 'media-beat', node: this.id, number: ++this.#beats, ...this.beat })
    this.#cancel = this.#clock.after(BEAT_MS, () => this.says({}))
  }

  /** Falls silent. */
  stop(): void {
    this.#cancel()
    this.#unsubscribe()
  }

  /** As of the newest lease that it was given; `over`: with this in place of what is true. */
  tell(to: MediaTell['to'], topic: MediaTell['topic'], data: unknown, over: Partial<MediaTell> = {}): void {
    const { engine, room, epoch } = this.#newest
    this.#bus.publish(engineSubject(engine), {
      kind: 'media-tell',
      node: this.id,
      room,
      epoch,
      to,
      topic,
      data,
      ...over,
    })
  }

  /** Says that it has a room whose owner is silent. */
  orphan(room: string, ...players: string[]): void {
    this.#bus.publish(MEDIA_NODES_SUBJECT, { kind: 'media-orphan', node: this.id, beat: this.#beats, room, players })
  }

  speaks(player: string | null, over: Partial<MediaSpeaker> = {}): void {
    const { engine, room, epoch } = this.#newest
    this.#bus.publish(engineSubject(engine), { kind: 'media-speaker', node: this.id, room, epoch, player, ...over })
  }

  get #newest(): MediaLease {
    const lease = this.leases.at(-1)
    if (lease === undefined) throw new Error(`${this.id} has no room`)
    return lease
  }

  ack({ engine, room, epoch }: Pick<MediaLease, 'engine' | 'room' | 'epoch'>, hash: string | null): void {
    const { id: node, peers } = this
    this.#bus.publish(engineSubject(engine), { kind: 'media-ack', node, room, epoch, hash, peers })
  }

  answer({ engine, id }: Pick<MediaCall, 'engine' | 'id'>, answer: MediaReply['answer']): void {
    this.#bus.publish(engineSubject(engine), { kind: 'media-reply', node: this.id, id, answer })
  }

  #hear(message: Message): void {
    if (!isForNode(message)) return
    this.heard.push(message)
    if (message.kind === 'media-lease' && this.acks) this.ack(message, message.hash)
    if (message.kind !== 'media-call') return
    const answer = this.onCall(message)
    if (answer !== null) this.answer(message, answer)
  }
}

const FOR_NODES: readonly string[] = [
  'media-lease',
  'media-call',
  'media-gone',
  'media-release',
] satisfies ToMediaNode['kind'][]

const isForNode = (message: Message): message is ToMediaNode => FOR_NODES.includes(message.kind)
