import type { Plan } from './faults.ts'
import { LEDGER } from './ledger.ts'
import type { World } from './world.ts'

/** So many messages wait at a link that is cut, at most; the others are lost. */
export const KEEPS = [0, 0, 5, 30, Number.POSITIVE_INFINITY] as const
const KINDS = ['media', 'ledger', 'half', 'split', 'late'] as const

/**
 * Long enough for a lease to run out: media nodes hear no engine; an engine reaches all but the ledger; it reaches neither
 * that nor any gateway but one, which hears it and the new owner; nor that nor the other engines, and a gateway reaches no other engine
 * than that one, so that it hears of no new owner; or what an engine says comes when there has been a new owner for long.
 */
export const cutLong = ({ world, dice, at, until }: Plan, isAlone: boolean): void => {
  const { timeline } = world.ground
  const kind = isAlone || dice.may(0.4) ? dice.pick(KINDS) : 'none'
  const engines = world.slots.map(({ place }) => place.name)
  const gateways = world.doors.map(({ place }) => place.name)
  const media = world.media.map(({ place }) => place.name)
  const [engine, gateway] = [dice.pick(engines), dice.pick(gateways)]
  const others = engines.filter((other) => other !== engine)
  const begin = dice.between(1_200, 4_500)
  const ms = dice.between(6_000, Math.min(Math.max(until - begin, 7_000), 15_000))
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
    timeline.note(null, `cut for ${ms} ms: ${names}; keeps ${keeps}`)
    timeline.count('cuts for longer than a lease')
    cutFor(world, ways, ms, keeps)
  })
  // What the rules forbid from then on, and for good, nodes that are cut off do not hear; or what they hear of it later is old.
  const goOut = (ms: number) =>
    at(begin + ms, () => {
      for (const bot of world.bots) if (dice.may(0.3)) bot.goOut()
    })
  if (kind === 'media' || kind === 'late') goOut(dice.between(0, 1_000))
  if (kind === 'late') goOut(dice.between(3_500, 5_000))
}

/** Nothing goes these ways for so long; `keeps`: so many messages of each come when it heals. */
export const cutFor = (
  { links, ground }: World,
  ways: readonly (readonly [from: string, to: string])[],
  ms: number,
  keeps: number,
): void => {
  for (const [from, to] of ways) links.cut(from, to, keeps)
  ground.clock.after(ms, () => {
    for (const [from, to] of ways) links.heal(from, to)
  })
}

const pairsOf = (some: readonly string[], others: readonly string[]): (readonly [string, string])[] =>
  some.flatMap((one) => others.map((other) => [one, other] as const))
