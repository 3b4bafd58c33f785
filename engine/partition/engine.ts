import type { Bus } from '../../bus/bus.ts'
import { deriveId, deriveIdBeside } from '../../bus/derive.ts'
import { type EngineId, type Item, isRequest, type Message, type Request } from '../../bus/messages.ts'
import { ASK_SUBJECT, commandSubject, partitionOf, SEATS_SUBJECT } from '../../bus/subjects.ts'
import type { Chance, Clock } from '../../protocol/clock.ts'
import type { PlayerId, RoomId } from '../../protocol/frames.ts'
import type { Storage } from '../log/log.ts'
import { Media } from '../media/media.ts'
import { KeyRing } from '../room/keyring.ts'
import type { Report } from '../room/writer.ts'
import type { LoadedGame } from '../rules/game.ts'
import { type AskPorts, takeAsk } from './asks.ts'
import { type CommandPorts, takeCommand } from './commands.ts'
import { attachAgain, type ConnectionPorts, detach } from './connections.ts'
import { Errands, isErrands } from './errands.ts'
import { Gateways } from './gateways.ts'
import { Holdings } from './holdings.ts'
import { Lanes } from './lanes.ts'
import { Library } from './library.ts'
import { readOnce } from './listing.ts'
import { Matching } from './matching.ts'
import { Outbox } from './outbox.ts'
import type { Ownership } from './ownership.ts'
import { type ReadPorts, takeRead } from './reads.ts'
import { Rooms } from './rooms.ts'
import { SeatsElsewhere } from './seats.ts'
import { SeatsAnnouncer } from './seats-announcer.ts'
import { soleOwnership } from './sole.ts'

/** Requests that may wait until it is sure again what this engine owns; whoever sent another one sends it again. */
const UNSURE_MOST = 2_048

export interface EngineOptions {
  /** Never used before. */
  readonly id: EngineId
  /** Which partitions are its own. */
  readonly ownership: Ownership
  readonly bus: Bus
  readonly storage: Storage
  readonly clock: Clock
  readonly chance: Chance
  readonly games: readonly LoadedGame[]
  /** Ids of rooms follow from it. */
  readonly clusterKey: Uint8Array
  readonly report: Report
}

/** An engine's id, new at each call. */
export const newEngineId = (chance: Chance): EngineId => `e${Buffer.from(chance.bytes(6)).toString('hex')}`

/**
 * Owns partitions: takes the requests for them from the bus, runs their rooms, and sends gateways what their connections may
 * see. Frames arrive whole and are opened here, past the gateway, which reads no payload.
 */
export class Engine {
  /** For metrics, simulations and the admin port. */
  readonly rooms: Rooms
  readonly #options: EngineOptions
  readonly #keys: KeyRing
  readonly #holdings: Holdings
  readonly #outbox: Outbox
  readonly #gateways: Gateways
  readonly #lanes: Lanes
  readonly #media: Media
  readonly #errands: Errands
  readonly #elsewhere: SeatsElsewhere
  readonly #announcer: SeatsAnnouncer
  readonly #matching: Matching
  readonly #ports: CommandPorts & ConnectionPorts & ReadPorts & AskPorts
  #ends: (() => void)[] = []
  /** Requests that wait until it is sure. */
  #unsure = 0

