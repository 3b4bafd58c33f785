import type { EngineId } from '../../bus/messages.ts'
import { partitionOf } from '../../bus/subjects.ts'
import { clusterOwnership } from '../../engine/partition/cluster-ownership.ts'
import { Engine, newEngineId } from '../../engine/partition/engine.ts'
import { partitionKey } from '../../engine/partition/ledger-keys.ts'
import type { Report } from '../../engine/room/writer.ts'
import type { LoadedGame } from '../../engine/rules/game.ts'
import { messageOf } from '../../protocol/errors.ts'
import { OP } from '../../protocol/frames.ts'
import { virtualClock } from '../virtual-clock.ts'
import { Bot, type Memories, type Table } from './bots.ts'
import { describe, isBeat, SimBus } from './bus.ts'
import { DurableCheck } from './checks/durable.ts'
import { Flows } from './checks/forwarded.ts'
import type { WireFrame, WireTap } from './checks/wire.ts'
import { Dice } from './dice.ts'
import type { Ground } from './ground.ts'
import { Host, type Place } from './host.ts'
import { SimLedger } from './ledger.ts'
import { Links } from './links.ts'
import { SimMediaNode } from './medianode.ts'
import { SimNetwork } from './network.ts'
import { SimRequests } from './requests.ts'
import { CLUSTER_KEY, type Door, openSite, type Site } from './site.ts'
import { SimSockets } from './sockets.ts'
import { NO_ANSWER, SimStore, type StoreBreak } from './store.ts'
import { Timeline } from './timeline.ts'

/** How long a gateway that has drained goes on to tell engines who is gone. */
const GATEWAY_STOPS_MS = 20_000
/** An engine that has not stopped by then is killed. */
const STOPS_MS = 15_000

export interface WorldOptions {
  readonly seed: number
  readonly games: readonly LoadedGame[]
  readonly broken: StoreBreak
}

/** A place for an engine, and the one that runs there now. */
export interface EngineSlot {
  readonly place: Place
  host: Host | null
  /** Null while it starts. */
  core: Engine | null
}

/** A place for a media node, and the one that runs there now. */
export interface MediaSlot {
  readonly place: Place
  node: SimMediaNode | null
}

/** One seeded world: a store, a ledger, a bus, engines and gateways that die and come back, and bots over simulated sockets, in virtual time. */
export class World {
  readonly seed: number
  readonly ground: Ground
  readonly links = new Links()
  readonly store: SimStore
  readonly ledger: SimLedger
  readonly bus: SimBus
  readonly network: SimNetwork
  readonly durable: DurableCheck
  readonly slots: EngineSlot[]
  /** The processes of engines, by the engines' ids. */
  readonly hosts = new Map<EngineId, Host>()
  readonly doors: Door[]
  readonly media: MediaSlot[]
  readonly flows: Flows
  /** When which processes stood still, ms since the world began. */
  readonly pauses: { readonly from: number; readonly to: number }[] = []
  readonly bots: Bot[] = []
  readonly wire: WireFrame[] = []
  readonly memories: Memories = { showings: [], moves: [], open: 0 }
  readonly games: readonly LoadedGame[]
  /** Whether clocks step while the faults last. */
  readonly clocksStep: boolean
  /** Whether all clocks show the same, within a tenth of a second. */
  readonly clocksAgree: boolean
  isPlaying = true
  isFaulty = true
  readonly #sockets: SimSockets
  readonly #requests: SimRequests
  #engines = 0
  #gateways = 0
  #nodes = 0

