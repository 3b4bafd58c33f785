import type { RoomListing } from '../../bus/messages.ts'
import type { Chance, Clock } from '../../protocol/clock.ts'
import { Refusal } from '../../protocol/errors.ts'
import type { PlayerId, RoomId } from '../../protocol/frames.ts'
import { encodeRecord, recordChecksum } from '../../protocol/record.ts'
import { FateUnknown, Fenced, type IndexRow, NotStored, type Storage } from '../log/log.ts'
import { DamagedRoom } from '../room/chain.ts'
import type { RoomInput } from '../room/input.ts'
import type { KeyRing } from '../room/keyring.ts'
import { LiveRoom, type Report, type RoomPorts } from '../room/live.ts'
import { startsNow } from '../room/membership.ts'
import { sealInput } from '../room/sealing.ts'
import { encodeSnapshot } from '../room/snapshot.ts'
import type { RoomState } from '../room/state.ts'
import { step } from '../room/step.ts'
import { type LoadedGame, RulesError } from '../rules/game.ts'
import type { Library } from './library.ts'
import { restoreRoom } from './restore.ts'

/** Events between snapshots. */
const SNAPSHOT_EVERY = 256
/** A room without connections leaves memory after this long, unless a deadline is nearer than that. */
const IDLE_MS = 60_000
const SWEEP_MS = 10_000
/** How long a room that answered a MATCH stays in memory, where its answer is found again. */
const MATCH_ANSWER_MS = 10 * 60_000
/** Rooms that are read at once when the engine starts. */
const ACTIVATED_AT_ONCE = 8

export interface RoomsPorts {
  readonly clock: Clock
  readonly chance: Chance
  readonly storage: Storage
  readonly keys: KeyRing
  readonly library: Library
  readonly report: Report
  readonly room: Omit<RoomPorts, 'changed' | 'lost'>
}

/**
 * The rooms of the partitions that this engine owns: those in memory, and how they come and go. A room is read from its log
 * on demand, by its deadline, or at the start when it was live; it leaves memory when it is idle. A room whose log is
 * damaged is frozen: it is named once in the log, answers `unavailable`, and the others go on.
 */
export class Rooms {
  readonly #ports: RoomsPorts
  readonly #live = new Map<RoomId, LiveRoom>()
  readonly #coming = new Map<RoomId, Promise<LiveRoom | null>>()
  readonly #frozen = new Map<RoomId, string>()
  readonly #wakes = new Map<RoomId, () => void>()
  readonly #idleSince = new Map<RoomId, number>()
  readonly #snapshotAt = new Map<RoomId, number>()
  #sweep: () => void
  #closed = false

  constructor(ports: RoomsPorts) {
    this.#ports = ports
    this.#sweep = ports.clock.after(SWEEP_MS, () => this.#sleepIdle())
  }

  live(): Iterable<LiveRoom> {
    return this.#live.values()
  }

