import type { Bus } from '../bus/bus.ts'
import type {
  MediaBeat,
  MediaCall,
  MediaConsumer,
  MediaNodeId,
  MediaQuestion,
  ToEngine,
} from '../bus/media-messages.ts'
import type { EngineId, Message } from '../bus/messages.ts'
import { engineSubject, MEDIA_NODES_SUBJECT, MEDIA_QUESTIONS_SUBJECT, mediaNodeSubject } from '../bus/subjects.ts'
import type { Chance, Clock } from '../protocol/clock.ts'
import { Refusal } from '../protocol/errors.ts'
import { Audits, auditOf } from './audit.ts'
import { Heartbeat } from './heartbeat.ts'
import { CONSUMERS_PER_WORKER } from './limits.ts'
import { type OpenLink, openWebRtc } from './link.ts'
import { answerOf } from './refusals.ts'
import type { Report } from './report.ts'
import { type FromOwner, Room } from './room.ts'
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
  /** 1 while it has no worker and cannot start one, else 0. */
  failed: number
  /** Bits per second, from and to peers. */
  bitrateIn: number
  bitrateOut: number
}

/** A media node: rooms on worker processes, asked and told over the bus only. Workers start with the first peer. */
export class MediaNode {
  readonly #options: MediaNodeOptions
  readonly #rooms = new Map<string, Room>()
  readonly #audits: Audits
  readonly #heartbeat: Heartbeat
  readonly #unsubscribe: readonly (() => void)[]
  #found: FoundWorker
  #workers: Workers | null = null
  #isDraining = false
  #isSaidFull = false
  #endBeat = () => {}
  #beats = 0

  constructor(options: MediaNodeOptions) {
    this.#options = options
    const { id: node, bus, clock } = options
    this.#heartbeat = new Heartbeat(clock)
    this.#audits = new Audits(clock, (id, room) =>
      this.#say(MEDIA_QUESTIONS_SUBJECT, { kind: 'media-question', node, id, room }),
    )
    const hear = (message: Message) => this.#hear(message)
    this.#unsubscribe = [bus.subscribe(mediaNodeSubject(node), hear), bus.subscribe(MEDIA_QUESTIONS_SUBJECT, hear)]
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
      failed: this.#problem === null ? 0 : 1,
      bitrateIn: peers.reduce((total, { bitrate }) => total + bitrate.in, 0),
      bitrateOut: peers.reduce((total, { bitrate }) => total + bitrate.out, 0),
    }
  }

  /** What the consumers of a room carry, at all nodes that have part of it; null where no node has. */
  audit(room: string): Promise<MediaConsumer[] | null> {
    return this.#audits.of(room)
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
    for (const end of this.#unsubscribe) end()
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
    const problem = this.#problem
    const state = problem === null ? found.is : 'failed'
    this.#isSaidFull = this.#workers?.areFull === true
    return {
      kind: 'media-beat',
      node: this.#options.id,
      number: this.#heartbeat.next(),
      state: this.#isDraining ? 'draining' : state,
      progress: found.is === 'preparing' ? found.progress : null,
      problem,
      load: this.counts().consumers / this.#options.size,
      isFull: this.#isSaidFull,
    }
  }

  get #problem(): string | null {
    return this.#found.is === 'failed' ? this.#found.problem : (this.#workers?.problem ?? null)
  }

  #hear(message: Message): void {
    switch (message.kind) {
      case 'media-lease':
      case 'media-call':
      case 'media-gone':
        this.#hearOwner(message)
        break
      case 'media-release':
        this.#rooms.get(message.room)?.release()
        break
      case 'media-part':
      case 'media-levels':
        this.#rooms.get(message.room)?.hearNode(message)
        break
      case 'media-question':
        void this.#answer(message)
        break
      case 'media-audit':
        this.#audits.hear(message)
        break
    }
  }

  #hearOwner(message: FromOwner): void {
    const workers = this.#workers
    if (workers === null || this.#isDraining) {
      if (message.kind === 'media-call') this.#refuse(message)
      return
    }
    this.#roomOf(message, workers).hear(message)
  }

  async #answer({ node: asker, id, room: of }: MediaQuestion): Promise<void> {
    const { id: node } = this.#options
    const room = this.#rooms.get(of)
    if (room === undefined) return
    const consumers = await auditOf(node, room.stage)
    this.#say(mediaNodeSubject(asker), { kind: 'media-audit', node, id, nodes: room.nodes, consumers })
  }

  #roomOf({ room: id }: FromOwner, workers: Workers): Room {
    const known = this.#rooms.get(id)
    if (known !== undefined) return known
    const { id: node, clock, chance, iceServers, openLink = openWebRtc } = this.#options
    const say = (engine: EngineId, message: ToEngine) => {
      this.#say(engineSubject(engine), message)
      // Else all who come within a second would come here.
      if (workers.areFull !== this.#isSaidFull) this.#say(MEDIA_NODES_SUBJECT, this.#state())
    }
    const room = new Room({
      id,
      node,
      clock,
      heartbeat: this.#heartbeat,
      chance,
      iceServers,
      openLink,
      workers,
      say,
      sayOrphan: (players) =>
        this.#say(MEDIA_NODES_SUBJECT, { kind: 'media-orphan', node, beat: this.#heartbeat.last, room: id, players }),
      sayTo: (other, said) => this.#say(mediaNodeSubject(other), said),
    })
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

  #say(subject: string, message: Message): void {
    this.#options.bus.publish(subject, message)
  }
}
