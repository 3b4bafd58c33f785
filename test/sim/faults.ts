import type { Dice } from './dice.ts'
import { failEngines, quitAtLast } from './enginefaults.ts'
import { cutLong } from './longcuts.ts'
import { failMachines } from './machinefaults.ts'
import type { World } from './world.ts'

/** Faults end so long after the beginning: in some worlds late enough for a pause of many seconds. */
const FAULTS_MS = 10_000
const LONG_FAULTS_MS = 20_000

/** So many worlds share one in which links that died by halves stay so in the end. */
const SILENT_EVERY = 4

/** What goes wrong in one world, and until when (ms from its beginning). */
export interface Plan {
  readonly world: World
  readonly dice: Dice
  readonly until: number
  /** Does it then, unless the faults are over. */
  at(ms: number, task: () => void): void
  /** Does it so many times, at any time. */
  times(least: number, most: number, task: () => void): void
}

/** What goes wrong in a world, from its seed: drawn at the start, done as time passes. Returns when it is over, in ms from now. */
export const planFaults = (world: World): number => {
  const { ground, bus, store, ledger, network } = world
  const dice = ground.dice.faults
  // In some worlds one fault beside those of clients, which has time to show.
  const isAlone = dice.may(0.4)
  const until = isAlone || dice.may(0.1) ? LONG_FAULTS_MS : FAULTS_MS
  const at = (ms: number, task: () => void) => void ground.clock.after(ms, () => world.isFaulty && task())
  const times = (least: number, most: number, task: () => void) => {
    for (let n = dice.between(least, most); n > 0; n--) at(dice.between(500, until - 500), task)
  }
  const plan: Plan = { world, dice, until, at, times }
  if (isAlone && dice.may(0.25)) quitAtLast(plan)
  else cutLong(plan, isAlone)
  failLinks(plan)
  if (isAlone) return until
  bus.faults = {
    loss: dice.pick([0, 0.01, 0.03, 0.08]),
    double: dice.pick([0, 0.02, 0.06]),
    delay: dice.pick([0, 0.03, 0.15]),
  }
  store.faults = { unknown: dice.pick([0, 0.02, 0.06]), slow: dice.pick([0, 0.1, 0.3]), full: false, lingers: false }
  ledger.faults = {
    loss: dice.pick([0, 0, 0.03, 0.1]),
    unknown: dice.pick([0, 0, 0.1]),
    lag: dice.pick([0, 0.05, 0.3]),
    silent: false,
  }
  network.slow = dice.pick([0, 0.05])
  network.impatience = dice.pick([0, 0.05])
  failStore(plan)
  failEngines(plan)
  failMachines(plan)
  return until
}

const failStore = ({ world: { store, ground }, dice, times }: Plan): void =>
  times(0, 2, () => {
    ground.timeline.note(null, 'the disk is full')
    store.faults.full = true
    ground.clock.after(dice.between(50, 1_500), () => {
      store.faults.full = false
    })
  })

/** Between clients and gateways. */
const failLinks = ({ world, dice, times }: Plan): void => {
  const { network, doors, ground } = world
  const { clock, timeline } = ground
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
    const door = dice.pick(doors)
    door.swallowsUpgrades = true
    timeline.note(null, `requests for a WebSocket at ${door.place.name} are swallowed`)
    clock.after(dice.between(1_000, 5_000), () => {
      door.swallowsUpgrades = false
    })
  })
}

/** Ends all faults: what was broken stays broken until somebody notices. */
export const endFaults = (world: World): void => {
  const { bus, store, ledger, network, doors, links, ground } = world
  ground.timeline.note(null, 'the faults end')
  bus.faults = { loss: 0, double: 0, delay: 0 }
  store.faults = { ...store.faults, unknown: 0, slow: 0, full: false }
  store.onAppend = () => {}
  ledger.faults = { loss: 0, unknown: 0, lag: 0, silent: false }
  ledger.onPut = () => {}
  network.slow = 0
  network.impatience = 0
  links.healAll()
  // Elsewhere only silence tells, which takes 30 s.
  if (world.seed % SILENT_EVERY !== 0) for (const link of [...network.links]) if (link.isSick) link.cut()
  for (const host of world.processes) world.resume(host)
  for (const slot of world.media) world.startMedia(slot)
  for (const door of doors) {
    door.swallowsUpgrades = false
    world.reopen(door)
  }
}
