import { type Entry, FateUnknown, Fenced, type IndexRow, NotStored, type Storage } from '../../engine/log/log.ts'
import { memoryStorage } from '../../engine/log/memory.ts'
import type { RoomId, Seq } from '../../protocol/frames.ts'
import { decodeRecord } from '../../protocol/record.ts'
import type { Host } from './bus.ts'
import type { Ground } from './ground.ts'

export interface StoreFaults {
  /** Probability that an append's fate stays unknown: stored, never stored, or stored later. */
  unknown: number
  /** Probability that an append takes up to 400 ms. */
  slow: number
  /** Refuses every append while true, as a full disk does. */
  full: boolean
  /** Whether all that a dead engine had sent lands late, instead of a third of it. */
  lingers: boolean
}

/** What a store may do wrong, to prove that the checks notice: `fence` ignores `after`, `durability` acknowledges before it stores. */
export type StoreBreak = 'fence' | 'durability' | null

/** When an append stands between two steps: the moments at which a crash hurts most. */
export type AppendStage = 'issued' | 'stored'

type Append = { host: Host; room: RoomId; after: number; record: Uint8Array; index: IndexRow | undefined }

/**
 * The store that outlives engines. Each engine has its own door to it, with delays; what was under way through the door of
 * an engine that died may still land, much later.
 */
export class SimStore {
  faults: StoreFaults = { unknown: 0, slow: 0, full: false, lingers: false }
  onAppend: (stage: AppendStage, host: Host) => void = () => {}
  /** How many events of each room are durable now. */
  readonly durable = new Map<RoomId, Seq>()
  /** Everything but the log: it has no faults of its own. */
  readonly #rest: Storage
  readonly #logs = new Map<RoomId, Entry[]>()
  readonly #ground: Ground
  readonly #broken: StoreBreak

  constructor(ground: Ground, broken: StoreBreak) {
    this.#ground = ground
    this.#broken = broken
    this.#rest = memoryStorage({ chance: ground.dice.store })
  }

  get rooms(): RoomId[] {
    return [...this.#logs.keys()]
  }

  log(room: RoomId): readonly Entry[] {
    return this.#logs.get(room) ?? []
  }

  /** The store itself, at once and without faults: for the checks. */
  get plain(): Storage {
    return this.#through(null)
  }

  /** The store as this engine reaches it. */
  door(host: Host): Storage {
    return this.#through(host)
  }

  #through(host: Host | null): Storage {
    const reach = <A extends unknown[], R>(call: (...args: A) => Promise<R>): ((...args: A) => Promise<R>) =>
      host === null ? call : (...args) => this.#delayed(host, () => call(...args))
    const rest = this.#rest
    return {
      durability: 'memory',
      exclusive: false,
      append: (room, after, record, index) =>
        this.#append({ host: host ?? { name: 'nobody', dead: false }, room, after, record, index }),
      read: reach(async (room, after, limit) =>
        this.log(room)
          .filter(({ position }) => position > after)
          .slice(0, limit),
      ),
      last: reach(async (room) => this.log(room).at(-1) ?? null),
      rooms: reach(async (after, limit) =>
        this.rooms
          .filter((room) => room > after)
          .sort()
          .slice(0, limit),
      ),
      putSnapshot: reach((room, snapshot) => {
        this.#ground.timeline.count('snapshots')
        return rest.putSnapshot(room, snapshot)
      }),
      snapshot: reach(rest.snapshot),
      putIndex: reach(rest.putIndex),
      index: reach(rest.index),
      listIndex: reach(rest.listIndex),
      putRules: reach(rest.putRules),
      rules: reach(rest.rules),
      playerKey: reach(rest.playerKey),
      existingKey: reach(rest.existingKey),
      forgetPlayer: reach(rest.forgetPlayer),
      nextEpoch: reach(rest.nextEpoch),
      close: async () => {},
    }
  }

