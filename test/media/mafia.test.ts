import { expect, test } from 'vitest'
import type { Room } from '../../client/client.ts'
import type mafia from '../../games/mafia/rules.ts'
import type { Allowed } from './flows.ts'
import { type Player, studioOfThisFile } from './studio.ts'
import { tableOf } from './table.ts'

const studio = await studioOfThisFile()

type Town = { mafia: Player[]; alive: Set<Player> }

const phaseIs = async (people: readonly Player[], phase: string): Promise<void> => {
  for (const { frame } of people)
    await frame.waitForFunction((phase) => (seat.room as Room<typeof mafia>).document.game?.phase === phase, phase)
}

const vote = ({ frame }: Player, { id: target }: Player): Promise<unknown> =>
  frame.evaluate((target) => (seat.room as Room<typeof mafia>).move.vote({ target }), target)

const everybody: Allowed<Player> = { see: () => true, hear: () => true }

/** By night the living mafia see and hear each other; the dead see all, and hear the living; nobody else sees or hears anybody. */
const byNight = ({ mafia, alive }: Town): Allowed<Player> => {
  const isDead = (viewer: Player) => viewer.name !== 'Eve' && !alive.has(viewer)
  const isAwake = (player: Player) => mafia.includes(player) && alive.has(player)
  return {
    see: (viewer, player) => isDead(viewer) || (isAwake(viewer) && isAwake(player)),
    hear: (viewer, player) => (isDead(viewer) && alive.has(player)) || (isAwake(viewer) && isAwake(player)),
  }
}

/** By day all are seen, and the living are heard. */
const byDay = ({ alive }: Town): Allowed<Player> => ({ see: () => true, hear: (_, player) => alive.has(player) })

test('P4: through a whole mafia of eight and one who watches, sound and picture flow between those whom the rules let see and hear each other, and nothing flows between others', {
  timeout: 300_000,
}, async () => {
  const names = ['Ann', 'Bob', 'Cho', 'Dan', 'Eli', 'Fay', 'Gus', 'Hal']
  const { host, players, everyone, flows } = await tableOf(studio, 'mafia', { night: 3600, day: 3600 }, names)

  await flows('open', everybody)
  await host.frame.evaluate(() => seat.room.start())
  await phaseIs(everyone, 'night')
  const guilty = await Promise.all(
    players.map(({ frame }) => frame.evaluate(() => (seat.room as Room<typeof mafia>).document.game?.role === 'mafia')),
  )
  const town: Town = { mafia: players.filter((_, at) => guilty[at]), alive: new Set(players) }
  const citizens = players.filter((_, at) => !guilty[at])
  const [don = expect.fail(), second = expect.fail()] = town.mafia
  const [first = expect.fail(), next = expect.fail()] = citizens
  const living = () => [...town.alive]
  await flows('night 1', byNight(town))

  for (const each of town.mafia) await vote(each, first)
  town.alive.delete(first)
  await phaseIs(everyone, 'day')
  await flows('day 1', byDay(town))

  for (const each of living()) await vote(each, second)
  town.alive.delete(second)
  await phaseIs(everyone, 'night')
  await flows('night 2, a citizen and one of the mafia dead', byNight(town))

  await vote(don, next)
  town.alive.delete(next)
  await phaseIs(everyone, 'day')
  await flows('day 2', byDay(town))

  for (const each of living()) await vote(each, don)
  await phaseIs(everyone, 'over')
  await flows('over', everybody)
})
