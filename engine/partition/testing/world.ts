import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { Bus } from '../../../bus/bus.ts'
import { localBus } from '../../../bus/local.ts'
import type { Chance } from '../../../protocol/clock.ts'
import { type VirtualClock, virtualClock } from '../../../test/virtual-clock.ts'
import { memoryStorage } from '../../log/memory.ts'
import type { LoadedGame } from '../../rules/game.ts'
import { Engine } from '../engine.ts'
import { ScriptedGateway } from './gateway.ts'
import { type FaultyStorage, faultyStorage } from './storage.ts'

const seededChance = (seed: number): Chance => {
  const random = xoroshiro128plus(seed)
  const uint32 = (): number => random.next() >>> 0
  return { uint32, bytes: (n) => Uint8Array.from({ length: n }, () => uint32() & 0xff) }
}

export interface Report {
  level: string
  message: string
  room: unknown
}

/** A real engine on a real storage and bus, in virtual time, with one scripted gateway. */
export class World {
  readonly clock: VirtualClock
  readonly chance: Chance
  readonly bus: Bus
  readonly storage: FaultyStorage
  readonly gateway: ScriptedGateway
  readonly reports: Report[] = []
  engine!: Engine
  games: readonly LoadedGame[]

  static async start(games: readonly LoadedGame[], seed = 1): Promise<World> {
    const world = new World(games, seed)
    await world.#startEngine()
    return world
  }

  private constructor(games: readonly LoadedGame[], seed: number) {
    this.games = games
    this.clock = virtualClock()
    this.chance = seededChance(seed)
    this.bus = localBus()
    this.storage = faultyStorage(memoryStorage({ chance: this.chance }))
    this.gateway = new ScriptedGateway('g1', this.bus, this.clock)
  }

  /** The engine dies and another takes its place on the same storage; connections go on where they stood, if `rooms` says of which. */
  async crash(rooms: readonly string[] = [], games: readonly LoadedGame[] = this.games): Promise<void> {
    this.engine.abandon()
    this.games = games
    await this.#startEngine()
    for (const room of rooms) await this.gateway.reattach(room)
  }

  async stop(): Promise<void> {
    let ended = false
    const closing = this.engine.close().then(() => {
      ended = true
    })
    await this.clock.runUntil(() => ended)
    await closing
  }

  errors(): string[] {
    return this.reports.filter(({ level }) => level === 'error').map(({ message }) => message)
  }

  async #startEngine(): Promise<void> {
    const { bus, storage, clock, chance, games } = this
    const report = (level: string, message: string, { room }: Record<string, unknown>): void => {
      this.reports.push({ level, message, room })
    }
    this.engine = await Engine.startAlone({
      bus,
      storage,
      clock,
      chance,
      games,
      clusterKey: new Uint8Array(32),
      report,
    })
    await clock.advance(0)
  }
}
