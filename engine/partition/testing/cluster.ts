import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { Bus } from '../../../bus/bus.ts'
import { deriveId } from '../../../bus/derive.ts'
import { localBus } from '../../../bus/local.ts'
import type { Message } from '../../../bus/messages.ts'
import { PARTITIONS, partitionOf } from '../../../bus/subjects.ts'
import type { Chance } from '../../../protocol/clock.ts'
import { type VirtualClock, virtualClock } from '../../../test/virtual-clock.ts'
import { memoryStorage } from '../../log/memory.ts'
import type { LoadedGame } from '../../rules/game.ts'
import { Engine } from '../engine.ts'
import type { Owner, Ownership } from '../ownership.ts'
import { ScriptedGateway } from './gateway.ts'
import { type FaultyStorage, faultyStorage } from './storage.ts'

const CLUSTER_KEY = new Uint8Array(32)

interface Place {
  readonly engine: Engine
  readonly owner: Owner
  readonly owned: Set<number>
  /** Resolves once it is sure; null: it is. */
  doubt: PromiseWithResolvers<void> | null
}

/** Real engines on one bus and one storage, in virtual time, each with those partitions that a test gives it; and two scripted gateways. */
export class Cluster {
  readonly clock: VirtualClock = virtualClock()
  readonly storage: FaultyStorage
  readonly gateways: readonly [ScriptedGateway, ScriptedGateway]
  /** Errors that an engine reported. */
  readonly errors: string[] = []
  /** What is published and fulfils this is lost. */
  loses: (subject: string, message: Message) => boolean = () => false
  /** How many ms what is published takes; what follows it on its subject does not overtake it. */
  delay: () => number = () => 0
  /** All that was published, and not lost. */
  readonly published: { subject: string; message: Message }[] = []
  readonly #games: readonly LoadedGame[]
  readonly #chance: Chance
  readonly #bus: Bus
  readonly #places = new Map<string, Place>()
  /** By subject: when the last message on it arrives. */
  readonly #arrivals = new Map<string, number>()
  #epoch = 0

  /** `share` says of each partition which engine gets it. */
  static async start(games: readonly LoadedGame[], share: (partition: number) => string): Promise<Cluster> {
    const cluster = new Cluster(games)
    const all = Array.from({ length: PARTITIONS }, (_, partition) => partition)
    for (const name of new Set(all.map(share))) await cluster.add(name)
    for (const [name] of cluster.#places)
      cluster.give(
        name,
        all.filter((partition) => share(partition) === name),
      )
    await cluster.clock.advance(1_100)
    return cluster
  }

  private constructor(games: readonly LoadedGame[]) {
    const random = xoroshiro128plus(1)
    const uint32 = (): number => random.next() >>> 0
    const chance = { uint32, bytes: (n: number) => Uint8Array.from({ length: n }, () => uint32() & 0xff) }
    const bus = localBus({ onError: (error) => this.errors.push(String(error)) })
    this.#games = games
    this.#chance = chance
    this.#bus = {
      ...bus,
      publish: (subject, message) => {
        if (this.loses(subject, message)) return
        this.published.push({ subject, message })
        const { clock } = this
        const due = Math.max(clock.now() + this.delay(), this.#arrivals.get(subject) ?? 0)
        this.#arrivals.set(subject, due)
        if (due <= clock.now()) bus.publish(subject, message)
        else clock.after(due - clock.now(), () => bus.publish(subject, message))
      },
    }
    this.storage = faultyStorage({ ...memoryStorage({ chance }), exclusive: false })
    this.gateways = [new ScriptedGateway('g1', this.#bus, this.clock), new ScriptedGateway('g2', this.#bus, this.clock)]
  }

  /** A message arrives that was lost. */
  deliver(subject: string, message: Message): void {
    this.#bus.publish(subject, message)
  }

  /** Starts an engine that owns nothing yet. */
  async add(name: string): Promise<void> {
    const owner = Promise.withResolvers<Owner>()
    const places = this.#places
    const ownership: Ownership = {
      get isSure() {
        return !places.get(name)?.doubt
      },
      get engines() {
        return places.size
      },
      start: async (starting) => owner.resolve(starting),
      sure: async () => places.get(name)?.doubt?.promise,
      leave: async () => {},
      abandon: () => {},
    }
    const engine = await Engine.start({
      id: name,
      ownership,
      bus: this.#bus,
      storage: this.storage,
      clock: this.clock,
      chance: this.#chance,
      games: this.#games,
      clusterKey: CLUSTER_KEY,
      report: (level, message) => {
        if (level === 'error') this.errors.push(message)
      },
    })
    places.set(name, { engine, owner: await owner.promise, owned: new Set(), doubt: null })
  }

  get names(): string[] {
    return [...this.#places.keys()]
  }

  owned(name: string): number[] {
    return [...this.#place(name).owned]
  }

  engine(name: string): Engine {
    return this.#place(name).engine
  }

  /** These partitions, which nobody owns, are this engine's now. */
  give(name: string, partitions: readonly number[]): void {
    const { owner, owned } = this.#place(name)
    this.#epoch += 1
    for (const partition of partitions) owned.add(partition)
    owner.own(new Map(partitions.map((partition) => [partition, this.#epoch])))
  }

  /** An engine cannot be sure of what it owns until it may `trust` it again. */
  doubt(name: string): void {
    this.#place(name).doubt = Promise.withResolvers()
  }

  trust(name: string): void {
    const place = this.#place(name)
    place.doubt?.resolve()
    place.doubt = null
  }

  /** Hands partitions over in order. */
  async move(partitions: readonly number[], from: string, to: string): Promise<void> {
    const { owner, owned } = this.#place(from)
    const released = partitions.map(async (partition) => {
      await owner.release(partition)
      owned.delete(partition)
    })
    let isDone = false
    const done = Promise.all(released).then(() => {
      isDone = true
    })
    await this.clock.runUntil(() => isDone)
    await done
    this.give(to, partitions)
  }

  /** An engine dies; returns what it owned, which is nobody's until it is given to another one. */
  kill(name: string): number[] {
    const { engine, owned } = this.#place(name)
    engine.abandon()
    this.#places.delete(name)
    return [...owned]
  }

  ownerOf(room: string): string {
    const partition = partitionOf(room)
    for (const [name, { owned }] of this.#places) if (owned.has(partition)) return name
    throw new Error(`nobody owns ${room}`)
  }

  /** A room id that falls to this engine; another one for each `n`. */
  roomAt(name: string, n = 0): string {
    for (let i = 0; ; i++) if (this.ownerOf(`r${n}-${i}`) === name) return `r${n}-${i}`
  }

  /** The room that a MATCH of this player with ref 1 makes where it finds none; the session is to be `sessionOf` it. */
  roomOf(player: string): string {
    return deriveId(CLUSTER_KEY, 'match', player, sessionOf(player), 1)
  }

  /** A player's id for whom that is at this engine. */
  playerAt(name: string): string {
    for (let i = 0; ; i++) if (this.ownerOf(this.roomOf(`p${i}`)) === name) return `p${i}`
  }

  #place(name: string): Place {
    const place = this.#places.get(name)
    if (place === undefined) throw new Error(`there is no engine ${name}`)
    return place
  }
}

export const sessionOf = (player: string): string => `session-of-${player}`.padEnd(16, '0')
