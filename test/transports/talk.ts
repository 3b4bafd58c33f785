import { expect } from 'vitest'
import { MadangError, type Session, type TransportName } from '../../client/client.ts'
import { until } from '../program.ts'
import type { RoomPast } from '../sim/checks/past.ts'
import type { Dice } from '../sim/dice.ts'
import type yard from '../wire/testing/yard/rules.ts'
import { pastOf, wrongIn } from './reference.ts'
import { enter, type Seen, type Shown } from './seats.ts'

type Yard = typeof yard

/** A move: what was sent, and at which seq it was acknowledged. */
interface Acknowledged {
  readonly text: string
  readonly seq: number
}

/** Somebody who says and shouts, each word once in the world, until told to stop; who can change transport meanwhile. */
export class Talker {
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
    this.#isOver = false
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
    await this.session.use(transport).catch((error: unknown) => {
      // The connection was lost meanwhile: once more.
      if (!(error instanceof MadangError) || error.code !== 'unavailable') throw error
      return this.session.use(transport)
    })
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

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The moves of a room that its log holds, in order. */
const movesOf = ({ events }: RoomPast): Acknowledged[] =>
  events.flatMap(({ seq, input }) =>
    input.type === 'move' ? [{ text: String(Reflect.get(Object(input.payload), 'text')), seq }] : [],
  )

/** Everybody stops and is level in the end, and nothing was lost, doubled or out of order for anyone. Resolves with how many moves there were. */
export const settle = async (
  log: Parameters<typeof pastOf>[0],
  room: string,
  talkers: readonly Talker[],
): Promise<number> => {
  await Promise.all(talkers.map((talker) => talker.stop()))
  const past = await pastOf(log, room)
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

/** A room of yard in which each of these talks at once. */
export const talking = async (sessions: readonly Session[], dice: Dice): Promise<{ id: string; talkers: Talker[] }> => {
  const id = (await sessions[0]?.create('yard')) ?? expect.fail()
  const talkers: Talker[] = []
  for (const session of sessions) talkers.push(new Talker(session, await enter<Yard>(session, id), dice))
  for (const [i, talker] of talkers.entries()) talker.talk(`${id} ${i}`)
  return { id, talkers }
}
