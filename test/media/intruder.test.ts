import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Room } from '../../client/client.ts'
import type mafia from '../../games/mafia/rules.ts'
import { until } from '../program.ts'
import { enter, type Player, publish, studioOfThisFile } from './studio.ts'

const studio = await studioOfThisFile()

const FRAMES = 10

/** Bytes and frames that arrived, whoever they are of. */
const arrivedAt = async ({ frame }: Player): Promise<{ bytes: number; frames: number }> => {
  const all = await frame.evaluate(() => seat.arrived())
  return all.reduce((sum, { bytes, frames }) => ({ bytes: sum.bytes + bytes, frames: sum.frames + frames }), {
    bytes: 0,
    frames: 0,
  })
}

const isIn = async (people: readonly Player[], phase: string): Promise<void> => {
  for (const { frame } of people)
    await frame.waitForFunction((phase) => (seat.room as Room<typeof mafia>).document.game?.phase === phase, phase)
}

const vote = ({ frame }: Player, { id: target }: Player): Promise<unknown> =>
  frame.evaluate((target) => (seat.room as Room<typeof mafia>).move.vote({ target }), target)

const isGuilty = () => (seat.room as Room<typeof mafia>).document.game?.role === 'mafia'

const growsBy = async (player: Player, frames: number): Promise<void> => {
  const before = await arrivedAt(player)
  await until(async () => (await arrivedAt(player)).frames >= before.frames + frames, `frames at ${player.name}`)
}

test('a changed client is refused what it may not have, whatever ids it knows or guesses, and what the rules pause no call of its own starts', {
  timeout: 180_000,
}, async () => {
  const page = await studio.page()
  const players: Player[] = []
  for (const name of ['Ann', 'Bob', 'Cho', 'Dan']) players.push(await studio.sit(page, name))
  const [mal, ned] = [await studio.sit(page, 'Mal'), await studio.sit(page, 'Ned')]
  const [host = expect.fail()] = players
  const options = { night: 3600, day: 3600 }
  const room = await host.frame.evaluate((options) => seat.session.create('mafia', options), options)
  for (const each of [...players, mal, ned]) await enter(each, room)
  for (const player of players) await publish(player)
  await mal.frame.evaluate(() => seat.intruder.join())
  await mal.frame.waitForFunction((count) => seat.intruder.overheard.size === count, 2 * players.length)
  const overheard = await mal.frame.evaluate(() => [...seat.intruder.overheard])
  const consume = ({ frame }: Player, track: string) => frame.evaluate((track) => seat.intruder.consume(track), track)
  const ask = (method: string, params: unknown) =>
    mal.frame.evaluate(([method, params]) => seat.intruder.ask(method, params), [method, params] as const)
  // All but one: of that it only knows the id.
  const taken = overheard.slice(1)
  for (const track of taken) expect(await consume(mal, track)).not.toHaveProperty('refused')
  await growsBy(mal, FRAMES)

  // By the second night somebody is dead and sees all: the tracks flow, but not to the living.
  const everyone = [...players, mal, ned]
  await host.frame.evaluate(() => seat.room.start())
  await isIn(everyone, 'night')
  const guilty = await until(async () => {
    for (const player of everyone) if (await player.frame.evaluate(isGuilty)) return player
    return null
  }, 'the mafia')
  const [victim = expect.fail(), next = expect.fail(), ...others] = players.filter((player) => player !== guilty)
  await vote(guilty, victim)
  await isIn(everyone, 'day')
  for (const player of new Set([guilty, next, ...others, mal, ned])) await vote(player, player)
  await isIn(everyone, 'night')
  await growsBy(victim, FRAMES)
  const night = await arrivedAt(mal)
  const refusals: unknown[] = []
  for (const track of [...overheard, randomUUID(), 'camera']) refusals.push(await consume(mal, track))
  expect(refusals[0]).toMatchObject({ refused: 'forbidden' })
  expect(
    new Set(refusals.map((each) => JSON.stringify(each))).size,
    'hidden or not there: told in the same words',
  ).toBe(1)

  const consumers = await mal.frame.evaluate(() => seat.intruder.consumers)
  expect(consumers).toHaveLength(taken.length)
  for (const consumer of consumers) {
    await ask('media.resume', { consumer })
    await ask('media.layers', { consumer, spatial: 2 })
    await ask('media.suspend', { consumer })
    await ask('media.resume', { consumer })
  }
  for (const track of overheard)
    for (const [method, params] of [
      ['media.close', { track }],
      ['media.mute', { track, muted: false }],
    ] as const)
      expect(await ask(method, params), method).toMatchObject({ refused: 'forbidden' })
  expect(await ask('media.stats', {}), 'the server counts nothing for it').toEqual({ value: { send: [], receive: [] } })
  await growsBy(victim, FRAMES)
  expect((await arrivedAt(mal)).bytes, 'what came by night').toBe(night.bytes)

  // Somebody else, whose peer never had anything, is told the ids.
  await ned.frame.evaluate(() => seat.intruder.join())
  for (const track of overheard) expect(await consume(ned, track)).toMatchObject({ refused: 'forbidden' })
  expect(await arrivedAt(ned)).toEqual({ bytes: 0, frames: 0 })

  await vote(guilty, next)
  await isIn([mal], 'day')
  // What it has asked for flows by itself where the rules allow it: it was them alone that held it.
  await growsBy(mal, FRAMES)
})
