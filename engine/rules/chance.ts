import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'
import { skipN } from 'pure-rand/utils/skipN'
import { RulesError } from './game.ts'
import { step } from './moment.ts'

/** Draws thrown away after seeding: a seed fills 32 of 128 bits, and near seeds begin alike. Part of the log's meaning. */
const WARM_UP_DRAWS = 16

const stream = (asked: string): RandomGenerator => {
  const moment = step(asked)
  if (moment.stream === null) {
    moment.stream = xoroshiro128plus(moment.stamp.seed)
    skipN(moment.stream, WARM_UP_DRAWS)
  }
  return moment.stream
}

/** Returns a number from 0 up to 1, without 1; throws RulesError outside a step. A replay gives the same. */
export const random = (): number => uniformFloat64(stream('random()'))

/** Returns the list in random order, every order as likely; throws RulesError outside a step. */
export const shuffle = <T>(list: readonly T[]): T[] => {
  const draws = stream('shuffle()')
  const rest = [...list]
  const order: T[] = []
  while (rest.length > 0) order.push(...rest.splice(uniformInt(draws, 0, rest.length - 1), 1))
  return order
}

/** Returns one of the list, each as likely; throws RulesError outside a step and where the list is empty. */
export const pick = <T>(list: readonly T[]): T => {
  const draws = stream('pick()')
  const place = list.length === 0 ? 0 : uniformInt(draws, 0, list.length - 1)
  for (const picked of list.slice(place, place + 1)) return picked
  throw new RulesError('pick() needs a list with something in it')
}

/** Returns an integer from 1 to `sides`, each as likely; throws RulesError outside a step. */
export const dice = (sides: number): number => {
  const draws = stream('dice()')
  if (!Number.isSafeInteger(sides) || sides < 1)
    throw new RulesError(`dice() needs a whole number of sides from 1, not ${sides}`)
  return uniformInt(draws, 1, sides)
}
