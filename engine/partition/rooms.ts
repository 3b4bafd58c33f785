import type { ConnId, GatewayId } from '../../bus/messages.ts'
import { partitionOf } from '../../bus/subjects.ts'
import { messageOf, Refusal } from '../../protocol/errors.ts'
import type { RoomId } from '../../protocol/frames.ts'
import { Fenced, type IndexRow } from '../log/log.ts'
import { Slots } from '../log/slots.ts'
import { DamagedRoom } from '../room/chain.ts'
import { LiveRoom, type RoomPorts } from '../room/live.ts'
import { isMoving, stopping } from '../room/refusals.ts'
import type { RoomState } from '../room/state.ts'
import type { LoadedGame } from '../rules/game.ts'
import { AbsentRooms } from './absent.ts'
import { beginRoom, type Claimed, type ClaimPorts, claimRoom, type FirstInputs } from './claim.ts'
import { Hibernation } from './hibernation.ts'
import { Snapshots } from './snapshots.ts'
import { unfinishedRows } from './unfinished-rows.ts'

/** A room that the store did not give is asked for again after this long, then after twice as long each time. */
const RETRY_MS = 1_000
const RETRY_MOST_MS = 30_000
/** How long the release of a partition waits for rooms that are being read. */
const COMING_MS = 1_000
/** Rooms that are read at once by takeovers: each waits for some five answers of the log, one after the other. */
const BROUGHT_AT_ONCE = 64
/** Partitions whose rows are read at once: a NATS server answers one connection's questions in turn, and those of rooms stand among them. */
const LISTED_AT_ONCE = 8

export interface RoomsPorts extends Omit<ClaimPorts, 'isSure'> {
  readonly room: Omit<RoomPorts, 'epoch' | 'changed' | 'lost'>
  /** Called when a room has come into memory, and after each of its commits. */
  changed(room: LiveRoom): void
  /** Null where it is sure that no other engine has taken over; else resolves once it is sure again. */
  sure(): Promise<void> | null
}

/**
 * The rooms of the partitions that this engine owns: those in memory, and how they come and go. A room is read from its log
 * on demand, by its deadline, or at the start when it was live; it leaves memory when it is idle. A room whose log is
 * damaged is frozen: it is named once in the log, answers `unavailable`, and the others go on.
 */
export class Rooms {
  readonly #ports: RoomsPorts
  readonly #claimPorts: ClaimPorts
  readonly #live = new Map<RoomId, LiveRoom>()
  /** Those of them that are public, by game. */
  readonly #public = new Map<string, Set<LiveRoom>>()
  readonly #coming = new Map<RoomId, Promise<LiveRoom | null>>()
  /** Rooms that have left memory, until their rows say so. */
  readonly #leaving = new Map<RoomId, Promise<void>>()
  readonly #frozen = new Map<RoomId, string>()
  readonly #absent = new AbsentRooms()
  readonly #snapshots: Snapshots
  readonly #hibernation: Hibernation
  readonly #bringing = new Slots(BROUGHT_AT_ONCE)
  readonly #listing = new Slots(LISTED_AT_ONCE)
  #closed = false
  readonly #end = Promise.withResolvers<void>()

