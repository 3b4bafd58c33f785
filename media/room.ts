import type {
  BetweenMediaNodes,
  EngineId,
  MediaCall,
  MediaGone,
  MediaLease,
  MediaNodeId,
  ToEngine,
  ToMediaNode,
} from '../bus/messages.ts'
import type { Clock } from '../protocol/clock.ts'
import { Refusal } from '../protocol/errors.ts'
import { SILENCE_MS } from './limits.ts'
import { Neighbours } from './neighbours.ts'
import type { Peer } from './peer.ts'
import { type Grants, grantsOf } from './policy.ts'
import { type Answer, answerOf } from './refusals.ts'
import { Session } from './session.ts'
import { type IceServer, METHODS } from './signalling.ts'
import { Stage, type StageOptions } from './stage.ts'

/** Without a lease for so long everything stops. */
const LEASE_MS = 5_000
/** The epoch of a room that nobody uses is known for so long after its lease. */
const FORGET_AFTER_MS = 60_000

const NOTHING = grantsOf(null)

/** What a room says to its engine, but for who says it. */
export type Say = (engine: EngineId, message: ToEngine) => void

export interface RoomOptions extends Pick<StageOptions, 'workers' | 'openLink' | 'chance'> {
  id: string
  node: string
  clock: Clock
  iceServers: readonly IceServer[]
  say: Say
  sayTo: (node: MediaNodeId, message: BetweenMediaNodes) => void
}

/**
 * One room at this node: it believes its owner with the highest epoch, and grants what the policy of that owner grants for as
 * long as the lease lasts. Before the first, after the last, and where the lease is for a policy that has not come: nothing.
 */
export class Room {
  readonly stage: Stage
  readonly #options: RoomOptions
  readonly #neighbours: Neighbours
  readonly #sessions = new Map<string, Session>()
  #engine: EngineId = ''
  #epoch = -1
  #seq = -1
  #hash: string | null = null
  #grants: Grants = NOTHING
  /** What the stage was told last. */
  #applied: Grants = NOTHING
  #isLeased = false
  #endLease = () => {}
  #unusedMs = 0

  constructor(options: RoomOptions) {
    this.#options = options
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

  hear(message: ToMediaNode): void {
    if (message.epoch < this.#epoch) return
    if (message.epoch > this.#epoch) this.#believe(message.epoch)
    this.#engine = message.engine
    if (message.kind === 'media-lease') this.#lease(message)
    else if (message.kind === 'media-call') this.#call(message)
    else this.#gone(message)
    this.#settle()
    if (message.kind === 'media-lease') this.#acknowledge()
  }

  hearNode(message: BetweenMediaNodes): void {
    this.#neighbours.hear(message)
  }

  /** Whether anybody still needs to know of it. */
  get isUnused(): boolean {
    return this.#unusedMs >= FORGET_AFTER_MS
  }

  /** `ms` have passed. Counted so, for the clock may step. */
  tick(ms: number): void {
    this.#neighbours.repeat()
    for (const peer of this.stage.peers.values()) peer.silentMs += ms
    this.stage.end(...[...this.stage.peers.values()].filter(({ silentMs }) => silentMs > SILENCE_MS))
    this.#unusedMs = this.#isLeased || this.#sessions.size > 0 ? 0 : this.#unusedMs + ms
  }

  close(): void {
    this.#endLease()
    this.stage.move()
    this.#neighbours.close()
  }

  #believe(epoch: number): void {
    this.#epoch = epoch
    this.#seq = -1
    this.#hash = null
    this.#grants = NOTHING
  }

  #lease({ seq, hash, policy, nodes }: MediaLease): void {
    if (seq < this.#seq) return
    this.#neighbours.be(nodes)
    this.#seq = seq
    if (policy !== null && hash !== this.#hash) {
      this.#hash = hash
      this.#grants = grantsOf(policy)
    }
    this.#endLease()
    this.#isLeased = hash === this.#hash
    if (this.#isLeased)
      this.#endLease = this.#options.clock.after(LEASE_MS, () => {
        this.#isLeased = false
        this.#settle()
      })
  }

  #settle(): void {
    const grants = this.#isLeased ? this.#grants : NOTHING
    if (grants === this.#applied) return
    this.#applied = grants
    this.stage.apply(grants)
  }

  #acknowledge(): void {
    const players = new Set([...this.stage.peers.values()].map(({ viewer }) => viewer.player))
    this.#say({ kind: 'media-ack', ...this.#stamp(), hash: this.#hash, peers: players.size })
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
    return { node: this.#options.node, room: this.#options.id, epoch: this.#epoch }
  }

  #say(message: ToEngine): void {
    this.#options.say(this.#engine, message)
  }
}

type Caller = Pick<MediaCall['peer'], 'player' | 'session'>

/** No id holds a space. */
const keyOf = ({ player, session }: Caller): string => `${player} ${session}`
