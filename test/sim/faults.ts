import type { World } from './world.ts'

/** What goes wrong in a world, from its seed: drawn at the start, done as time passes, over at `until` (ms from now). */
export const planFaults = (world: World, until: number): void => {
  const { ground, bus, store, network } = world
  const dice = ground.dice.faults
  const { clock, timeline } = ground
  const at = (ms: number, task: () => void) => clock.after(ms, () => world.isFaulty && task())
  const times = (least: number, most: number, task: () => void) => {
    for (let n = dice.between(least, most); n > 0; n--) at(dice.between(500, until - 500), task)
  }

  bus.faults = {
    loss: dice.pick([0, 0.01, 0.03, 0.08]),
    double: dice.pick([0, 0.02, 0.06]),
    delay: dice.pick([0, 0.03, 0.15]),
  }
  store.faults = { unknown: dice.pick([0, 0.02, 0.06]), slow: dice.pick([0, 0.1, 0.3]), full: false, lingers: false }
  network.slow = dice.pick([0, 0.05])
  network.impatience = dice.pick([0, 0.05])

  times(0, 2, () => {
    timeline.note(null, 'the disk is full')
    store.faults.full = true
    clock.after(dice.between(50, 1_500), () => {
      store.faults.full = false
    })
  })

  const restart = () => {
    clock.after(dice.between(10, 2_500), () => void world.startEngine())
  }
  const crash = (why: string) => {
    if (world.engine === null) return
    world.crash(why)
    restart()
  }
  const fall = (how: 'now' | 'issued' | 'stored' | 'in order', after = () => {}) => {
    if (how === 'now') return crash('out of the blue')
    if (how === 'in order') {
      timeline.count('orderly restarts')
      void world.stopEngine().then(restart)
      return
    }
    store.onAppend = (stage, host) => {
      if (stage !== how || host !== world.engine?.host) return
      store.onAppend = () => {}
      if (how === 'issued')
        clock.after(0, () => {
          crash('with an append on its way')
          after()
        })
      else crash('between an append and its ack')
    }
  }
  times(1, 3, () => fall(dice.pick(['now', 'issued', 'stored', 'in order'])))
  // One more at the end, with most people gone for good: what was under way lands when nobody asks for it again.
  const quit = () => {
    store.faults.lingers = true
    const share = dice.pick([0.7, 1])
    for (const { session } of world.bots) if (dice.may(share)) session.close()
    void world.startEngine()
  }
  if (dice.may(0.3)) at(until - 400, () => fall('issued', quit))

  times(2, 8, () => {
    const links = [...network.links]
    if (links.length === 0) return
    const link = dice.pick(links)
    if (dice.may(0.75)) {
      timeline.count('links cut')
      link.cut()
    } else {
      timeline.count('links half dead')
      link.halve(dice.pick(['up', 'down', 'both'] as const))
    }
  })
  times(0, 2, () => {
    const door = dice.pick(world.doors)
    door.swallowsUpgrades = true
    timeline.note(null, `requests for a WebSocket at ${door.site.name} are swallowed`)
    clock.after(dice.between(1_000, 5_000), () => {
      door.swallowsUpgrades = false
    })
  })
  times(0, 1, () => world.restartGateway(dice.pick(world.doors)))
}

/** Ends all faults: what was broken stays broken until somebody notices. */
export const endFaults = ({ bus, store, network, doors, ground }: World): void => {
  ground.timeline.note(null, 'the faults end')
  bus.faults = { loss: 0, double: 0, delay: 0 }
  store.faults = { ...store.faults, unknown: 0, slow: 0, full: false }
  store.onAppend = () => {}
  network.slow = 0
  network.impatience = 0
  for (const door of doors) door.swallowsUpgrades = false
}
