import type { Bus } from '../../bus/bus.ts'
import { deriveId } from '../../bus/derive.ts'
import {
  type Ask,
  type EngineId,
  type Item,
  isRequest,
  type Message,
  type Request,
  type ToldItem,
} from '../../bus/messages.ts'
import { ASK_SUBJECT, commandSubject, PARTITIONS } from '../../bus/subjects.ts'
import type { Chance, Clock } from '../../protocol/clock.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { PlayerId, RoomId } from '../../protocol/frames.ts'
import type { Storage } from '../log/log.ts'
import { Media } from '../media/media.ts'
import { KeyRing } from '../room/keyring.ts'
import type { Report } from '../room/writer.ts'
import type { LoadedGame } from '../rules/game.ts'
import { type CommandPorts, takeCommand } from './commands.ts'
import { attachAgain, type ConnectionPorts, detach } from './connections.ts'
import { Lanes } from './lanes.ts'
import { Library } from './library.ts'
import { listRoom, listRooms } from './listing.ts'
import { Matching } from './matching.ts'
import { Outbox } from './outbox.ts'
import { type ReadPorts, takeRead } from './reads.ts'
import { Rooms } from './rooms.ts'

/** Rooms that one listing names at most. */
const LISTED_MOST = 200

export interface EngineOptions {
  readonly bus: Bus
  readonly storage: Storage
  readonly clock: Clock
  readonly chance: Chance
  readonly games: readonly LoadedGame[]
  /** Ids of rooms follow from it. */
  readonly clusterKey: Uint8Array
  readonly report: Report
}

/**
 * Owns all partitions: takes requests from the bus, runs the rooms, and sends gateways what their connections may see.
 * Frames arrive whole and are opened here, past the gateway, which reads no payload.
 */
export class Engine {
  /** For metrics, simulations and the admin port. */
  readonly rooms: Rooms
  readonly #options: EngineOptions
  readonly #keys: KeyRing
  readonly #library: Library
  readonly #outbox: Outbox
  readonly #lanes: Lanes
  readonly #media: Media
  readonly #ports: CommandPorts & ConnectionPorts & ReadPorts
  #subscriptions: (() => void)[] = []
  /** Resolves once what was live before is taken over. */
  #ready: Promise<void> = Promise.resolve()

  /** Starts to answer at once; rooms that were live come back in the background, each before its first request. */
  static async start(options: EngineOptions): Promise<Engine> {
    const epoch = await options.storage.nextEpoch()
    const library = await Library.open(options.games, options.storage)
    const engine = new Engine(options, epoch, library)
    engine.#listen()
    engine.#ready = engine.rooms.takeOver().catch((error) => engine.#failed('taking over rooms', error))
    return engine
  }

  private constructor(options: EngineOptions, epoch: number, library: Library) {
    const { bus, storage, clock, chance, clusterKey, report } = options
    const id: EngineId = `e${epoch}-${chance.uint32().toString(36)}`
    let records = 0
    this.#options = options
    this.#library = library
    this.#keys = new KeyRing(storage, chance)
    this.#outbox = new Outbox(id, bus, clock)
    this.#lanes = new Lanes(clock)
    const keys = this.#keys
    this.#media = new Media({ engine: id, epoch, bus, clock, report, room: (room) => this.rooms.here(room) })
    const room = {
      clock,
      chance,
      storage,
      keys,
      epoch,
      report,
      recordId: () => {
        records += 1
        return `${id}.${records}`
      },
      nextRoom: (of: RoomId) => deriveId(clusterKey, 'again', of),
      send: (gateway: string, item: Item) => this.#outbox.send(gateway, item),
      media: this.#media,
    }
    this.rooms = new Rooms({ clock, chance, storage, keys, library, report, room })
    const matching = new Matching({
      rooms: this.rooms,
      library,
      now: () => clock.now(),
      ready: () => this.#ready,
      newRoom: ({ by, session }, ref) => deriveId(clusterKey, 'match', by, session, ref),
    })
    this.#ports = {
      rooms: this.rooms,
      library,
      keys,
      matching,
      media: this.#media,
      lanes: this.#lanes,
      answer: (to, item) => this.#outbox.send(to.gateway, { ...item, epoch }),
      failed: (what, error) => this.#failed(what, error),
    }
  }

  /** Lets commits in flight land, keeps snapshots, and goes silent. */
  async close(): Promise<void> {
    this.#unsubscribe()
    await this.rooms.close()
    await this.#ready
    this.#media.close()
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
    this.#unsubscribe()
    this.rooms.abandon()
    this.#media.close()
    this.#outbox.abandon()
    this.#lanes.close()
  }

  #listen(): void {
    const { bus } = this.#options
    const hear = (message: Message): void => {
      if (isRequest(message)) this.#work(message).catch((error) => this.#failed(message.kind, error))
    }
    for (let p = 0; p < PARTITIONS; p++) this.#subscriptions.push(bus.subscribe(commandSubject(p), hear))
    this.#subscriptions.push(bus.subscribe(ASK_SUBJECT, hear))
  }

  async #work(request: Request): Promise<void> {
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
        return this.#tell(request)
    }
  }

  async #tell({ gateway, id, about }: Ask): Promise<void> {
    const tell = (value: ToldItem['value']): void => this.#outbox.send(gateway, { kind: 'told', id, value })
    const ports = { rooms: this.rooms, index: this.#options.storage, library: this.#library }
    try {
      if (about.type === 'games') tell({ games: this.#library.listings() })
      else if (about.type === 'rooms') tell({ rooms: await listRooms(about.game, LISTED_MOST, ports) })
      else tell({ room: await listRoom(about.room, ports) })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      tell({ refused: { code: error.code, message: error.message } })
    }
  }

  /** What nobody foresaw: reported; the sender tries again and is told `unavailable` in the end. */
  #failed(what: string, error: unknown): void {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#options.report('error', `${what} failed: ${message}`, {})
  }

  #unsubscribe(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe()
    this.#subscriptions = []
  }
}