  constructor({ seed, games, broken }: WorldOptions) {
    this.seed = seed
    const clock = virtualClock(seed)
    const began = clock.now()
    const timeline = new Timeline(() => clock.now() - began)
    const dice = (name: string) => new Dice(seed, name)
    this.ground = {
      clock,
      timeline,
      dice: {
        bus: dice('bus'),
        store: dice('store'),
        ledger: dice('ledger'),
        sockets: dice('sockets'),
        hosts: dice('hosts'),
        faults: dice('faults'),
        bots: dice('bots'),
        programs: dice('programs'),
      },
    }
    this.games = games
    this.store = new SimStore(this.ground, this.links, broken)
    this.ledger = new SimLedger(this.ground, this.links)
    this.ledger.isNoted = (key) => this.store.rooms.some((room) => key === partitionKey(partitionOf(room)))
    this.durable = new DurableCheck(this.store, timeline)
    this.bus = new SimBus(this.ground, this.links)
    this.bus.onPublish = (subject, message, host) => {
      if (!isBeat(message)) {
        const room = 'room' in message ? message.room : roomOfItems(message)
        timeline.note(room, `${host.name} sends ${describe(message)} to ${subject}`)
      }
      this.durable.see(subject, message)
    }
    const { faults, hosts } = this.ground.dice
    const clocks = hosts.pick([0, 0, 100, 300_000])
    this.clocksStep = hosts.may(0.25)
    this.clocksAgree = !this.clocksStep && clocks <= 100
    const place = (name: string): Place => ({ name, skew: hosts.between(-clocks, clocks) })
    this.slots = Array.from({ length: faults.pick([1, 2, 2, 3, 3]) }, (_, i) => ({
      place: place(`E${i + 1}`),
      host: null,
      core: null,
    }))
    this.doors = Array.from({ length: faults.between(1, 3) }, (_, i) => {
      const at = place(`G${i + 1}`)
      return { place: at, site: this.#openSite(at), swallowsUpgrades: false }
    })
    this.flows = new Flows(timeline)
    this.media = Array.from({ length: hosts.pick([0, 1, 1, 2]) }, (_, i) => ({ place: place(`M${i + 1}`), node: null }))
    for (const slot of this.media) this.startMedia(slot)
    const tap: WireTap = {
      sent: (who, conn, over, frame) => this.#tapped({ who, conn, up: true, over, frame }),
      reads: (who, conn, reads, status) => {
        const answer = status === undefined ? {} : { status }
        this.#tapped({ who, conn, up: status === undefined, over: 'read', frame: [], reads, ...answer })
      },
      delivered: (who, conn, over, frame) => this.#tapped({ who, conn, up: false, over, frame }),
    }
    this.network = new SimNetwork(this.ground, this.doors, tap)
    this.#sockets = new SimSockets(this.network)
    this.#requests = new SimRequests(this.network)
  }

  /** Every place where something runs. */
  get places(): Place[] {
    return [...this.slots, ...this.doors, ...this.media].map(({ place }) => place)
  }

  /** The engines that have started and not died. */
  get engines(): { host: Host; core: Engine }[] {
    return this.slots.flatMap(({ host, core }) => (host !== null && core !== null ? [{ host, core }] : []))
  }

  /** All that runs now. */
  get processes(): Host[] {
    const engines = this.slots.flatMap(({ host }) => host ?? [])
    const nodes = this.media.flatMap(({ node }) => node?.host ?? [])
    return [...engines, ...this.doors.map(({ site }) => site.host), ...nodes]
  }

  /** Starts the engines that do not run. Resolves once all have. */
  async startEngines(): Promise<void> {
    await Promise.all(this.slots.map((slot) => this.startEngine(slot)))
  }

  /** Starts an engine, if none runs there; what an earlier one left under way may still land. Tried again where it cannot start. */
  async startEngine(slot: EngineSlot): Promise<void> {
    const { timeline, clock } = this.ground
    while (slot.host === null) {
      const host = new Host(`engine ${++this.#engines}`, slot.place, this.ground)
      slot.host = host
      timeline.note(null, `${host.name} starts at ${slot.place.name}`)
      try {
        const core = await this.#start(host)
        if (slot.host === host) slot.core = core
        return
      } catch (error) {
        timeline.note(null, `${host.name} could not start: ${messageOf(error)}`)
        host.die()
        await new Promise<void>((resolve) => clock.after(500, resolve))
        if (slot.host === host) slot.host = null
      }
    }
  }

  #start(host: Host): Promise<Engine> {
    const { dice } = this.ground
    const id = newEngineId(dice.programs)
    const { clock } = host
    const report: Report = (level, message, fields) => this.#reported(host, level, message, fields)
    this.hosts.set(id, host)
    return Engine.start({
      id,
      ownership: clusterOwnership({ engine: id, ledger: this.ledger.door(host), clock, report }),
      bus: this.bus.of(host),
      storage: this.store.door(host),
      clock,
      chance: dice.programs,
      games: this.games,
      clusterKey: CLUSTER_KEY,
      report,
    })
  }

