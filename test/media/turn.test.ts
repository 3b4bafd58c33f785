import { expect, test } from 'vitest'
import { type Allowed, expectFlows } from './flows.ts'
import { enter, publish, studioOfThisFile } from './studio.ts'
import { TURNSERVER, turnServerOfThisFile } from './turnserver.ts'

const PASSWORD = 'one: two@three'

const host = TURNSERVER === null ? 'turn.example' : await turnServerOfThisFile('ann', PASSWORD)
const studio = await studioOfThisFile('--ice-servers', `turn:ann:${encodeURIComponent(PASSWORD)}@${host}`)

const everybody: Allowed = { see: () => true, hear: () => true }

test.skipIf(TURNSERVER === null)(
  'where nothing but a TURN server can be reached, media goes through it both ways',
  async () => {
    const page = await studio.page()
    const players = [await studio.sit(page, 'Ann'), await studio.sit(page, 'Bob')] as const
    for (const { frame } of players) await frame.evaluate(() => seat.limit('relay'))
    const [ann] = players
    const room = await ann.frame.evaluate(() => seat.session.create('mafia'))
    for (const each of players) await enter(each, room)
    for (const each of players) await publish(each)
    await expectFlows('through TURN', players, players, everybody, () => studio.carried(room))
    for (const { frame } of players) {
      const paths = await frame.evaluate(() => seat.pathsInUse())
      expect(paths.map(({ near, protocol }) => ({ near, protocol }))).toEqual([
        { near: 'relay', protocol: 'udp' },
        { near: 'relay', protocol: 'udp' },
      ])
    }
  },
  240_000,
)
