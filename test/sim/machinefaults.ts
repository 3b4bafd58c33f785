import { pauseMs } from './enginefaults.ts'
import type { Plan } from './faults.ts'
import { LEDGER } from './ledger.ts'
import { cutFor, KEEPS } from './longcuts.ts'
import { STORE } from './store.ts'

/** Gateways and media nodes crash, drain and are paused; links between machines are cut, the ledger goes silent, and clocks step. */
export const failMachines = (plan: Plan): void => {
  failGateways(plan)
  failMedia(plan)
  failReach(plan)
  failLedger(plan)
  failClocks(plan)
}

const failGateways = (plan: Plan): void => {
  const { world, dice, times } = plan
  const { clock } = world.ground
  times(0, 1, () => world.restartGateway(dice.pick(world.doors)))
  times(0, 1, () => {
    const door = dice.pick(world.doors)
    world.crashGateway(door, dice.may(0.5))
    clock.after(dice.between(50, 6_000), () => world.reopen(door))
  })
  times(0, 1, () => world.pause(dice.pick(world.doors).site.host, pauseMs(plan)))
}

const failMedia = (plan: Plan): void => {
  const { world, dice, times } = plan
  if (world.media.length === 0) return
  times(0, 1, () => {
    const slot = dice.pick(world.media)
    world.crashMedia(slot)
    world.ground.clock.after(dice.between(50, 6_000), () => world.startMedia(slot))
  })
  times(0, 1, () => {
    const { node } = dice.pick(world.media)
    if (node !== null) world.pause(node.host, pauseMs(plan))
  })
}

/** One place, or one pair of places, one way or both. */
const failReach = ({ world, dice, times }: Plan): void => {
  const { timeline } = world.ground
  times(0, 2, () => {
    const engine = dice.pick(world.slots).place.name
    const gateway = dice.pick(world.doors).place.name
    const all = [...world.places.map(({ name }) => name), LEDGER, STORE]
    const media = world.media.map(({ place }) => place.name)
    const one = dice.pick([engine, engine, gateway, ...media])
    const others = dice.may(0.5) ? all.filter((name) => name !== one) : [dice.pick([LEDGER, STORE, gateway, engine])]
    const [away, here] = dice.pick([
      [true, true],
      [true, false],
      [false, true],
    ] as const)
    const ms = dice.may(0.3) ? dice.between(6_000, 12_000) : dice.between(300, 6_000)
    const way = away && here ? '<>' : away ? '>' : '<'
    const keeps = dice.pick(KEEPS)
    timeline.note(null, `cut for ${ms} ms: ${one} ${way} ${others.join(', ')}; keeps ${keeps}`)
    timeline.count('cuts between machines')
    const ways = others.flatMap((other) => [
      ...(away ? [[one, other] as const] : []),
      ...(here ? [[other, one] as const] : []),
    ])
    cutFor(world, ways, ms, keeps)
  })
}

const failLedger = ({ world: { ledger, ground }, dice, times }: Plan): void =>
  times(0, 1, () => {
    const ms = dice.between(300, 7_000)
    ground.timeline.note(null, `the ledger takes no writes for ${ms} ms`)
    ground.timeline.count('ledger without a leader')
    ledger.faults.silent = true
    ground.clock.after(ms, () => {
      ledger.faults.silent = false
    })
  })

const failClocks = ({ world, dice, times }: Plan): void => {
  if (!world.clocksStep) return
  times(1, 4, () => {
    const place = dice.pick(world.places)
    const ms = dice.between(-10_000, 10_000)
    world.ground.timeline.note(null, `the clock of ${place.name} steps by ${ms} ms`)
    world.ground.timeline.count('clocks stepped')
    place.skew += ms
  })
}
