import type { Bus } from '../bus/bus.ts'
import type {
  BetweenMediaNodes,
  EngineId,
  MediaBeat,
  MediaCall,
  MediaNodeId,
  Message,
  ToEngine,
  ToMediaNode,
} from '../bus/messages.ts'
import { engineSubject, MEDIA_NODES_SUBJECT, mediaNodeSubject } from '../bus/subjects.ts'
import type { Chance, Clock } from '../protocol/clock.ts'
import { Refusal } from '../protocol/errors.ts'
import { auditOf, type ConsumerAudit } from './audit.ts'
import { CONSUMERS_PER_WORKER } from './limits.ts'
import { type OpenLink, openWebRtc } from './link.ts'
import { answerOf } from './refusals.ts'
import type { Report } from './report.ts'
import { Room } from './room.ts'
import { sample } from './sample.ts'
import type { IceServer } from './signalling.ts'
import { type Listen, type RunningWorker, Workers } from './workers.ts'

const BEAT_MS = 1_000
/** Beats between two looks at how much each peer sends and receives: in a room of thirty, every other second costs 5 % of the worker. */
const SAMPLE_EVERY = 5

/** The worker program: there, on its way, or not to be had. */
export type FoundWorker =
  | { is: 'ready'; path: string }
  | { is: 'preparing'; progress: number | null }
  | { is: 'failed'; problem: string }

export interface MediaNodeOptions {
  id: MediaNodeId
  bus: Bus
  clock: Clock
  chance: Chance
  report: Report
  /** Asked every second until it is ready. */
  findWorker: () => FoundWorker
  /** How many worker processes. */
  size: number
  listen: Listen
  iceServers: readonly IceServer[]
  /** As `CONSUMERS_PER_WORKER`, unless a test needs fewer. */
  consumersPerWorker?: number
  /** WebRTC, unless a test takes another way. */
  openLink?: OpenLink
}

/** What `/metrics` shows of one node. */
export interface MediaCounts {
  rooms: number
  peers: number
  producers: number
  consumers: number
  workers: number
  /** Bits per second, from and to peers. */
  bitrateIn: number
  bitrateOut: number
}

/** A media node: rooms on worker processes, asked and told over the bus only. Workers start with the first peer. */
export class MediaNode {
  readonly #options: MediaNodeOptions
  readonly #rooms = new Map<string, Room>()
  readonly #unsubscribe: () => void
  #found: FoundWorker
  #workers: Workers | null = null
  #isDraining = false
  #isSaidFull = false
  #endBeat = () => {}
  #beats = 0

  constructor(options: MediaNodeOptions) {
    this.#options = options
    this.#unsubscribe = options.bus.subscribe(mediaNodeSubject(options.id), (message) => this.#hear(message))
    this.#found = options.findWorker()
    this.#open()
    this.#beat()
  }

  /** The worker processes that are up. */
  get workers(): readonly RunningWorker[] {
    return this.#workers?.running ?? []
  }

