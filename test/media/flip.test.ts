import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Room } from '../../client/client.ts'
import type mafia from '../../games/mafia/rules.ts'
import { until } from '../program.ts'
import { pastOf } from '../transports/reference.ts'
import type { Arrived } from './seat.ts'
import { enter, type Player, publish, studioOfThisFile } from './studio.ts'

const studio = await studioOfThisFile()

const NIGHTS = 5
/** What a machine that has much else to do may take; the aim is 50 ms. */
const MOST_MS = 1_000

/** Tracks that flow bring something in less. */
const STILL_MS = 400

/** Nobody votes by night, and each for himself by day: everybody lives on. */
const OPTIONS = { night: 5, day: 3600 }

const isIn = (player: Player, phase: string): Promise<unknown> =>
  player.frame.waitForFunction((phase) => (seat.room as Room<typeof mafia>).document.game?.phase === phase, phase)

/** Resolves once more frames of each other one have come. */
const sees = async ({ frame, name }: Player, others: number): Promise<void> => {
  const count = async (): Promise<number[]> =>
    (await frame.evaluate(() => seat.arrived())).filter(({ kind }) => kind === 'video').map(({ frames }) => frames)
  const before = await count()
  await until(async () => {
    const now = await count()
    return now.length === others && now.every((frames, at) => frames > (before[at] ?? 0) + 2)
  }, `everybody to be seen by ${name}`)
}

/** When the last packet of each track came to each of them, once no more come. */
const lastPackets = async (players: readonly Player[]): Promise<number[]> => {
  const look = async () => (await Promise.all(players.map(({ frame }) => frame.evaluate(() => seat.arrived())))).flat()
  const bytesOf = (all: readonly Arrived[]): number => all.reduce((sum, { bytes }) => sum + bytes, 0)
  let before = await look()
  return until(async () => {
    await sleep(STILL_MS)
    const now = await look()
    const isStill = bytesOf(now) === bytesOf(before)
    before = now
    return isStill ? now.map(({ last }) => last) : null
  }, 'the night to be still')
}

test(`night falls ${NIGHTS} times: from the event's time to the last packet that somebody may not have any more is less than ${MOST_MS} ms`, {
  timeout: 240_000,
}, async () => {
  const page = await studio.page()
  const players: Player[] = []
  for (const name of ['Ann', 'Bob', 'Cho', 'Dan', 'Eli']) players.push(await studio.sit(page, name))
  const [host = expect.fail()] = players
  const room = await host.frame.evaluate((options) => seat.session.create('mafia', options), OPTIONS)
  for (const each of players) await enter(each, room)
  for (const each of players) await publish(each)

  const lasts: (readonly number[])[] = []
  for (let nights = 1; nights <= NIGHTS; nights++) {
    for (const player of players) await sees(player, players.length - 1)
    if (nights === 1) await host.frame.evaluate(() => seat.room.start())
    else
      for (const { frame, id } of players)
        await frame.evaluate((target) => (seat.room as Room<typeof mafia>).move.vote({ target }), id)
    for (const player of players) await isIn(player, 'night')
    lasts.push(await lastPackets(players))
    for (const player of players) await isIn(player, 'day')
  }
  const past = await pastOf(studio.program.data, room)
  const phases = past.events.map(({ seq }) => JSON.parse(past.document(seq, host.id) ?? '{}').game?.phase)
  const nightfalls = past.events.filter((_, at) => phases[at] === 'night' && phases[at - 1] !== 'night')
  expect(nightfalls).toHaveLength(NIGHTS)
  const late = lasts.map((last, night) => last.map((each) => Math.round(each - (nightfalls[night]?.input.at ?? 0))))
  const most = late.map((each) => Math.max(...each))
  console.log(`the last packet of all came ${most.join(', ')} ms after the event`)
  expect(late.flat()).toHaveLength(NIGHTS * players.length * (players.length - 1) * 2)
  expect(Math.max(...most)).toBeLessThan(MOST_MS)
})
