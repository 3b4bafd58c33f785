import { partitionOf } from '../../bus/subjects.ts'
import type { Clock } from '../../protocol/clock.ts'
import { messageOf } from '../../protocol/errors.ts'
import type { RoomId } from '../../protocol/frames.ts'
import type { IndexRow } from '../log/log.ts'
import type { LiveRoom } from '../room/live.ts'
import { isConnected } from '../room/membership.ts'
import type { Report } from '../room/writer.ts'
import { indexRow } from './index-row.ts'
import type { Snapshots } from './snapshots.ts'

/** A room without members who are here leaves memory after this long, unless a deadline is nearer than that. */
const IDLE_MS = 60_000
const SWEEP_MS = 10_000
/** How long a room that answered a MATCH stays in memory, where its answer is found again. */
const MATCH_ANSWER_MS = 10 * 60_000

interface HibernationPorts {
  readonly clock: Clock
  readonly snapshots: Snapshots
  readonly report: Report
  live(): Iterable<LiveRoom>
  putRow(row: IndexRow): Promise<void>
  /** Drops a room from memory. It may come back once `left` has resolved. */
  leave(room: LiveRoom, left: Promise<void>): void
  /** Brings a room into memory. */
  wake(room: RoomId): void
}

/** Puts rooms to sleep that are idle, and wakes them when their next deadline falls due. */
export class Hibernation {
  readonly #ports: HibernationPorts
  readonly #idleSince = new WeakMap<LiveRoom, number>()
  readonly #falling = new WeakSet<LiveRoom>()
  /** By partition, for each leaves as a whole. */
  readonly #wakes = new Map<number, Map<RoomId, () => void>>()
  #sweep: () => void
  #closed = false

  constructor(ports: HibernationPorts) {
    this.#ports = ports
    this.#sweep = ports.clock.after(SWEEP_MS, () => this.#sleepIdle())
  }

  /** Of a room that sleeps, as the index says. */
  wakeAt({ room, due }: Pick<IndexRow, 'room' | 'due'>): void {
    if (due === null || this.#closed) return
    this.awake(room)
    const { clock, wake } = this.#ports
    const cancel = clock.after(Math.max(0, due - clock.now()), () => {
      wakes.delete(room)
      wake(room)
    })
    const partition = partitionOf(room)
    const wakes = this.#wakes.get(partition) ?? new Map<RoomId, () => void>()
    this.#wakes.set(partition, wakes.set(room, cancel))
  }

  /** The room is in memory: its deadlines are its own. */
  awake(room: RoomId): void {
    const wakes = this.#wakes.get(partitionOf(room))
    wakes?.get(room)?.()
    wakes?.delete(room)
  }

  /** The rooms of this partition are no longer this engine's to wake. */
  forget(partition: number): void {
    for (const cancel of this.#wakes.get(partition)?.values() ?? []) cancel()
    this.#wakes.delete(partition)
  }

  close(): void {
    this.#closed = true
    this.#sweep()
    for (const partition of [...this.#wakes.keys()]) this.forget(partition)
  }

  #sleepIdle(): void {
    const { clock, live } = this.#ports
    const now = clock.now()
    for (const room of live()) {
      if (!mayRest(room, now)) {
        this.#idleSince.delete(room)
        continue
      }
      const since = this.#idleSince.get(room) ?? now
      this.#idleSince.set(room, since)
      if (now - since >= IDLE_MS && !this.#falling.has(room)) void this.#putToSleep(room)
    }
    this.#sweep = clock.after(SWEEP_MS, () => this.#sleepIdle())
  }

  /**
   * The room leaves memory before its row says so, and comes back only after: an event that the row does not know of, and
   * whose deadline would be lost with this process, cannot come between.
   */
  async #putToSleep(room: LiveRoom): Promise<void> {
    const { clock, snapshots, leave } = this.#ports
    const { state } = room
    this.#falling.add(room)
    await snapshots.keep(room)
    this.#falling.delete(room)
    if (this.#closed || room.state !== state || !mayRest(room, clock.now())) return
    const { game, due } = room
    leave(room, this.#writeRow(indexRow(state, game, state.phase === 'over' ? 'over' : 'asleep', due)))
  }

  /** Never rejects: a room whose row the store refuses is brought back into memory, until a later sweep. */
  async #writeRow(row: IndexRow): Promise<void> {
    const { putRow, report, wake } = this.#ports
    try {
      await putRow(row)
      this.wakeAt(row)
    } catch (error) {
      const why = messageOf(error)
      report('error', `the room stays in memory: ${why}`, { room: row.room })
      wake(row.room)
    }
  }
}

const mayRest = (room: LiveRoom, now: number): boolean => {
  const { state, due } = room
  const matched = state.public && now - state.at < MATCH_ANSWER_MS
  const waitsForSomebody = state.players.some((player) => isConnected(state, player))
  const isSoon = state.phase === 'playing' && due !== null && due - now <= IDLE_MS
  return room.isEmpty && room.quiet && !room.hasVideo && !matched && !waitsForSomebody && !isSoon
}