  /** A call that takes its time; one of a host that died on the way never happens. */
  #delayed<R>(host: Host, call: () => Promise<R>): Promise<R> {
    const { clock, dice } = this.#ground
    return new Promise((resolve, reject) => {
      clock.after(dice.store.between(0, 2), () => {
        if (!host.dead) call().then(resolve, reject)
      })
    })
  }

  #append(append: Append): Promise<number> {
    const { clock, dice, timeline } = this.#ground
    const { host, room, after } = append
    this.onAppend('issued', host)
    if (this.faults.full) return this.#later(host, () => Promise.reject(new NotStored('the disk is full')))
    if (this.#broken === 'durability') {
      clock.after(dice.store.between(20, 200), () => {
        if (!host.dead) this.#land(append)
      })
      return Promise.resolve(after + 1)
    }
    const fate = dice.store.may(this.faults.unknown) ? dice.store.pick(['stored', 'not stored', 'late'] as const) : null
    const way = dice.store.may(this.faults.slow) ? dice.store.between(30, 400) : dice.store.between(0, 4)
    return new Promise((resolve, reject) => {
      const arrive = () => {
        if (host.dead) return this.#arriveLate(append)
        if (fate !== 'not stored' && fate !== 'late') {
          const position = this.#land(append)
          this.onAppend('stored', host)
          if (fate === null) {
            const answer = () => (position === null ? reject(new Fenced(room)) : resolve(position))
            return this.#tell(host, answer)
          }
        }
        timeline.count('fates unknown')
        timeline.note(room, `store: the fate of an append of ${host.name} is unknown (${fate})`)
        if (fate === 'late') clock.after(dice.store.between(1, 800), () => this.#land(append))
        this.#tell(host, () => reject(new FateUnknown('the store did not answer')))
      }
      clock.after(way, arrive)
    })
  }

  /** What a dead engine had sent: it is lost with the engine, lands now, or lands once another owner is at work. */
  #arriveLate(append: Append): void {
    const { clock, dice, timeline } = this.#ground
    const land = () => {
      const landed = this.#land(append) !== null
      timeline.count(landed ? 'zombies landed' : 'zombies fenced')
    }
    const fate = this.faults.lingers ? 'later' : dice.store.pick(['lost', 'now', 'later'] as const)
    if (fate === 'now') land()
    if (fate === 'later') clock.after(dice.store.between(50, 3_000), land)
  }

  /** The position at which the record now stands, or null where something else stands there. */
  #land({ host, room, after, record, index }: Append): number | null {
    const { timeline } = this.#ground
    const log = this.#logs.get(room) ?? []
    const { kind, first, inputs, epoch } = decodeRecord(record)
    const what =
      kind === 'claim'
        ? `a claim of ${host.name} (epoch ${epoch})`
        : `${inputs.map(typeOf)} at ${first}, of ${host.name}`
    if (log.length !== after && this.#broken !== 'fence') {
      timeline.count('fenced')
      timeline.note(room, `store: fenced ${what}`)
      return null
    }
    if (kind === 'claim') timeline.count('claims')
    timeline.note(room, `store: stored ${what}${host.dead ? ', after its death' : ''}`)
    log.push({ position: log.length + 1, record: new Uint8Array(record) })
    this.#logs.set(room, log)
    this.durable.set(room, Math.max(this.durable.get(room) ?? 0, first + inputs.length - 1))
    if (index) void this.#rest.putIndex([index])
    return log.length
  }

  #tell(host: Host, answer: () => void): void {
    const { clock, dice } = this.#ground
    clock.after(dice.store.may(this.faults.slow) ? dice.store.between(20, 150) : dice.store.between(0, 3), () => {
      if (!host.dead) answer()
    })
  }

  #later(host: Host, call: () => Promise<number>): Promise<number> {
    this.#ground.timeline.count('not stored')
    return this.#delayed(host, call)
  }
}

const typeOf = (input: unknown): string =>
  typeof input === 'object' && input !== null && 'type' in input ? String(input.type) : 'an event'
