import { pino } from 'pino'
import { Engine } from '../../engine/partition/engine.ts'
import type { LoadedGame } from '../../engine/rules/game.ts'
import type { Auth } from '../../gateway/auth.ts'
import { createGateway } from '../../gateway/gateway.ts'
import { createRouter } from '../../gateway/http/router.ts'
import { Topics } from '../../gateway/topics.ts'
import type { Clock } from '../../protocol/clock.ts'
import { OP } from '../../protocol/frames.ts'
import { virtualClock } from '../virtual-clock.ts'
import { Bot, type Memories, type Table } from './bots.ts'
import { describe, type Host, SimBus } from './bus.ts'
import { DurableCheck } from './checks/durable.ts'
import type { WireFrame, WireTap } from './checks/wire.ts'
import { Dice } from './dice.ts'
import type { Ground } from './ground.ts'
import { SimNetwork } from './network.ts'
import { SimRequests } from './requests.ts'
import type { Door, Site } from './site.ts'
import { SimSockets } from './sockets.ts'
import { SimStore, type StoreBreak } from './store.ts'
import { Timeline } from './timeline.ts'

const CLUSTER_KEY = new Uint8Array(32).fill(7)
/** How long a gateway that has drained goes on to tell engines who is gone. */
const GATEWAY_STOPS_MS = 20_000
/** A token is the player's name. */
const AUTH: Auth = { verify: async (token) => ({ id: token, name: token, guest: false }), admitGuest: null }
const LIMITS = { frame: 16_384, rate: 50 }

export interface WorldOptions {
  readonly seed: number
  readonly games: readonly LoadedGame[]
  readonly broken: StoreBreak
}

/** One seeded world: a store, a bus, an engine that dies and comes back, gateways, and bots over simulated sockets, in virtual time. */
export class World {
  readonly ground: Ground
  readonly store: SimStore
  readonly bus: SimBus
  readonly network: SimNetwork
  readonly durable: DurableCheck
  readonly doors: Door[]
  readonly bots: Bot[] = []
  readonly wire: WireFrame[] = []
  readonly memories: Memories = { showings: [], moves: [], open: 0 }
  readonly games: readonly LoadedGame[]
  engine: { host: Host; core: Engine } | null = null
  isPlaying = true
  isFaulty = true
  readonly #sockets: SimSockets
  readonly #requests: SimRequests
  #starting: Promise<void> | null = null
  #engines = 0
  #gateways = 0
  readonly #log = pino({ level: 'silent' })

  constructor({ seed, games, broken }: WorldOptions) {
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
        sockets: dice('sockets'),
        faults: dice('faults'),
        bots: dice('bots'),
        programs: dice('programs'),
      },
    }
    this.games = games
    this.store = new SimStore(this.ground, broken)
    this.durable = new DurableCheck(this.store, timeline)
    this.bus = new SimBus(this.ground)
    this.bus.onPublish = (subject, message, host) => {
      if (message.kind !== 'envelope' || message.items.length > 0) {
        const room = 'room' in message ? message.room : roomOfItems(message)
        timeline.note(room, `${host.name} sends ${describe(message)} to ${subject}`)
      }
      this.durable.see(subject, message)
    }
    this.doors = Array.from({ length: this.ground.dice.faults.between(1, 2) }, () => ({
      site: this.#openSite(),
      swallowsUpgrades: false,
    }))
    const tap: WireTap = {
      sent: (who, conn, over, frame) => this.#tapped({ who, conn, up: true, over, frame }),
      reads: (who, conn, reads) => this.#tapped({ who, conn, up: true, over: 'read', frame: [], reads }),
      delivered: (who, conn, over, frame) => this.#tapped({ who, conn, up: false, over, frame }),
    }
    this.network = new SimNetwork(this.ground, this.doors, tap)
    this.#sockets = new SimSockets(this.network)
    this.#requests = new SimRequests(this.network)
  }

  /** Starts an engine over the store; what an earlier one left under way may still land. */
  async startEngine(): Promise<void> {
    if (this.engine !== null) return
    this.#starting ??= this.#start().finally(() => {
      this.#starting = null
    })
    return this.#starting
  }

  async #start(): Promise<void> {
    const { timeline, dice } = this.ground
    const host: Host = { name: `engine ${++this.#engines}`, dead: false }
    timeline.note(null, `${host.name} starts`)
    const core = await Engine.startAlone({
      bus: this.bus.of(host),
      storage: this.store.door(host),
      clock: mortal(this.ground.clock, host),
      chance: dice.programs,
      games: this.games,
      clusterKey: CLUSTER_KEY,
      report: (level, message, fields) => {
        const room = typeof fields.room === 'string' ? fields.room : null
        timeline.note(room, `${host.name} ${level}: ${message}`)
        timeline.count(`reports: ${level}`)
        if (/ failed: |^frozen/.test(message)) timeline.fail('run', room, `${host.name} reports: ${message}`)
      },
    })
    this.engine = { host, core }
  }

  /** Kills the engine at once: nothing that it does afterwards has an effect, but for what it had sent. */
  crash(why: string): void {
    if (this.engine === null) return
    const { host, core } = this.engine
    this.ground.timeline.note(null, `${host.name} crashes ${why}`)
    this.ground.timeline.count('crashes')
    host.dead = true
    this.engine = null
    core.abandon()
  }

  /** Stops the engine in order; another may start at once. */
  async stopEngine(): Promise<void> {
    if (this.engine === null) return
    const { host, core } = this.engine
    this.ground.timeline.note(null, `${host.name} stops`)
    this.engine = null
    await core.close()
    host.dead = true
  }

  /** Puts a new gateway in the place of one that drains. */
  restartGateway(door: Door): void {
    const { timeline, clock } = this.ground
    const { gateway, name } = door.site
    timeline.note(null, `${name} drains`)
    timeline.count('gateways restarted')
    door.site = this.#openSite()
    void gateway.drain().then(() => clock.after(GATEWAY_STOPS_MS, () => gateway.close()))
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

  #openSite(): Site {
    const name = `gateway ${++this.#gateways}`
    const host: Host = { name, dead: false }
    const topics = new Topics()
    const shared = {
      clock: mortal(this.ground.clock, host),
      chance: this.ground.dice.programs,
      clusterKey: CLUSTER_KEY,
      limits: LIMITS,
      log: this.#log,
    }
    const gateway = createGateway({
      ...shared,
      id: `g${this.#gateways}`,
      bus: this.bus.of(host),
      authenticator: AUTH,
      publish: (topic, bytes) => topics.publish(topic, bytes),
    })
    const answer = createRouter({
      ...shared,
      gateway,
      topics,
      auth: AUTH,
      frame: LIMITS.frame,
      allows: () => true,
      files: { reply: () => null },
      isReady: () => true,
    })
    return { name, gateway, topics, answer }
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

/** A clock whose tasks die with their host. */
const mortal = (clock: Clock, host: Host): Clock => {
  const unlessDead = (task: () => void) => () => {
    if (!host.dead) task()
  }
  return {
    now: () => clock.now(),
    after: (ms, task) => clock.after(ms, unlessDead(task)),
    soon: (task) => clock.soon(unlessDead(task)),
  }
}

const roomOfItems = (message: Parameters<DurableCheck['see']>[1]): string | null => {
  const item = message.kind === 'envelope' ? message.items.find((any) => 'room' in any) : undefined
  return item !== undefined && 'room' in item ? item.room : null
}
