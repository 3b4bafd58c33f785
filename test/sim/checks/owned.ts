import type { EngineId } from '../../../bus/messages.ts'
import { PARTITIONS } from '../../../bus/subjects.ts'
import { partitionKey, readOwner } from '../../../engine/partition/ledger-keys.ts'
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
  /** The engines that are up and reach everything. */
  #well: readonly Host[] = []
  /** By partition: its owner that is dead or paused, and since when that is seen. */
  readonly #downSince = new Map<number, { readonly owner: EngineId; readonly at: number }>()
  /** Since when the ledger and the store are well, and no engine came or went: who should take over may itself be gone. */
  #calmSince = 0
  /** The moments at which all was well. */
  readonly #calm: number[] = []
  #failed = false

  constructor(world: World) {
    this.#world = world
  }

  look(): void {
    const { engines, links, ground } = this.#world
    const { now } = ground.timeline
    const well = engines.filter(({ host }) => host.isUp && !links.touches(host.place.name)).map(({ host }) => host)
    const isSame = well.length === this.#well.length && well.every((host) => this.#well.includes(host))
    this.#well = well
    if (!isSame || well.length === 0 || !this.#isCalm()) this.#calmSince = now
    if (well.length === engines.length && this.#calmSince < now) this.#calm.push(now)
    for (let partition = 0; partition < PARTITIONS; partition++) this.#lookAt(partition)
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
    const well = this.#calm.filter((ms) => ms > due - began && ms < at - began).length * LOOK_EVERY_MS
    if (well > WITHIN_MS + LOOK_EVERY_MS)
      timeline.fail('run', room, `${what} ${at - due} ms late, for ${well} of which all was well`, at - began)
  }

  #lookAt(partition: number): void {
    const { ledger, hosts, ground } = this.#world
    const { timeline } = ground
    const { owner } = readOwner(ledger.get(partitionKey(partition)) ?? null)
    if (hosts.get(owner)?.isUp === true) {
      this.#downSince.delete(partition)
      return
    }
    const before = this.#downSince.get(partition)
    const down = before?.owner === owner ? before.at : timeline.now
    this.#downSince.set(partition, { owner, at: down })
    if (this.#failed || timeline.now - Math.max(this.#calmSince, down) <= WITHIN_MS + LOOK_EVERY_MS) return
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
