import type { EngineId, Seats, SeatsOfRoom } from '../../bus/messages.ts'
import type { Clock } from '../../protocol/clock.ts'
import type { PlayerId, RoomId } from '../../protocol/frames.ts'
import type { LiveRoom } from '../room/live.ts'
import { freeSeats, isConnected, takesPlayers } from '../room/membership.ts'

/** What an engine said counts for this long. */
const HEARD_MS = 3_000

/** No player has this id: for it, all seats that are kept are kept for somebody else. */
const NOBODY = ''

/** The free seats of a public room, as this player may take them; null where there is none, or all its players are away. Pure. */
export const seatsOf = (
  { room, state, game: { runner, hash } }: LiveRoom,
  at: number,
  by: PlayerId = NOBODY,
): SeatsOfRoom | null => {
  const { game, options, players } = state
  if (!state.public || !takesPlayers(state, runner)) return null
  const free = freeSeats(state, runner, by, at)
  if (free <= 0) return null
  if (players.length > 0 && !players.some((p) => isConnected(state, p))) return null
  return { room, game, rules: hash, options, players: players.length, free }
}

interface Entry {
  readonly seats: SeatsOfRoom
  readonly from: EngineId | null
  free: number
}

/**
 * Rooms of other engines that have a free seat: as they said within the last 3 s, less the seats that were given away here since;
 * and rooms that were made at other engines by this one, until those speak of them.
 */
export class SeatsElsewhere {
  readonly #engine: EngineId
  readonly #clock: Clock
  readonly #games = new Map<string, Map<RoomId, Entry>>()
  /** Of each engine that was heard: ends the wait for its silence. */
  readonly #silences = new Map<EngineId, () => void>()
  /** Of each room that was made: ends the wait for its engine. */
  readonly #made = new Map<RoomId, () => void>()

  constructor(engine: EngineId, clock: Clock) {
    this.#engine = engine
    this.#clock = clock
  }

  /** An engine's rooms from now on are these and no others. */
  heard({ engine, rooms }: Seats): void {
    if (engine === this.#engine) return
    this.#forget(engine)
    for (const seats of rooms) this.#enter({ seats, from: engine, free: seats.free })
    this.#silences.set(
      engine,
      this.#clock.after(HEARD_MS, () => this.#forget(engine)),
    )
  }

  /** A room is being made for somebody: it has these seats for others at once. */
  made(seats: SeatsOfRoom): void {
    this.#made.get(seats.room)?.()
    this.#enter({ seats, from: null, free: seats.free })
    const end = this.#clock.after(HEARD_MS, () => {
      this.#made.delete(seats.room)
      const rooms = this.#games.get(seats.game)
      if (rooms?.get(seats.room)?.from === null) rooms.delete(seats.room)
    })
    this.#made.set(seats.room, end)
  }

  *of(game: string): Generator<SeatsOfRoom> {
    for (const { seats, free } of this.#games.get(game)?.values() ?? []) if (free > 0) yield { ...seats, free }
  }

  /** One seat less, where it is known. */
  take(game: string, room: RoomId): void {
    const entry = this.#games.get(game)?.get(room)
    if (entry !== undefined) entry.free -= 1
  }

  /** No seat at all, until it is heard of again. */
  full(game: string, room: RoomId): void {
    this.#games.get(game)?.delete(room)
  }

  close(): void {
    for (const end of [...this.#silences.values(), ...this.#made.values()]) end()
  }

  #enter(entry: Entry): void {
    const { game, room } = entry.seats
    const rooms = this.#games.get(game) ?? new Map<RoomId, Entry>()
    this.#games.set(game, rooms.set(room, entry))
  }

  #forget(engine: EngineId): void {
    this.#silences.get(engine)?.()
    this.#silences.delete(engine)
    for (const [game, rooms] of this.#games) {
      for (const [room, { from }] of rooms) if (from === engine) rooms.delete(room)
      if (rooms.size === 0) this.#games.delete(game)
    }
  }
}
