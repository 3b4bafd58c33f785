import { partitionOf } from '../../bus/subjects.ts'
import { type Entry, FateUnknown, Fenced, type IndexRow, NotStored, type Storage } from '../../engine/log/log.ts'
import { memoryStorage } from '../../engine/log/memory.ts'
import type { RoomId, Seq } from '../../protocol/frames.ts'
import { decodeRecord } from '../../protocol/record.ts'
import type { Ground } from './ground.ts'
import type { Host } from './host.ts'
import type { Links } from './links.ts'

/** Where all logs are. */
export const STORE = 'the store'

export const NO_ANSWER = 'the store did not answer'
/** A call that is not answered is given up after this long. */
const GIVEN_UP_MS = [500, 2_500] as const
/** More rows than any world has. */
const ROWS_MOST = 1_000

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
type Answer = { resolve: (position: number) => void; reject: (error: Error) => void }

/**
 * The store that outlives engines. Each engine has its own door to it, with delays; what was under way through the door of
 * an engine that died may still land, much later.
 */
export class SimStore {
  faults: StoreFaults = { unknown: 0, slow: 0, full: false, lingers: false }
  onAppend: (stage: AppendStage, host: Host) => void = () => {}
  /** How many events of each room are durable now. */
  readonly durable = new Map<RoomId, Seq>()
  /** By room: when (ms since the world began) which event became the newest. */
  readonly landings = new Map<RoomId, { readonly at: number; readonly seq: Seq }[]>()
  /** Everything but the log: it has no faults of its own. */
  readonly #rest: Storage
  readonly #logs = new Map<RoomId, Entry[]>()
  readonly #ground: Ground
  readonly #links: Links
  readonly #broken: StoreBreak