  #reported(host: Host, ...[level, message, fields]: Parameters<Report>): void {
    const { timeline } = this.ground
    const room = typeof fields.room === 'string' ? fields.room : null
    timeline.note(room, `${host.name} ${level}: ${message}`)
    timeline.count(`reports: ${level}`)
    if (/ failed: |^frozen/.test(message) && !message.includes(NO_ANSWER))
      timeline.fail('run', room, `${host.name} reports: ${message}`)
  }

  /** Kills an engine at once: nothing that it does afterwards has an effect, but for what it had sent. */
  crash(slot: EngineSlot, why: string): void {
    const { host, core } = slot
    if (host === null) return
    this.ground.timeline.note(null, `${host.name} crashes ${why}`)
    this.ground.timeline.count('crashes')
    slot.host = null
    slot.core = null
    host.die()
    core?.abandon()
  }

  /** Stops an engine in order; another may start at once. */
  async stopEngine(slot: EngineSlot): Promise<void> {
    const { host, core } = slot
    const { timeline, clock } = this.ground
    if (host === null || core === null) return
    timeline.note(null, `${host.name} stops`)
    slot.core = null
    slot.host = null
    await new Promise<void>((resolve) => {
      const cancel = clock.after(STOPS_MS, resolve)
      host.arrive(() => void core.close().then(resolve).finally(cancel))
    })
    host.die()
    core.abandon()
  }

  /** Starts a media node, if none runs there. */
  startMedia(slot: MediaSlot): void {
    if (slot.node !== null) return
    const name = `media ${++this.#nodes}`
    const host = new Host(name, slot.place, this.ground)
    slot.node = new SimMediaNode(`m${this.#nodes}`, host, this.bus.of(host), this.flows)
  }

  /** Kills a media node at once: nothing flows there any more. */
  crashMedia(slot: MediaSlot): void {
    if (slot.node === null) return
    this.ground.timeline.note(null, `${slot.node.host.name} crashes`)
    this.ground.timeline.count('media nodes crashed')
    const { node } = slot
    slot.node = null
    node.host.die()
    node.close()
  }

  /** Stops a process in the middle of what it does, and lets it go on after `ms`. */
  pause(host: Host, ms: number): void {
    const { timeline, clock } = this.ground
    if (!host.isUp) return
    timeline.note(null, `${host.name} is paused for ${ms} ms`)
    timeline.count('pauses')
    this.pauses.push({ from: timeline.now, to: timeline.now + ms })
    host.pause()
    const node = this.media.find((slot) => slot.node?.host === host)?.node
    for (const flow of node?.flows ?? []) this.flows.ended(flow)
    clock.after(ms, () => this.resume(host))
  }

  resume(host: Host): void {
    if (!host.isPaused || host.isDead) return
    this.ground.timeline.note(null, `${host.name} goes on`)
    const node = this.media.find((slot) => slot.node?.host === host)?.node
    if (node) this.flows.resumed(node)
    host.resume()
  }

  /** Puts a new gateway in the place of one that drains. */
  restartGateway(door: Door): void {
    const { timeline, clock } = this.ground
    const { gateway, host } = door.site
    if (!host.isUp) return
    timeline.note(null, `${host.name} drains`)
    timeline.count('gateways restarted')
    door.site = this.#openSite(door.place)
    void gateway.drain().then(() =>
      clock.after(GATEWAY_STOPS_MS, () => {
        gateway.close()
        host.die()
      }),
    )
  }

  /** Kills a gateway at once; its clients hear of it, or hear nothing any more. */
  crashGateway(door: Door, isHeard: boolean): void {
    const { timeline } = this.ground
    const { gateway, host } = door.site
    if (host.isDead) return
    timeline.note(null, `${host.name} crashes`)
    timeline.count('gateways crashed')
    host.die()
    gateway.close()
    for (const link of [...this.network.links]) if (link.server === host) link.orphan(isHeard)
  }

  /** Puts a gateway where one crashed. */
  reopen(door: Door): void {
    if (door.site.host.isDead) door.site = this.#openSite(door.place)
  }

  get sites(): Site[] {
    return this.doors.map(({ site }) => site)
  }

  addBot(who: string, table: Table, role?: 'spectator'): Bot {
    const outside = { openSocket: this.#sockets.opener(who), fetch: this.#requests.fetcher(who) }
    const bot = new Bot(who, table, role, this.ground, outside, this.memories, () => this.isPlaying)
    this.bots.push(bot)
    return bot
  }

  #openSite(place: Place): Site {
    const number = ++this.#gateways
    const host = new Host(`gateway ${number}`, place, this.ground)
    return openSite(`g${number}`, host, { bus: this.bus.of(host), chance: this.ground.dice.programs })
  }

  #tapped(event: Omit<WireFrame, 'at' | 'session'>): void {
    const { who, conn, up, frame } = event
    const session = this.bots.find((bot) => bot.who === who)?.session.id ?? ''
    this.wire.push({ ...event, at: this.ground.timeline.now, session })
    if (up) return
    const [op, room, seq, to] = frame
    const { timeline } = this.ground
    if (op === OP.state) timeline.note(String(room), `${who} gets STATE ${seq} on link ${conn}`)
    if (op === OP.patch) timeline.note(String(room), `${who} gets PATCH ${seq} → ${to} on link ${conn}`)
    if (op === OP.emit) timeline.note(String(room), `${who} gets EMIT ${seq} on link ${conn}`)
  }
}

const roomOfItems = (message: Parameters<DurableCheck['see']>[1]): string | null => {
  const item = message.kind === 'envelope' ? message.items.find((any) => 'room' in any) : undefined
  return item !== undefined && 'room' in item ? item.room : null
}