  counts(): { live: number; frozen: number } {
    return { live: this.#live.size, frozen: this.#frozen.size }
  }

  /** The room in memory, if it is. */
  here(room: RoomId): LiveRoom | undefined {
    return this.#live.get(room)
  }

  /** The room, from memory or its log, or null where there is none. Rejects with Refusal where it is frozen or the store fails. */
  async get(room: RoomId): Promise<LiveRoom | null> {
    const here = this.#live.get(room)
    if (here !== undefined) return here
    const frozen = this.#frozen.get(room)
    if (frozen !== undefined)
      throw new Refusal('unavailable', `This room is frozen, because its log is damaged: ${frozen}`)
    if (this.#closed) throw new Refusal('unavailable', 'The server is stopping.')
    let coming = this.#coming.get(room)
    if (coming === undefined) {
      coming = this.#activate(room).finally(() => this.#coming.delete(room))
      this.#coming.set(room, coming)
    }
    return coming
  }

  /**
   * Creates a room with its first events, fenced at nothing: where it exists already, that room is returned. Rejects with
   * Refusal where the rules refuse to start or the store fails.
   */
  async create(
    game: LoadedGame,
    room: RoomId,
    first: (at: number, seed: () => number) => RoomInput[],
  ): Promise<LiveRoom> {
    const existing = await this.get(room)
    if (existing !== null) return existing
    const { clock, chance, storage, keys } = this.#ports
    const seed = () => chance.uint32()
    const inputs: RoomInput[] = []
    let state: RoomState | null = null
    const apply = (input: RoomInput) => {
      state = step(state, input, game.runner).state
      inputs.push(input)
      return state
    }
    let last: RoomState | null = null
    for (const input of first(clock.now(), seed)) last = apply(input)
    if (last === null) throw new Error('a room is created with an event')
    if (startsNow(last, game.runner)) last = apply({ type: 'room.started', origin: null, at: last.at, seed: seed() })
    const record = encodeRecord({
      room,
      kind: 'events',
      epoch: this.#ports.room.epoch,
      id: this.#ports.room.recordId(),
      first: 1,
      previous: 0,
      inputs: inputs.map((input) => sealInput(input, room, game.runner, keys)),
      rules: game.hash,
    })
    try {
      const position = await storage.append(room, 0, record, indexRow(last, game, 'live', null))
      const end = { position, checksum: recordChecksum(record), seq: last.seq }
      return this.#live.get(room) ?? this.#enter(new LiveRoom(last, end, game, this.#roomPorts()))
    } catch (error) {
      if (error instanceof NotStored) throw new Refusal('unavailable', `The room could not be stored: ${error.message}`)
      if (!(error instanceof Fenced || error instanceof FateUnknown)) throw error
      const made = await this.get(room)
      if (made === null) throw new Refusal('unavailable', 'It is not known whether the room was stored. Send it again.')
      return made
    }
  }

  /** What is public about one room, without bringing it into memory where the index tells. */
  async listing(room: RoomId): Promise<RoomListing | null> {
    const here = this.#live.get(room)
    if (here !== undefined) return listLive(here)
    const row = await this.#ports.storage.index(room)
    const game = row === null ? undefined : await this.#ports.library.byHash(row.rules)
    if (row !== null && row.status !== 'live' && game) return listRow(row, game)
    const live = await this.get(room)
    return live === null ? null : listLive(live)
  }

  /** The public rooms that are not over, at most `most`; those in memory first. */
  async listings(game: string | null, most: number): Promise<RoomListing[]> {
    const wanted = (state: RoomState) =>
      state.public && state.phase !== 'over' && (game === null || state.game === game)
    const list = [...this.#live.values()].filter((room) => wanted(room.state)).map(listLive)
    if (list.length >= most) return list.slice(-most)
    const filter = { status: 'asleep' as const, public: true, ...(game === null ? {} : { game }) }
    for (const row of await this.#ports.storage.listIndex(filter, '', most - list.length)) {
      const loaded = await this.#ports.library.byHash(row.rules)
      if (loaded !== null && row.phase !== 'over' && !this.#live.has(row.room)) list.push(listRow(row, loaded))
    }
    return list
  }

  /** Takes over what was live when the last owner went: its deadlines run, its players have their grace. */
  async takeOver(): Promise<void> {
    for await (const row of this.#indexed('asleep')) this.#wakeAt(row.room, row.due)
    const waiting: RoomId[] = []
    for await (const row of this.#indexed('live')) waiting.push(row.room)
    const worker = async () => {
      for (let room = waiting.shift(); room !== undefined && !this.#closed; room = waiting.shift())
        await this.get(room).catch((error) => this.#ignoreRefusal(error))
    }
    await Promise.all(Array.from({ length: ACTIVATED_AT_ONCE }, worker))
  }

  /** Stops all rooms once their commits in flight have landed, and keeps a snapshot of each that changed. */
  async close(): Promise<void> {
    this.#closed = true
    this.#sweep()
    for (const cancel of this.#wakes.values()) cancel()
    const rooms = [...this.#live.values()]
    await Promise.all(rooms.map((room) => room.settled()))
    for (const room of rooms) room.close()
    await Promise.all(rooms.map((room) => this.#keepSnapshot(room)))
  }

  /** Drops everything at once, as a crash would. For simulations. */
  abandon(): void {
    this.#closed = true
    this.#sweep()
    for (const cancel of this.#wakes.values()) cancel()
    for (const room of this.#live.values()) room.close()
  }

  async *#indexed(status: 'live' | 'asleep'): AsyncGenerator<IndexRow> {
    let after = ''
    for (;;) {
      const rows = await this.#ports.storage.listIndex({ status }, after, 500)
      yield* rows
      const last = rows.at(-1)
      if (last === undefined || rows.length < 500) return
      after = last.room
    }
  }

  async #activate(room: RoomId): Promise<LiveRoom | null> {
    const { storage, library, keys, report } = this.#ports
    try {
      const restored = await restoreRoom(room, { storage, library, keys })
      if (restored === null || this.#closed) return null
      const { state, end, game, migration, warning } = restored
      if (warning !== null) report('warn', warning, { room })
      const claimed = storage.exclusive ? end : await this.#claim(state, end, game)
      const live = new LiveRoom(state, claimed, game, this.#roomPorts())
      if (migration !== null) live.event((_, stamp) => ({ ...migration, ...stamp }))
      const row = await storage.index(room)
      if (row?.status !== 'live') await storage.putIndex([indexRow(state, game, 'live', null)])
      return this.#enter(live)
    } catch (error) {
      if (error instanceof Fenced) return this.#activate(room)
      if (!(error instanceof DamagedRoom)) throw error
      this.#frozen.set(room, error.message)
      report('error', `frozen: ${error.message}`, { room })
      throw new Refusal('unavailable', `This room is frozen, because its log is damaged: ${error.message}`)
    }
  }

  /** A record without events that fences out every earlier owner. */
  async #claim(state: RoomState, end: LiveRoom['end'], game: LoadedGame): Promise<LiveRoom['end']> {
    const { epoch, recordId } = this.#ports.room
    const claim = { room: state.room, kind: 'claim' as const, epoch, id: recordId(), first: state.seq + 1 }
    const record = encodeRecord({ ...claim, previous: end.checksum, inputs: [], rules: game.hash })
    const position = await this.#ports.storage.append(state.room, end.position, record)
    return { position, checksum: recordChecksum(record), seq: end.seq }
  }

  #enter(room: LiveRoom): LiveRoom {
    this.#wakes.get(room.room)?.()
    this.#wakes.delete(room.room)
    this.#live.set(room.room, room)
    this.#snapshotAt.set(room.room, room.state.seq)
    return room
  }

  #roomPorts(): RoomPorts {
    return {
      ...this.#ports.room,
      changed: (room) => this.#changed(room),
      lost: (room, why) => this.#lost(room, why),
    }
  }

  #changed(room: LiveRoom): void {
    if (room.state.seq - (this.#snapshotAt.get(room.room) ?? 0) < SNAPSHOT_EVERY) return
    void this.#keepSnapshot(room)
  }

  /** Reads the room again; its connections stay and get the state as it really is. */
  #lost(room: LiveRoom, why: string): void {
    this.#ports.report('warn', `reading the room again: ${why}`, { room: room.room })
    this.#leave(room)
    this.get(room.room).then(
      (again) => again?.adopt(room.attachments.all()),
      (error) => this.#ignoreRefusal(error),
    )
  }

  async #keepSnapshot(room: LiveRoom): Promise<boolean> {
    const { state, end, game } = room
    if (end.seq === this.#snapshotAt.get(room.room)) return true
    const { keys, storage, report } = this.#ports
    try {
      await keys.recall(Object.keys(state.members))
      const at = { position: end.position, checksum: end.checksum, rules: game.hash }
      await storage.putSnapshot(room.room, encodeSnapshot(state, at, game.runner, keys))
      this.#snapshotAt.set(room.room, state.seq)
      return true
    } catch (error) {
      if (!(error instanceof RulesError || error instanceof NotStored)) throw error
      report('error', `no snapshot was kept: ${error.message}`, { room: room.room, seq: state.seq })
      return error instanceof RulesError
    }
  }

  #sleepIdle(): void {
    const now = this.#ports.clock.now()
    for (const room of this.#live.values()) {
      if (!mayRest(room, now)) {
        this.#idleSince.delete(room.room)
        continue
      }
      const since = this.#idleSince.get(room.room) ?? now
      this.#idleSince.set(room.room, since)
      if (now - since >= IDLE_MS) void this.#putToSleep(room)
    }
    this.#sweep = this.#ports.clock.after(SWEEP_MS, () => this.#sleepIdle())
  }

  async #putToSleep(room: LiveRoom): Promise<void> {
    const { state } = room
    const due = dueOf(state)
    const status = state.phase === 'over' ? 'over' : 'asleep'
    if (!(await this.#keepSnapshot(room))) return
    await this.#ports.storage.putIndex([indexRow(state, room.game, status, due)])
    const woken = room.state !== state || !mayRest(room, this.#ports.clock.now())
    if (woken) return this.#ports.storage.putIndex([indexRow(room.state, room.game, 'live', null)])
    room.close()
    this.#leave(room)
    this.#wakeAt(room.room, due)
  }

  #leave(room: LiveRoom): void {
    this.#live.delete(room.room)
    this.#idleSince.delete(room.room)
    this.#snapshotAt.delete(room.room)
  }

  #wakeAt(room: RoomId, due: number | null): void {
    if (due === null) return
    const { clock } = this.#ports
    const wake = () => {
      this.#wakes.delete(room)
      this.get(room).catch((error) => this.#ignoreRefusal(error))
    }
    this.#wakes.set(room, clock.after(Math.max(0, due - clock.now()), wake))
  }

  /** A refusal was reported where it arose. */
  #ignoreRefusal(error: unknown): void {
    if (!(error instanceof Refusal)) throw error
  }
}

const dueOf = (state: RoomState): number | null =>
  (state.rules?.deadlines ?? []).reduce<number | null>((due, d) => (due === null || d.due < due ? d.due : due), null)

const mayRest = (room: LiveRoom, now: number): boolean => {
  const { state } = room
  const due = state.phase === 'playing' ? dueOf(state) : null
  const matched = state.public && now - state.at < MATCH_ANSWER_MS
  const waitsForSomebody = state.players.some((p: PlayerId) => state.members[p]?.connected === true)
  return (
    room.attachments.size === 0 && room.quiet && !matched && !waitsForSomebody && (due === null || due - now > IDLE_MS)
  )
}

const indexRow = (state: RoomState, game: LoadedGame, status: IndexRow['status'], due: number | null): IndexRow => ({
  room: state.room,
  game: state.game,
  rules: game.hash,
  status,
  due,
  public: state.public,
  phase: state.phase,
  players: state.players.length,
  seq: state.seq,
})

const listLive = ({ room, state, game }: LiveRoom): RoomListing => ({
  room,
  game: state.game,
  phase: state.phase,
  players: state.players.length,
  seats: game.runner.players[1],
})

const listRow = ({ room, game, phase, players }: IndexRow, { runner }: LoadedGame): RoomListing => ({
  room,
  game,
  phase,
  players,
  seats: runner.players[1],
})