  constructor(ground: Ground, links: Links, broken: StoreBreak) {
    this.#ground = ground
    this.#links = links
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
    return this.#through(
      (call) => call(),
      () => Promise.reject(new Error('checks write nothing')),
    )
  }

  /** The store as this engine reaches it. */
  door(host: Host): Storage {
    return this.#through(
      (call, writes) => this.#call(host, call, writes),
      (append) => new Promise((resolve, reject) => this.#append({ ...append, host }, { resolve, reject })),
    )
  }

  #through(
    reach: <R>(call: () => Promise<R>, writes: boolean) => Promise<R>,
    append: (append: Omit<Append, 'host'>) => Promise<number>,
  ): Storage {
    const reads =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      (...args: A): Promise<R> =>
        reach(() => call(...args), false)
    const writes =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      (...args: A): Promise<R> =>
        reach(() => call(...args), true)
    const rest = this.#rest
    return {
      durability: 'memory',
      exclusive: false,
      append: (room, after, record, index) => append({ room, after, record, index }),
      read: reads(async (room, after, limit) =>
        this.log(room)
          .filter(({ position }) => position > after)
          .slice(0, limit),
      ),
      last: reads(async (room) => this.log(room).at(-1) ?? null),
      rooms: reads(async (after, limit) =>
        this.rooms
          .filter((room) => room > after)
          .sort()
          .slice(0, limit),
      ),
      putSnapshot: writes((room, snapshot) => {
        this.#ground.timeline.count('snapshots')
        return rest.putSnapshot(room, snapshot)
      }),
      snapshot: reads(rest.snapshot),
      putIndex: writes(rest.putIndex),
      index: reads(rest.index),
      listIndex: reads(async ({ partitions, ...filter }, after, limit) => {
        const rows = await rest.listIndex(filter, after, ROWS_MOST)
        return rows.filter(({ room }) => partitions?.has(partitionOf(room)) ?? true).slice(0, limit)
      }),
      putRules: writes(rest.putRules),
      rules: reads(rest.rules),
      playerKey: writes(rest.playerKey),
      existingKey: reads(rest.existingKey),
      forgetPlayer: writes(rest.forgetPlayer),
      nextEpoch: writes(rest.nextEpoch),
      close: async () => {},
    }
  }

  /** A call that takes its time, and fails after a while where it cannot be answered; what a process that died meanwhile had asked to be written may still be. */
  #call<R>(host: Host, call: () => Promise<R>, writes: boolean): Promise<R> {
    const { clock, dice } = this.#ground
    return new Promise((resolve, reject) => {
      const silent = () =>
        void clock.after(dice.store.between(...GIVEN_UP_MS), () => host.arrive(() => reject(new Error(NO_ANSWER))))
      const arrive = () => {
        if (!this.#isReachedBy(host)) return silent()
        if (host.isDead && !(writes && dice.store.may(0.5))) return
        call().then(
          (value) => (this.#reaches(host) ? host.arrive(() => resolve(value)) : silent()),
          (error) => host.arrive(() => reject(error)),
        )
      }
      host.leave(() => clock.after(dice.store.between(0, 2), arrive))
    })
  }

  #append(append: Append, { resolve, reject }: Answer): void {
    const { host } = append
    this.onAppend('issued', host)
    host.leave(() => this.#send(append, { resolve, reject }))
  }

  #send(append: Append, { resolve, reject }: Answer): void {
    const { clock, dice, timeline } = this.#ground
    const { host, room, after } = append
    if (this.faults.full) {
      timeline.count('not stored')
      this.#tell(host, () => reject(new NotStored('the disk is full')))
      return
    }
    if (this.#broken === 'durability') {
      clock.after(dice.store.between(20, 200), () => {
        if (!host.isDead) this.#land(append)
      })
      resolve(after + 1)
      return
    }
    const fate = dice.store.may(this.faults.unknown) ? dice.store.pick(['stored', 'not stored', 'late'] as const) : null
    const way = dice.store.may(this.faults.slow) ? dice.store.between(30, 400) : dice.store.between(0, 4)
    const unknown = (why: string) => {
      timeline.count('fates unknown')
      timeline.note(room, `store: the fate of an append of ${host.name} is unknown (${why})`)
      this.#tell(host, () => reject(new FateUnknown(NO_ANSWER)))
    }
    clock.after(way, () => {
      if (host.isDead) return this.#arriveLate(append)
      if (!this.#isReachedBy(host))
        return void clock.after(dice.store.between(...GIVEN_UP_MS), () => unknown('cut off'))
      if (fate === 'late') clock.after(dice.store.between(1, 800), () => this.#land(append))
      if (fate === 'not stored' || fate === 'late') return unknown(fate)
      const position = this.#land(append)
      this.onAppend('stored', host)
      if (!this.#reaches(host)) return void clock.after(dice.store.between(...GIVEN_UP_MS), () => unknown('stored'))
      if (fate === 'stored') unknown(fate)
      else this.#tell(host, () => (position === null ? reject(new Fenced(room)) : resolve(position)))
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
    if (fate === 'later') clock.after(dice.store.between(50, this.faults.lingers ? 6_000 : 3_000), land)
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
    timeline.note(room, `store: stored ${what}${host.isDead ? ', after its death' : ''}`)
    log.push({ position: log.length + 1, record: new Uint8Array(record) })
    this.#logs.set(room, log)
    const seq = first + inputs.length - 1
    this.durable.set(room, Math.max(this.durable.get(room) ?? 0, seq))
    const landings = this.landings.get(room) ?? []
    this.landings.set(room, landings)
    landings.push({ at: timeline.now, seq })
    if (index) void this.#rest.putIndex([index])
    return log.length
  }

  #tell(host: Host, answer: () => void): void {
    const { clock, dice } = this.#ground
    const takes = dice.store.may(this.faults.slow) ? dice.store.between(20, 150) : dice.store.between(0, 3)
    clock.after(takes, () => host.arrive(answer))
  }

  #isReachedBy(host: Host): boolean {
    return this.#links.reaches(host.place.name, STORE)
  }

  #reaches(host: Host): boolean {
    return this.#links.reaches(STORE, host.place.name)
  }
}

const typeOf = (input: unknown): string =>
  typeof input === 'object' && input !== null && 'type' in input ? String(input.type) : 'an event'
