import { afterAll, describe, expect, test } from 'vitest'
import type { Session, TransportName } from '../../client/client.ts'
import { TRANSPORTS } from '../../client/link.ts'
import { startMadang, temporaryFolder, until } from '../program.ts'
import type { RoomPast } from '../sim/checks/past.ts'
import { Dice } from '../sim/dice.ts'
import type yard from '../wire/testing/yard/rules.ts'
import { pastOf, wrongIn } from './reference.ts'
import { enter, PROGRAM, type Seen, type Shown, sit } from './seats.ts'

type Yard = typeof yard

/** A whole move: what was sent, and at which seq it was acknowledged. */
interface Acknowledged {
  readonly text: string
  readonly seq: number
}

/** Somebody who says and shouts, each word once in the world, until told to stop; who can change transport meanwhile. */
class Talker {
  readonly session: Session
  readonly seen: Seen<Yard>
  readonly acknowledged: Acknowledged[] = []
  readonly wrong: string[] = []
  switches = 0
  readonly #dice: Dice
  #isOver = false
  #running: Promise<unknown> = Promise.resolve()

  constructor(session: Session, seen: Seen<Yard>, dice: Dice) {
    this.session = session
    this.seen = seen
    this.#dice = dice
  }

  talk(name: string): void {
    // Two at once: answers and documents of several moves are under way when the transport changes.
    this.#running = Promise.all([this.#talk(`${name} a`), this.#talk(`${name} b`)])
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  /** Changes the transport at a random moment. */
  async use(transport: TransportName): Promise<void> {
    await pause(this.#dice.between(0, 300))
    await this.session.use(transport)
    this.switches += 1
    if (this.session.transport.current !== transport)
      this.wrong.push(`changed to ${this.session.transport.current} and not to ${transport}`)
  }

  async #talk(name: string): Promise<void> {
    const { room } = this.seen
    for (let n = 1; !this.#isOver; n++) {
      const text = `${name} ${n}`
      const says = this.#dice.may(0.5)
      const seq = says ? await room.move.say({ text }) : await room.move.shout({ text })
      this.acknowledged.push({ text, seq })
      if (says && room.seq < seq) this.wrong.push(`${text} resolved at ${seq} while ${room.seq} was shown`)
      await pause(this.#dice.between(100, 300))
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The moves of a room that its log holds, in order. */
const movesOf = ({ events }: RoomPast): Acknowledged[] =>
  events.flatMap(({ seq, input }) =>
    input.type === 'move' ? [{ text: String(Reflect.get(Object(input.payload), 'text')), seq }] : [],
  )

/** Everybody stops, documents become level, and nothing is lost, doubled or out of order for anyone. */
const settle = async (data: string, room: string, talkers: readonly Talker[]): Promise<number> => {
  await Promise.all(talkers.map((talker) => talker.stop()))
  const past = await pastOf(data, room)
  const last = (emits: Shown['emits']): number => emits.at(-1)?.seq ?? 0
  const shouted = Math.max(0, ...past.events.flatMap(({ seq, emits }) => (emits.length > 0 ? [seq] : [])))
  const said = past.changed(past.seq, talkers[0]?.session.player?.id ?? '')
  await until(
    () => talkers.every(({ seen }) => seen.room.seq >= said && last(seen.emits) >= Math.min(shouted, past.seq)),
    `everybody to be level at ${said} and to have heard ${shouted}`,
  )
  const acknowledged = talkers.flatMap((talker) => talker.acknowledged).toSorted((a, b) => a.seq - b.seq)
  expect(movesOf(past)).toEqual(acknowledged)
  const wrong = talkers.map(({ session, seen, wrong }) => [...wrong, ...wrongIn(past, session.player?.id ?? '', seen)])
  expect(wrong).toEqual(talkers.map(() => []))
  return acknowledged.length
}

const data = temporaryFolder()
const program = await startMadang(['--data', data.path, ...PROGRAM])
const { url } = program
afterAll(async () => {
  await program.kill()
  data[Symbol.dispose]()
})

describe('P1 to P3 a change of transport in the middle of a game loses, doubles and reorders nothing', () => {
  const pairs = TRANSPORTS.flatMap((from) => TRANSPORTS.filter((to) => to !== from).map((to) => ({ from, to })))

  test.concurrent.each(pairs)('from $from to $to and back, five times', async ({ from, to }) => {
    const dice = new Dice(1, `${from} ${to}`)
    const ann = await sit(url, 'Ann', from)
    const bob = await sit(url, 'Bob', 'websocket')
    const id = await ann.create('yard')
    const talkers = [
      new Talker(ann, await enter<Yard>(ann, id), dice),
      new Talker(bob, await enter<Yard>(bob, id), dice),
    ]
    for (const [i, talker] of talkers.entries()) talker.talk(`talker ${i}`)
    for (let times = 0; times < 5; times++) {
      await talkers[0]?.use(to)
      await talkers[0]?.use(from)
    }
    expect(await settle(data.path, id, talkers)).toBeGreaterThan(10)
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
      const id = (await sessions[0]?.create('yard')) ?? ''
      const talkers: Talker[] = []
      for (const session of sessions) talkers.push(new Talker(session, await enter<Yard>(session, id), dice))
      return { id, talkers }
    }),
  )
  const all = tables.flatMap(({ talkers }) => talkers)
  for (const [i, talker] of all.entries()) talker.talk(`talker ${i}`)
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
  const moves = await Promise.all(tables.map(({ id, talkers }) => settle(data.path, id, talkers)))
  const switches = all.reduce((sum, talker) => sum + talker.switches, 0)
  expect(switches).toBe(SWITCHES)
  const acknowledged = moves.reduce((sum, each) => sum + each, 0)
  console.log(`${switches} switches in ${took} ms, ${acknowledged} acknowledged moves, 0 lost, 0 doubled`)
  for (const { session } of all) session.close()
})
