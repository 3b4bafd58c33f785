import type { Plan } from './faults.ts'
import type { Host } from './host.ts'
import type { EngineSlot, World } from './world.ts'

/** Where an engine is hit: at any moment, with an append on its way, between an append and its ack, or while it takes partitions over. */
const MOMENTS = ['now', 'issued', 'stored', 'takeover'] as const
type Moment = (typeof MOMENTS)[number]

/** Engines crash, stop in order and are paused, at the moments at which it hurts most. */
export const failEngines = (plan: Plan): void => {
  const { world, dice, times } = plan
  const { store, ground } = world
  const { clock, timeline } = ground
  const restart = (slot: EngineSlot) => {
    // Long enough, at times, for the others to take over; or the first of all to come back.
    const after = dice.may(0.3) ? dice.between(2_500, 7_000) : dice.between(10, 2_500)
    clock.after(after, () => void world.startEngine(slot))
  }
  const crash = (slot: EngineSlot, why: string) => {
    if (slot.host === null) return
    world.crash(slot, why)
    restart(slot)
  }
  const stop = (slot: EngineSlot) => {
    timeline.count('orderly restarts')
    void world.stopEngine(slot).then(() => restart(slot))
  }
  const isThere = (slot: EngineSlot, host: Host) => world.isFaulty && slot.host === host
  const onMoment = (moment: Moment, hit: (slot: EngineSlot, when: string) => void) => {
    if (moment === 'now') return hit(dice.pick(world.slots), 'out of the blue')
    if (moment === 'takeover') {
      world.ledger.onPut = (host) => {
        const slot = slotOf(world, host)
        if (slot === undefined) return
        world.ledger.onPut = () => {}
        clock.after(dice.between(0, 40), () => isThere(slot, host) && hit(slot, 'while it takes over'))
      }
      return
    }
    store.onAppend = (stage, host) => {
      const slot = slotOf(world, host)
      if (stage !== moment || slot === undefined) return
      store.onAppend = () => {}
      if (stage === 'stored') hit(slot, 'between an append and its ack')
      else clock.after(0, () => isThere(slot, host) && hit(slot, 'with an append on its way'))
    }
  }
  times(1, 3, () => (dice.may(0.25) ? stop(dice.pick(world.slots)) : onMoment(dice.pick(MOMENTS), crash)))
  times(0, 3, () =>
    onMoment(dice.pick(MOMENTS), ({ host }) => {
      if (host !== null) world.pause(host, pauseMs(plan))
    }),
  )
  if (dice.may(0.3)) quitAtLast(plan)
}

/** An engine crashes with an append on its way, and most people are gone for good: it lands when another engine has the room, and nobody asks for it again. */
export const quitAtLast = ({ world, dice, until, at }: Plan): void => {
  const { store, ground } = world
  at(until - 3_000, () => {
    store.onAppend = (stage, host) => {
      if (stage !== 'issued' || slotOf(world, host) === undefined) return
      store.onAppend = () => {}
      ground.clock.after(0, () => {
        const slot = slotOf(world, host)
        if (slot === undefined || !world.isFaulty) return
        world.crash(slot, 'with an append on its way')
        store.faults.lingers = true
        const share = dice.pick([0.7, 1])
        for (const { session } of world.bots) if (dice.may(share)) session.close()
        void world.startEngines()
      })
    }
  })
}

/** Whose engine that is; undefined where it is none, or is gone. */
const slotOf = ({ slots }: World, host: Host): EngineSlot | undefined => slots.find((slot) => slot.host === host)

/** A little, longer than a lease, or longer than it takes to be missed. */
export const pauseMs = ({ dice }: Plan): number => {
  const [least, most] = dice.pick([
    [200, 1_700],
    [1_700, 6_000],
    [6_000, 20_000],
  ] as const)
  return dice.between(least, most)
}
