import type { EngineId } from '../../../bus/messages.ts'
import { PARTITIONS } from '../../../bus/subjects.ts'
import type { RoomId } from '../../../protocol/frames.ts'
import type { Host } from '../host.ts'
import type { World } from '../world.ts'
import type { RoomPast } from './past.ts'

/** Where nothing else is broken, a partition whose owner is down has another one, and a timer has fired, within this. */
const WITHIN_MS = 5_000
/** How often it is looked at: a little more may have passed. */
export const LOOK_EVERY_MS = 250

/**
 * An engine that is gone is replaced in time: looked at while the world lives. Nothing is expected where no engine is well, or the
 * ledger or the store is not.
 */
export class OwnedCheck {
  readonly #world: World
  /** Since when each engine is up and reaches everything. */
  readonly #wellSince = new Map<Host, number>()
  /** Since when each owner is dead or paused. */
  readonly #downSince = new Map<EngineId, number>()
  #calmSince = 0
  /** When all was well: at each of these moments. */
  readonly #well: number[] = []
  #failed = false

  constructor(world: World) {
    this.#world = world
  }

  look(): void {
    const { engines, links, ground } = this.#world
    const { now } = ground.timeline
    const well = engines.filter(({ host }) => host.isUp && !links.touches(host.place.name)).map(({ host }) => host)
    for (const host of this.#wellSince.keys()) if (!well.includes(host)) this.#wellSince.delete(host)
    for (const host of well) if (!this.#wellSince.has(host)) this.#wellSince.set(host, now)
    if (!this.#isCalm()) this.#calmSince = now
    const since = Math.max(this.#calmSince, Math.min(...this.#wellSince.values()))
    if (well.length === engines.length && well.length > 0 && this.#calmSince < now) this.#well.push(now)
    for (let partition = 0; partition < PARTITIONS; partition++) this.#lookAt(partition, since)
  }

  /** Deadlines fire as late as a takeover takes. Only where all clocks show the same. */
  checkTimers(pasts: ReadonlyMap<RoomId, RoomPast>): void {
    const { timeline } = this.#world.ground
    if (!this.#world.clocksAgree) return
    for (const { room, events } of pasts.values())
      for (const { seq, input } of events) {
        if (input.type !== 'deadline') continue
        const set = events[seq - 2]?.state.rules?.deadlines.find(({ id }) => id === input.id)
        if (set === undefined) continue
        timeline.count('deadlines')
        this.#inTime(room, set.due, input.at, `a timer fired`)
      }
    for (const past of pasts.values()) {
      const { room } = past
      const state = past.at(past.seq)?.state
      if (state === undefined || state.phase === 'over') continue
      for (const { due } of state.rules?.deadlines ?? [])
        this.#inTime(room, due, this.#world.ground.clock.now(), 'a timer has not fired')
    }
  }

  #inTime(room: RoomId, due: number, at: number, what: string): void {
    const { timeline, clock } = this.#world.ground
    const began = clock.now() - timeline.now
    const well = this.#well.filter((ms) => ms > due - began && ms < at - began).length * LOOK_EVERY_MS
    if (well > WITHIN_MS + LOOK_EVERY_MS)
      timeline.fail('run', room, `${what} ${at - due} ms late, for ${well} of which all was well`, at - began)
  }

  #lookAt(partition: number, since: number): void {
    const { ledger, hosts, ground } = this.#world
    const { timeline } = ground
    const [owner = ''] = ledger.get(`partition.${partition}`)?.split('<') ?? []
    if (hosts.get(owner)?.isUp === true) {
      this.#downSince.delete(owner)
      return
    }
    const down = this.#downSince.get(owner) ?? timeline.now
    this.#downSince.set(owner, down)
    if (this.#failed || timeline.now - Math.max(since, down) <= WITHIN_MS + LOOK_EVERY_MS) return
    this.#failed = true
    const name = hosts.get(owner)?.name ?? 'nobody'
    timeline.fail('run', null, `partition ${partition} is still ${name}'s, ${timeline.now - down} ms after that fell`)
  }

  #isCalm(): boolean {
    const { ledger, store } = this.#world
    const { loss, unknown, silent } = ledger.faults
    return loss === 0 && unknown === 0 && !silent && !store.faults.full
  }
}