  counts(): MediaCounts {
    const stages = [...this.#rooms.values()].map(({ stage }) => stage)
    const peers = stages.flatMap((stage) => [...stage.peers.values()])
    return {
      rooms: stages.filter((stage) => stage.peers.size > 0).length,
      peers: peers.length,
      producers: stages.reduce((total, { published }) => total + published.length, 0),
      consumers: stages.reduce((total, { consumers }) => total + consumers.size, 0),
      workers: this.workers.length,
      bitrateIn: peers.reduce((total, { bitrate }) => total + bitrate.in, 0),
      bitrateOut: peers.reduce((total, { bitrate }) => total + bitrate.out, 0),
    }
  }

  /** What the consumers of a room here carry; null where the room is not here. */
  async audit(room: string): Promise<ConsumerAudit[] | null> {
    const here = this.#rooms.get(room)
    return here === undefined ? null : auditOf(here.stage)
  }

  /** Gives up all rooms, whose peers are told to join again elsewhere, and ends the workers; resolves once their processes have ended. */
  async close(): Promise<void> {
    if (this.#isDraining) return
    this.#isDraining = true
    this.#endBeat()
    this.#say(MEDIA_NODES_SUBJECT, this.#state())
    for (const room of this.#rooms.values()) room.close()
    this.#rooms.clear()
    await this.#workers?.close()
    this.#unsubscribe()
  }

  #open(): void {
    if (this.#found.is !== 'ready' || this.#workers !== null) return
    const { size, consumersPerWorker = CONSUMERS_PER_WORKER, listen, clock, report } = this.#options
    this.#workers = new Workers({ path: this.#found.path, size, consumersPerWorker, listen, clock, report })
  }

  #beat(): void {
    const { clock, findWorker, report } = this.#options
    if (this.#found.is !== 'ready') this.#found = findWorker()
    this.#open()
    this.#say(MEDIA_NODES_SUBJECT, this.#state())
    for (const [id, room] of this.#rooms) {
      room.tick(BEAT_MS)
      if (this.#beats % SAMPLE_EVERY === 0) sample(room.stage, report)
      if (room.isUnused) this.#forget(id, room)
    }
    this.#beats++
    this.#endBeat = clock.after(BEAT_MS, () => this.#beat())
  }

  #state(): MediaBeat {
    const found = this.#found
    const problem = found.is === 'failed' ? found.problem : (this.#workers?.problem ?? null)
    const state = problem === null ? found.is : 'failed'
    this.#isSaidFull = this.#workers?.areFull === true
    return {
      kind: 'media-beat',
      node: this.#options.id,
      state: this.#isDraining ? 'draining' : state,
      progress: found.is === 'preparing' ? found.progress : null,
      problem,
      load: this.counts().consumers / this.#options.size,
      isFull: this.#isSaidFull,
    }
  }

  #hear(message: Message): void {
    if (message.kind === 'media-part' || message.kind === 'media-levels') {
      this.#rooms.get(message.room)?.hearNode(message)
      return
    }
    if (message.kind !== 'media-lease' && message.kind !== 'media-call' && message.kind !== 'media-gone') return
    const workers = this.#workers
    if (workers === null || this.#isDraining) {
      if (message.kind === 'media-call') this.#refuse(message)
      return
    }
    this.#roomOf(message, workers).hear(message)
  }

  #roomOf({ room: id }: ToMediaNode, workers: Workers): Room {
    const known = this.#rooms.get(id)
    if (known !== undefined) return known
    const { id: node, clock, chance, iceServers, openLink = openWebRtc } = this.#options
    const say = (engine: EngineId, message: ToEngine) => {
      this.#say(engineSubject(engine), message)
      // Else all who come within a second would come here.
      if (workers.areFull !== this.#isSaidFull) this.#say(MEDIA_NODES_SUBJECT, this.#state())
    }
    const sayTo = (other: MediaNodeId, said: BetweenMediaNodes) => this.#say(mediaNodeSubject(other), said)
    const room = new Room({ id, node, clock, chance, iceServers, openLink, workers, say, sayTo })
    this.#rooms.set(id, room)
    return room
  }

  #forget(id: string, room: Room): void {
    room.close()
    this.#rooms.delete(id)
  }

  #refuse({ id, engine }: MediaCall): void {
    const found = this.#found
    const refusal =
      found.is === 'preparing'
        ? new Refusal('unavailable', 'video is being prepared', { preparing: true, progress: found.progress })
        : new Refusal('unavailable', 'this media node takes no calls now: try again')
    this.#say(engineSubject(engine), {
      kind: 'media-reply',
      node: this.#options.id,
      id,
      answer: answerOf(refusal),
    })
  }

  #say(subject: string, message: ToEngine | MediaBeat | BetweenMediaNodes): void {
    this.#options.bus.publish(subject, message)
  }
}
