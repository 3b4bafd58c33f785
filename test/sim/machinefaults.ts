import { pauseMs } from './enginefaults.ts'
import type { Plan } from './faults.ts'
import { LEDGER } from './ledger.ts'
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
  const { links, ground } = world
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
    ground.timeline.note(null, `cut for ${ms} ms: ${one} ${way} ${others.join(', ')}; keeps ${keeps}`)
    ground.timeline.count('cuts between machines')
    for (const other of others) {
      if (away) links.cut(one, other, keeps)
      if (here) links.cut(other, one, keeps)
    }
    ground.clock.after(ms, () => {
      for (const other of others) {
        if (away) links.heal(one, other)
        if (here) links.heal(other, one)
      }
    })
  })
}

/** Messages that wait at a link that is cut. */
const KEEPS = [0, 0, 5, 30, Number.POSITIVE_INFINITY] as const
const KINDS = ['media', 'ledger', 'half', 'split', 'late'] as const

/**
 * Long enough for a lease to run out: media nodes hear no engine; an engine reaches all but the ledger; it reaches neither
 * that nor any gateway but one, which hears it and the new owner; nor that nor the other engines, and a gateway reaches no other engine
 * than that one, so that it hears of no new owner; or what an engine says comes when there has been a new owner for long.
 */
export const failLeases = ({ world, dice, at, until }: Plan, isAlone: boolean): void => {
  const { links, ground } = world
  const kind = isAlone || dice.may(0.4) ? dice.pick(KINDS) : 'none'
  const engines = world.slots.map(({ place }) => place.name)
  const gateways = world.doors.map(({ place }) => place.name)
  const media = world.media.map(({ place }) => place.name)
  const [engine, gateway] = [dice.pick(engines), dice.pick(gateways)]
  const others = engines.filter((other) => other !== engine)
  const begin = dice.between(1_200, 4_500)
  const ms = dice.between(6_000, Math.min(until - begin, 15_000))
  const keeps = kind === 'late' ? Number.POSITIVE_INFINITY : dice.pick(KEEPS)
  const pairs = {
    none: [],
    media: pairsOf(media, engines),
    ledger: pairsOf([engine], [LEDGER]),
    half: pairsOf([engine], [LEDGER, ...gateways.filter((other) => other !== gateway)]),
    split: [...pairsOf([engine], [LEDGER, ...others]), ...pairsOf([gateway], others)],
    late: pairsOf([engine], [LEDGER, ...gateways, ...media]),
  }[kind]
  if (pairs.length === 0) return
  const ways = pairs.flatMap(([one, other]) => [[one, other] as const, [other, one] as const])
  at(begin, () => {
    const names = pairs.map((pair) => pair.join(' <> ')).join(', ')
    ground.timeline.note(null, `cut for ${ms} ms: ${names}; keeps ${keeps}`)
    ground.timeline.count('cuts for longer than a lease')
    for (const [from, to] of ways) links.cut(from, to, keeps)
    ground.clock.after(ms, () => {
      for (const [from, to] of ways) links.heal(from, to)
    })
  })
  // What the rules forbid from then on, and for good, nodes that are cut off do not hear; or what they hear of it later is old.
  const goOut = (ms: number) =>
    at(begin + ms, () => {
      for (const bot of world.bots) if (dice.may(0.3)) bot.goOut()
    })
  if (kind === 'media' || kind === 'late') goOut(dice.between(0, 1_000))
  if (kind === 'late') goOut(dice.between(3_500, 5_000))
}

const pairsOf = (some: readonly string[], others: readonly string[]): (readonly [string, string])[] =>
  some.flatMap((one) => others.map((other) => [one, other] as const))

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
