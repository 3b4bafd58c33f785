import { describe, expect, test } from 'vitest'
import type { Session } from '../../client/client.ts'
import { TRANSPORTS } from '../../client/link.ts'
import { Dice } from '../sim/dice.ts'
import { programOfThisFile } from '../wire/program.ts'
import { PROGRAM, sit } from './seats.ts'
import { settle, talking } from './talk.ts'

const program = await programOfThisFile(...PROGRAM)
const { url } = program

describe('P1 to P3 a change of transport in the middle of a game loses, doubles and reorders nothing', () => {
  const pairs = TRANSPORTS.flatMap((from) => TRANSPORTS.filter((to) => to !== from).map((to) => ({ from, to })))

  test.concurrent.each(pairs)('from $from to $to and back, five times', async ({ from, to }) => {
    const dice = new Dice(1, `${from} ${to}`)
    const { id, talkers } = await talking([await sit(url, 'Ann', from), await sit(url, 'Bob', 'websocket')], dice)
    for (let times = 0; times < 5; times++) {
      await talkers[0]?.use(to)
      await talkers[0]?.use(from)
    }
    expect(await settle(program.data, id, talkers)).toBeGreaterThan(10)
    for (const { session } of talkers) session.close()
  })
})

const SWITCHES = 1_000
const ROOMS = 6
const SEATS = 4

test(`P1 to P3 ${SWITCHES} changes of transport under play: 0 lost, 0 doubled`, { timeout: 300_000 }, async () => {
  const dice = new Dice(1, 'switches')
  const tables = await Promise.all(
    Array.from({ length: ROOMS }, async (_, table) => {
      const sessions: Session[] = []
      for (let i = 0; i < SEATS; i++) sessions.push(await sit(url, `Guest ${table} ${i}`, dice.pick(TRANSPORTS)))
      return talking(sessions, dice)
    }),
  )
  const all = tables.flatMap(({ talkers }) => talkers)
  const began = performance.now()
  let begun = 0
  await Promise.all(
    all.map(async (talker) => {
      while (begun < SWITCHES) {
        begun += 1
        await talker.use(dice.pick(TRANSPORTS.filter((transport) => transport !== talker.session.transport.current)))
      }
    }),
  )
  const took = Math.round(performance.now() - began)
  const moves = await Promise.all(tables.map(({ id, talkers }) => settle(program.data, id, talkers)))
  const switches = all.reduce((sum, talker) => sum + talker.switches, 0)
  expect(switches).toBe(SWITCHES)
  const acknowledged = moves.reduce((sum, each) => sum + each, 0)
  console.log(`${switches} switches in ${took} ms, ${acknowledged} acknowledged moves, 0 lost, 0 doubled`)
  for (const { session } of all) session.close()
})
