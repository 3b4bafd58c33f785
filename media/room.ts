import type {
  BetweenMediaNodes,
  MediaCall,
  MediaGone,
  MediaLease,
  MediaNodeId,
  MediaRelease,
  ToEngine,
  ToMediaNode,
} from '../bus/media-messages.ts'
import type { EngineId } from '../bus/messages.ts'
import type { Clock } from '../protocol/clock.ts'
import { Refusal } from '../protocol/errors.ts'
import type { PlayerId } from '../protocol/frames.ts'
import type { Heartbeat } from './heartbeat.ts'
import { SILENCE_MS } from './limits.ts'
import { Neighbours } from './neighbours.ts'
import type { Peer } from './peer.ts'
import type { Grants } from './policy.ts'
import { type Answer, answerOf } from './refusals.ts'
import { Session } from './session.ts'
import { type IceServer, METHODS } from './signalling.ts'
import { Stage, type StageOptions } from './stage.ts'
import { Tenure } from './tenure.ts'

/** Without a lease for so long it is said to all engines that the room is here: its owner may be another one now. */
const ORPHAN_MS = 2_000
/** The epoch of a room that nobody uses is known for so long after its lease. */
const FORGET_AFTER_MS = 60_000

/** What the owner of a room says to it. */
export type FromOwner = Exclude<ToMediaNode, MediaRelease>

/** What a room says to its engine, but for who says it. */
export type Say = (engine: EngineId, message: ToEngine) => void

export interface RoomOptions extends Pick<StageOptions, 'workers' | 'openLink' | 'chance'> {
  id: string
  node: string
  clock: Clock
  /** Of the node. */
  heartbeat: Heartbeat
  iceServers: readonly IceServer[]
  say: Say
  /** To all engines. */
  sayOrphan: (players: readonly PlayerId[]) => void
  sayTo: (node: MediaNodeId, message: BetweenMediaNodes) => void
}

/** One room at this node: what its tenure grants holds on its stage. */
export class Room {
  readonly stage: Stage
  readonly #options: RoomOptions
  readonly #neighbours: Neighbours
  readonly #sessions = new Map<string, Session>()
  readonly #tenure: Tenure
  #nodes: readonly MediaNodeId[] = []
  /** What the stage was told last. */
  #applied: Grants
  /** Since the last lease. */
  #silentMs = 0
  #unusedMs = 0

  constructor(options: RoomOptions) {
    this.#options = options
    this.#tenure = new Tenure(options.clock, options.heartbeat, () => this.#settle())
    this.#applied = this.#tenure.grants
    this.stage = new Stage({
      ...options,
      tell: (peer, topic, data) => this.#tell(peer, topic, data),
      onSpeaker: (player) => this.#say({ kind: 'media-speaker', ...this.#stamp(), player }),
      onEnd: (peer) => this.#forget(peer),
      onChange: () => this.#neighbours.settle(),
      onLevels: (levels) => this.#neighbours.tellLevels(levels),
    })
    const { id, node, clock, sayTo } = options
    this.#neighbours = new Neighbours({ node, room: id, clock, stage: this.stage, say: sayTo })
  }