  /** Starts to answer for the partitions that it owns; rooms that were live come back in the background, each before its first request. */
  static async start(options: EngineOptions): Promise<Engine> {
    const library = await Library.open(options.games, options.storage)
    const engine = new Engine(options, library)
    engine.#ends = [
      options.bus.subscribe(ASK_SUBJECT, (message) => engine.#hear(message, null)),
      options.bus.subscribe(SEATS_SUBJECT, (message) => {
        if (message.kind === 'seats') engine.#elsewhere.heard(message)
      }),
    ]
    await options.ownership.start(engine.#holdings)
    return engine
  }

  /** The only engine on its storage: all partitions are its own for as long as it runs. */
  static async startAlone(options: Omit<EngineOptions, 'id' | 'ownership'>): Promise<Engine> {
    const ownership = soleOwnership(await options.storage.nextEpoch())
    return Engine.start({ ...options, id: newEngineId(options.chance), ownership })
  }

  private constructor(options: EngineOptions, library: Library) {
    const { id, ownership, bus, storage, clock, chance, clusterKey, report } = options
    let records = 0
    this.#options = options
    this.#keys = new KeyRing(storage, chance)
    this.#holdings = new Holdings({
      listen: (partition) => bus.subscribe(commandSubject(partition), (message) => this.#hear(message, partition)),
      own: (partitions) => {
        this.#gateways.say()
        this.#matching.own(partitions.keys())
        return this.rooms.takeOver(new Set(partitions.keys()))
      },
      release: (partition) => this.rooms.release(partition),
      lose: (partition) => this.rooms.lose(partition),
      gone: (partition) => this.#media.lose(partition),
      failed: (what, error) => this.#failed(what, error),
    })
    const keys = this.#keys
    const holdings = this.#holdings
    const epochOf = (room: RoomId) => holdings.epochOf(partitionOf(room))
    this.#media = new Media({
      engine: id,
      epochOf,
      isSure: () => ownership.isSure,
      bus,
      clock,
      report,
      room: (room) => this.rooms.here(room),
    })
    this.#outbox = new Outbox(id, bus, clock, (gateway) => this.#gateways.await(gateway))
    this.#gateways = new Gateways({
      engine: id,
      bus,
      clock,
      epochs: holdings.epochs,
      nodes: this.#media.nodes,
      came: (gateway) => this.#outbox.greet(gateway),
      gone: (gateway) => {
        // An engine's address has none.
        const ended = isErrands(gateway) ? null : this.rooms.detachAll(gateway)
        this.#outbox.end(gateway)
        if (ended === null) return
        // One that was stopped in order had no connections left.
        if (ended > 0) report('warn', 'a gateway is gone: its connections here have ended', { gateway, ended })
        else report('info', 'a gateway is gone', { gateway })
      },
    })
    this.#lanes = new Lanes(clock)
    const sure = () => (ownership.isSure ? null : ownership.sure())
    this.#errands = new Errands(id, bus, clock)
    this.#elsewhere = new SeatsElsewhere(id, clock)
    this.#announcer = new SeatsAnnouncer({
      engine: id,
      bus,
      clock,
      rooms: () => library.ids().flatMap((game) => [...this.rooms.publicOf(game)]),
      isAlone: () => ownership.engines <= 1,
    })
    const room = {
      clock,
      chance,
      storage,
      keys,
      report,
      recordId: () => {
        records += 1
        return `${id}.${records}`
      },
      nextRoom: (of: RoomId) => deriveIdBeside(of, clusterKey, 'again', of),
      send: (gateway: string, item: Item) => this.#outbox.send(gateway, item),
      media: this.#media,
    }
    this.rooms = new Rooms({
      clock,
      chance,
      storage,
      keys,
      library,
      report,
      room,
      changed: (of) => this.#announcer.changed(of),
      epochOf: (of) => holdings.stayingEpochOf(partitionOf(of)),
      sure,
    })
    this.#matching = new Matching({
      rooms: this.rooms,
      library,
      clock,
      errands: this.#errands,
      elsewhere: this.#elsewhere,
      epochOf: (partition) => holdings.stayingEpochOf(partition),
      sure,
      known: () => holdings.known(),
      ready: () => holdings.ready(),
      newRoom: ({ by, session }, ref, n) => deriveId(clusterKey, 'match', by, session, ref, ...(n === 0 ? [] : [n])),
    })
    this.#ports = {
      engine: id,
      ownership,
      holdings,
      rooms: this.rooms,
      index: readOnce(storage),
      library,
      keys,
      matching: this.#matching,
      media: this.#media,
      lanes: this.#lanes,
      answer: (to, item) => {
        // Of no room: a gateway takes it from anybody.
        const epoch = item.room === '' ? 0 : epochOf(item.room)
        if (epoch !== null) this.#outbox.send(to.gateway, { ...item, epoch })
      },
      tell: (gateway, item) => this.#outbox.send(gateway, item),
      failed: (what, error) => this.#failed(what, error),
    }
  }

  /** False while it cannot be sure what it owns, and answers nothing. */
  get isReady(): boolean {
    return this.#options.ownership.isSure
  }

  /** For `GET /admin/status` and metrics. */
  status(): { engine: EngineId; engines: number; partitions: number; live: number; frozen: number } {
    const { id, ownership } = this.#options
    return { engine: id, engines: ownership.engines, partitions: this.#holdings.epochs.size, ...this.rooms.counts() }
  }

  /** Lets commits in flight land, keeps snapshots, hands over what it owns, and goes silent. */
  async close(): Promise<void> {
    for (const end of this.#ends) end()
    await this.#options.ownership.leave()
    this.#endMatching()
    await this.rooms.close()
    this.#media.close()
    this.#gateways.close()
    this.#outbox.close()
    this.#lanes.close()
  }

  /**
   * Deletes the key of a player's name and words, and reads the rooms again that hold them. Clients that hold the name keep
   * it until their next STATE. Rejects where the store fails.
   */
  async forgetPlayer(player: PlayerId): Promise<void> {
    await this.#options.storage.forgetPlayer(player)
    this.#keys.drop(player)
    await this.rooms.readAgain(({ members }) => Object.hasOwn(members, player))
  }

  /** Goes silent at once, as a crash would. For simulations. */
  abandon(): void {
    this.#options.ownership.abandon()
    for (const end of this.#ends) end()
    this.#endMatching()
    this.#holdings.close()
    this.rooms.abandon()
    this.#media.close()
    this.#gateways.close()
    this.#outbox.abandon()
    this.#lanes.close()
  }

  #endMatching(): void {
    this.#errands.close()
    this.#elsewhere.close()
    this.#announcer.close()
  }

  #hear(message: Message, partition: number | null): void {
    if (isRequest(message)) this.#work(message, partition).catch((error) => this.#failed(message.kind, error))
  }

  async #work(request: Request, partition: number | null): Promise<void> {
    const { ownership } = this.#options
    this.#gateways.heard(request.gateway)
    if (!ownership.isSure) {
      if (this.#unsure === UNSURE_MOST) return
      this.#unsure += 1
      await ownership.sure()
      this.#unsure -= 1
    }
    // Its owner answers; where that is nobody yet, the sender asks again.
    if (partition !== null && !this.#holdings.answersFor(partition)) return
    switch (request.kind) {
      case 'command': {
        const lane = this.#lanes.enter(request, request.conn)
        return lane === null ? undefined : takeCommand(request, lane, this.#ports)
      }
      case 'read':
        return takeRead(request, this.#ports)
      case 'attach':
        return attachAgain(request, this.#ports)
      case 'detach':
        return detach(request, this.#ports)
      case 'ask':
        return takeAsk(request, this.#ports)
    }
  }

  /** What nobody foresaw: reported; the sender tries again and is told `unavailable` in the end. */
  #failed(what: string, error: unknown): void {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#options.report('error', `${what} failed: ${message}`, {})
  }
}