  constructor(ports: RoomsPorts) {
    this.#ports = ports
    this.#claimPorts = { ...ports, isSure: () => this.#isSure() }
    const { clock, report } = ports
    this.#snapshots = new Snapshots(ports)
    this.#hibernation = new Hibernation({
      clock,
      report,
      putRow: (row) => this.#putRow(row),
      snapshots: this.#snapshots,
      live: () => this.#live.values(),
      leave: (room, left) => {
        room.close()
        this.#leave(room)
        this.#leaving.set(room.room, left)
        void left.then(() => this.#leaving.delete(room.room))
      },
      wake: (room) => void this.#attempt(room),
    })
  }

  live(): Iterable<LiveRoom> {
    return this.#live.values()
  }

  /** The public rooms of a game that are in memory. */
  publicOf(game: string): Iterable<LiveRoom> {
    return this.#public.get(game) ?? []
  }

  counts(): { live: number; frozen: number } {
    return { live: this.#live.size, frozen: this.#frozen.size }
  }

  /** The room in memory, if it is. */
  here(room: RoomId): LiveRoom | undefined {
    return this.#live.get(room)
  }

  /** Whether a room of this game is not in memory though it is live: what was asked there cannot be known. */
  lacks(game: string): boolean {
    return this.#absent.includes(game)
  }

  /** Takes a connection out of a room, if it is in it. */
  detach(room: RoomId, gateway: GatewayId, conn: ConnId): void {
    this.#live.get(room)?.detach(gateway, conn)
    this.#absent.detach(room, gateway, conn)
  }

  /** Takes all connections of a gateway out of their rooms; returns how many there were. */
  detachAll(gateway: GatewayId): number {
    let ended = 0
    for (const room of this.#live.values())
      for (const { conn } of room.connections.filter((a) => a.gateway === gateway)) {
        room.detach(gateway, conn)
        ended += 1
      }
    this.#absent.detachAll(gateway)
    return ended
  }

  /** The room, from memory or its log, or null where there is none. Rejects with Refusal where it is frozen or the store fails. */
  async get(room: RoomId): Promise<LiveRoom | null> {
    return this.#here(room) ?? this.#coming.get(room) ?? this.#come(room, () => this.#activate(room))
  }

  /** The same; one that fell asleep just now is woken. */
  async open(id: RoomId): Promise<LiveRoom | null> {
    let room = await this.get(id)
    while (room?.isClosed) room = await this.get(id)
    return room
  }

  /**
   * Creates a room with its first events, fenced at nothing: where it exists already, that room is returned. Rejects with
   * Refusal where the rules refuse to start or the store fails.
   */
  async create(game: LoadedGame, room: RoomId, first: FirstInputs): Promise<LiveRoom> {
    const here = this.#here(room)
    if (here !== undefined) return here
    // Before any await: whoever asks for the room from now on waits for it.
    const find = async () => (await this.#activate(room)) ?? this.#make(game, room, first)
    const made = await (this.#coming.get(room) ?? this.#come(room, find))
    return made ?? this.create(game, room, first)
  }

  /** Takes over what these partitions hold: the deadlines of rooms that were live, or sleep, run here, and players have their grace. Resolves once all that were live were tried. */
  async takeOver(partitions: ReadonlySet<number>): Promise<void> {
    // One by one where engines share a store: what is due in the first is awake before the last is read, and few rows are in memory at a time.
    const parts = this.#ports.storage.exclusive
      ? [partitions]
      : [...partitions].map((partition) => new Set([partition]))
    const live = await Promise.all(parts.map((part) => this.#takeRows(part)))
    await Promise.all(live.flat())
  }

  /** Resolves when all rows are read, with the attempts to bring rooms that were live. */
  async #takeRows(partitions: ReadonlySet<number>): Promise<Promise<void>[]> {
    const { clock } = this.#ports
    const live: Promise<void>[] = []
    const bring = (room: RoomId) => this.#bringing.run(() => this.#attempt(room))
    for await (const row of unfinishedRows(partitions, this.#listing, this.#ports, () => this.#closed)) {
      if (!this.#isOurs(row.room) || this.#live.has(row.room)) continue
      if (row.status === 'live') {
        this.#absent.set(row.room, row.game)
        live.push(bring(row.room))
      } else if (row.due !== null && row.due <= clock.now()) void bring(row.room)
      else this.#hibernation.wakeAt(row)
    }
    return live
  }

  /** Reads rooms in memory from their logs again; their connections stay. */
  async readAgain(which: (state: RoomState) => boolean): Promise<void> {
    for (const room of [...this.#live.values()]) {
      if (!which(room.state)) continue
      await room.settled()
      if (room.isClosed) continue
      room.close()
      this.#lost(room, 'it was asked for')
    }
  }

  /** Stops the rooms of a partition once their commits in flight have landed, and keeps a snapshot of each that changed. */
  async release(partition: number): Promise<void> {
    const isIn = inPartition(partition)
    // What comes is not let in any more; a claim that still lands is fenced out by the next owner's.
    await this.#within(COMING_MS, Promise.allSettled(this.#promisesOf(this.#coming, isIn)))
    const rooms = [...this.#live.values()].filter((live) => live.partition === partition)
    await Promise.all(rooms.map((room) => room.settled()))
    this.lose(partition)
    await Promise.all([...rooms.map((room) => this.#snapshots.keep(room)), ...this.#promisesOf(this.#leaving, isIn)])
  }

  /** Forgets the rooms of a partition at once: another engine has it. */
  lose(partition: number): void {
    const isIn = inPartition(partition)
    for (const room of [...this.#live.values()].filter((live) => live.partition === partition)) {
      room.close()
      this.#leave(room)
    }
    for (const room of [...this.#frozen.keys()]) if (isIn(room)) this.#frozen.delete(room)
    this.#absent.forget(isIn)
    this.#hibernation.forget(partition)
  }

  /** Takes no more rooms in, and lets go of what is left. Resolves once the rows of rooms that had left memory are written. */
  async close(): Promise<void> {
    this.abandon()
    await Promise.all(this.#leaving.values())
  }

  /** Drops everything at once, as a crash would. */
  abandon(): void {
    this.#closed = true
    this.#end.resolve()
    this.#hibernation.close()
    for (const room of this.#live.values()) room.close()
  }

  /** The room in memory, if it is. Throws Refusal where it cannot come there. */
  #here(room: RoomId): LiveRoom | undefined {
    const here = this.#live.get(room)
    if (here !== undefined) return here
    const frozen = this.#frozen.get(room)
    if (frozen !== undefined) throw frozenBecause(frozen)
    if (this.#closed) throw stopping()
    if (!this.#isOurs(room)) throw isMoving()
    return undefined
  }

  /** Not from an engine that was paused, over what the next owner wrote. */
  async #putRow(row: IndexRow): Promise<void> {
    if ((await this.#isSure()) && this.#isOurs(row.room)) await this.#ports.storage.putIndex([row])
  }

  /** Resolves with whether it is sure that no other engine has taken over: false only where this is closed before it is. */
  async #isSure(): Promise<boolean> {
    const sure = this.#ports.sure()
    return sure === null || Promise.race([sure.then(() => true), this.#end.promise.then(() => false)])
  }

  #isOurs(room: RoomId): boolean {
    return this.#ports.epochOf(room) !== null
  }

  /** Waits for the work, but no longer than this. */
  async #within(ms: number, work: Promise<unknown>): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const cancel = this.#ports.clock.after(ms, resolve)
    await Promise.race([work, late])
    cancel()
  }

  *#promisesOf<T>(of: ReadonlyMap<RoomId, Promise<T>>, isIn: (room: RoomId) => boolean): Generator<Promise<T>> {
    for (const [room, promise] of of) if (isIn(room)) yield promise
  }

  /** One at a time brings or makes a room: two in memory would fence each other out. */
  #come(room: RoomId, bring: () => Promise<LiveRoom | null>): Promise<LiveRoom | null> {
    const coming = bring().finally(() => this.#coming.delete(room))
    this.#coming.set(room, coming)
    return coming
  }

  async #activate(room: RoomId): Promise<LiveRoom | null> {
    try {
      await this.#leaving.get(room)
      const claimed = await claimRoom(room, this.#claimPorts)
      return claimed && this.#enter(claimed)
    } catch (error) {
      if (error instanceof Refusal) throw error
      if (error instanceof Fenced && !this.#closed && this.#isOurs(room)) return this.#activate(room)
      const why = messageOf(error)
      if (error instanceof DamagedRoom) {
        this.#frozen.set(room, why)
        this.#ports.report('error', `frozen: ${why}`, { room })
        throw frozenBecause(why)
      }
      this.#ports.report('error', `the room could not be read: ${why}`, { room })
      throw new Refusal('unavailable', 'The room could not be read just now. Send it again.')
    }
  }

  /** Begins the room, or brings the one that stands there already. */
  async #make(game: LoadedGame, room: RoomId, first: FirstInputs): Promise<LiveRoom | null> {
    const begun = await beginRoom(game, room, first, this.#claimPorts)
    if (begun !== null) return this.#enter(begun)
    const made = await this.#activate(room)
    if (made === null) throw new Refusal('unavailable', 'It is not known whether the room was stored. Send it again.')
    return made
  }

  /** Throws Refusal where it is not this engine's any more: what was stored is there for the next owner, and for a retry. */
  #enter({ state, end, game, epoch, snapshot, wasLive }: Claimed): LiveRoom {
    if (this.#closed) throw stopping()
    if (this.#ports.epochOf(state.room) !== epoch) throw isMoving()
    const room = new LiveRoom(state, end, game, this.#roomPorts(epoch), wasLive)
    this.#hibernation.awake(room.room)
    this.#snapshots.begin(room, snapshot)
    this.#live.set(room.room, room)
    if (state.public) this.#public.set(state.game, (this.#public.get(state.game) ?? new Set()).add(room))
    // What is shown from here on may be newer than what was said of its video.
    this.#ports.room.media.committed(room)
    // Before any request: whose move is answered must be shown it first.
    room.adopt(this.#absent.delete(room.room))
    this.#ports.changed(room)
    return room
  }

  #leave(room: LiveRoom): void {
    this.#live.delete(room.room)
    this.#public.get(room.state.game)?.delete(room)
  }

  #roomPorts(epoch: number): RoomPorts {
    return {
      ...this.#ports.room,
      epoch,
      changed: (room) => {
        this.#snapshots.changed(room)
        this.#ports.changed(room)
      },
      lost: (room, why) => this.#lost(room, why),
    }
  }

  /** Reads the room again; its connections stay and get the state as it really is. */
  #lost(room: LiveRoom, why: string): void {
    this.#ports.report('warn', `reading the room again: ${why}`, { room: room.room })
    this.#leave(room)
    this.#absent.set(room.room, room.state.game, room.connections)
    void this.#attempt(room.room)
  }

  /** Brings a room that nobody may ask for; where the store fails, which was reported where it arose, again until it is there. */
  async #attempt(room: RoomId, wait = RETRY_MS): Promise<void> {
    try {
      if ((await this.get(room)) === null) this.#absent.delete(room)
    } catch {
      if (this.#frozen.has(room)) this.#absent.delete(room)
      if (this.#closed || !this.#isOurs(room) || this.#frozen.has(room)) return
      this.#ports.clock.after(wait, () => void this.#attempt(room, Math.min(wait * 2, RETRY_MOST_MS)))
    }
  }
}

const frozenBecause = (why: string): Refusal =>
  new Refusal('unavailable', `This room is frozen, because its log is damaged: ${why}`)

const inPartition = (partition: number) => (room: RoomId) => partitionOf(room) === partition