  hear(message: FromOwner): void {
    const { epoch } = this.#tenure
    if (!this.#tenure.believes(message)) return
    if (epoch >= 0 && message.epoch > epoch) this.#neighbours.keep()
    if (message.kind === 'media-lease') this.#lease(message)
    else if (message.kind === 'media-call') this.#call(message)
    else this.#gone(message)
    this.#settle()
    if (message.kind === 'media-lease') this.#acknowledge()
  }

  hearNode(message: BetweenMediaNodes): void {
    this.#neighbours.hear(message)
  }

  /** It has lost its owner. */
  release(): void {
    this.#silentMs = ORPHAN_MS
    this.#sayOrphan()
  }

  /** Every node that has part of it, as far as its owner said. */
  get nodes(): readonly MediaNodeId[] {
    return this.#nodes
  }

  /** Whether anybody still needs to know of it. */
  get isUnused(): boolean {
    return this.#unusedMs >= FORGET_AFTER_MS
  }

  /** `ms` have passed. Counted so, for the clock may step. */
  tick(ms: number): void {
    this.#neighbours.repeat(ms)
    for (const peer of this.stage.peers.values()) peer.silentMs += ms
    this.stage.end(...[...this.stage.peers.values()].filter(({ silentMs }) => silentMs > SILENCE_MS))
    this.#silentMs += ms
    if (this.#silentMs >= ORPHAN_MS) this.#sayOrphan()
    this.#unusedMs = this.#tenure.isLeased || this.#sessions.size > 0 ? 0 : this.#unusedMs + ms
  }

  close(): void {
    this.#tenure.close()
    this.stage.move()
    this.#neighbours.close()
  }

  #lease(lease: MediaLease): void {
    if (!this.#tenure.renew(lease)) return
    const { nodes } = lease
    this.#silentMs = 0
    this.#nodes = nodes
    this.#neighbours.be(nodes)
    // The room has left this node.
    if (!nodes.includes(this.#options.node)) this.stage.move()
  }

  #settle(): void {
    const { grants } = this.#tenure
    if (grants === this.#applied) return
    this.#applied = grants
    this.stage.apply(grants)
  }

  #acknowledge(): void {
    this.#say({ kind: 'media-ack', ...this.#stamp(), hash: this.#tenure.hash, peers: this.#players().size })
  }

  #sayOrphan(): void {
    const players = this.#players()
    if (players.size > 0) this.#options.sayOrphan([...players])
  }

  #players(): ReadonlySet<PlayerId> {
    return new Set([...this.stage.peers.values()].map(({ viewer }) => viewer.player))
  }

  #call({ id, engine, peer: caller, ref, method: name, params }: MediaCall): void {
    const { node, iceServers } = this.#options
    const reply = (answer: Answer) => this.#options.say(engine, { kind: 'media-reply', node, id, answer })
    const method = METHODS.get(name)
    if (method === undefined) {
      reply(answerOf(new Refusal('not_found', `no method ${name.slice(0, 64)}`)))
      return
    }
    const session = this.#sessionOf(caller)
    const { peer } = session
    if (peer !== null && peer.viewer.role !== caller.role) this.stage.end(peer)
    else if (peer !== null) peer.silentMs = 0
    const scene = { caller, session, stage: this.stage, iceServers }
    void session
      .answer(ref, method.onlyReads, () => method.run(scene, params))
      .then(reply)
      .then(() => this.#forgetIdle(caller, session))
  }

  #gone({ players }: MediaGone): void {
    this.stage.end(...[...this.stage.peers.values()].filter(({ viewer }) => players.includes(viewer.player)))
  }

  #sessionOf(of: Caller): Session {
    const key = keyOf(of)
    const session = this.#sessions.get(key) ?? new Session()
    this.#sessions.set(key, session)
    return session
  }

  #forget({ viewer, session }: Peer): void {
    const of = { player: viewer.player, session }
    const known = this.#sessions.get(keyOf(of))
    if (known === undefined) return
    known.peer = null
    this.#forgetIdle(of, known)
  }

  #forgetIdle(of: Caller, session: Session): void {
    if (session.isIdle && this.#sessions.get(keyOf(of)) === session) this.#sessions.delete(keyOf(of))
  }

  #tell({ viewer, session }: Peer, topic: `media.${string}`, data: unknown): void {
    this.#say({ kind: 'media-tell', ...this.#stamp(), to: { player: viewer.player, session }, topic, data })
  }

  #stamp() {
    return { node: this.#options.node, room: this.#options.id, epoch: this.#tenure.epoch }
  }

  #say(message: ToEngine): void {
    this.#options.say(this.#tenure.engine, message)
  }
}

type Caller = Pick<MediaCall['peer'], 'player' | 'session'>

/** No id holds a space. */
const keyOf = ({ player, session }: Caller): string => `${player} ${session}`
