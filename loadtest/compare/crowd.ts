import { performance } from 'node:perf_hooks'
import { encode } from '../../protocol/codec.ts'
import { OP } from '../../protocol/frames.ts'
import { sleep } from '../bench/figures.ts'
import { addressOf, many, tokenOf } from '../bench/player.ts'
import { cpuBetween, type Server } from '../bench/server.ts'
import { chanceFrom } from './chance.ts'
import { createRoom } from './create-room.ts'
import { Flights } from './flights.ts'
import type { Link, Seat } from './link.ts'
import { openLink } from './open-link.ts'
import { emptyTally, type Tally, tallyBetween } from './tally.ts'
import type { Row } from './transports.ts'

export const SEATS = 8
const AT_ONCE = 32
const SEED = 12_345
/** How long moves may still be under way after a slice, beyond the interval of polls. */
const DRAIN_MS = 4_000

/** What a slice of play showed. */
export interface Slice {
  players: number
  ms: number
  sent: number
  /** Moves that all members saw. */
  seen: number
  /** What went wrong, and the first of it. */
  failures: number
  failure: string | null
  /** What went over the wire meanwhile. */
  tally: Tally
  /** For each move and each member but its mover, from when it was to be sent until the document with it arrived, ms. */
  latencies: Float64Array
  /** CPU of the server in the slice, µs: its main thread, all others. */
  mainMicros: number
  otherMicros: number
  /** Share of the time in which its main thread was ready to run and had no core. */
  waited: number
  /** Share of the time in which the generator's event loop was busy. */
  busy: number
}

interface Member {
  readonly seat: Seat
  readonly flights: Flights
  readonly index: number
  readonly phase: number
  link: Link | null
  /** How many links were opened; the server ends the one that is left as soon as the newest stands. */
  links: number
  since: number
  ref: number
  /** When the moves without an answer were to be sent, by ref. */
  readonly sent: Map<number, number>
}

/** Players of `bench` in rooms of eight, who play over one transport and may all change to another. */
export class Crowd {
  readonly tally: Tally = emptyTally()
  readonly #server: Server
  readonly #name: string
  readonly #members: Member[] = []
  readonly #chance = chanceFrom(SEED)
  #latencies: number[] = []
  #seen = 0
  #failures = 0
  #failure: string | null = null

  constructor(server: Server, name: string) {
    this.#server = server
    this.#name = name
  }

  get players(): number {
    return this.#members.length
  }

  /** Seats players in new rooms, over this transport, up to `players` in all. */
  async grow(players: number, row: Row): Promise<void> {
    const rooms = Math.ceil((players - this.players) / SEATS)
    const added = await many(rooms, AT_ONCE / SEATS, async () => {
      const room = await createRoom(this.#server.port)
      const flights = new Flights(SEATS, (latencies) => {
        this.#seen += 1
        this.#latencies.push(...latencies)
      })
      const first = this.#members.length
      const members = Array.from({ length: SEATS }, (_, index) => this.#member(room, flights, first + index, index))
      this.#members.push(...members)
      for (const member of members) await this.#open(member, row)
      return members
    })
    await this.#settled(added.flat())
  }

  /** Takes all players to another transport: the new link is open before the old one is left. Rejects where some could not come along. */
  async change(row: Row): Promise<void> {
    let failure: unknown = null
    const members = [...this.#members]
    await many(AT_ONCE, AT_ONCE, async () => {
      for (let member = members.pop(); member !== undefined; member = members.pop()) {
        const old = member.link
        try {
          await this.#open(member, row)
          old?.close()
        } catch (error) {
          failure ??= error
        }
      }
    })
    if (failure !== null) throw failure
  }

  /** Plays for a while: so many moves a second in each room, by players picked by a chance that is the same for each transport. */
  async play(movesPerRoom: number, ms: number, patienceMs: number): Promise<Slice> {
    for (const { flights, sent } of this.#members) {
      flights.forget()
      sent.clear()
    }
    this.#latencies = []
    this.#seen = 0
    this.#failures = 0
    this.#failure = null
    const chance = chanceFrom(SEED)
    const rate = (movesPerRoom * this.players) / SEATS
    const count = Math.round((rate * ms) / 1_000)
    const before = { ...this.tally }
    const cpu = this.#server.cpu()
    const usage = performance.eventLoopUtilization()
    const began = performance.now()
    let sent = 0
    for (let now = began; now - began < ms; now = performance.now()) {
      for (const due = Math.min(count, ((now - began) * rate) / 1_000); sent < due; sent++)
        this.#move(chance(), began + (sent * 1_000) / rate)
      await sleep(1)
    }
    const took = performance.now() - began
    const { utilization } = performance.eventLoopUtilization(usage)
    const { main, others, waited } = cpuBetween(cpu, this.#server.cpu())
    const tally = tallyBetween(before, this.tally)
    const patience = performance.now() + patienceMs + DRAIN_MS
    while (this.#seen < sent && this.#failures === 0 && performance.now() < patience) await sleep(5)
    return {
      players: this.players,
      ms: took,
      sent,
      seen: this.#seen,
      failures: this.#failures,
      failure: this.#failure,
      tally,
      latencies: Float64Array.from(this.#latencies),
      mainMicros: main,
      otherMicros: others,
      waited: waited / 1_000 / took,
      busy: utilization,
    }
  }

  close(): void {
    for (const { link } of this.#members) link?.close()
  }

  #member(room: string, flights: Flights, nth: number, index: number): Member {
    const player = `${this.#name}-${nth}`
    const session = `${player}-session`.padEnd(22, '0')
    const seat = { port: this.#server.port, address: addressOf(nth), token: tokenOf(player), session, room }
    const phase = this.#chance() / 2 ** 32
    return { seat, flights, index, phase, link: null, links: 0, since: 0, ref: 0, sent: new Map() }
  }

  async #open(member: Member, row: Row): Promise<void> {
    const { seat, since, phase } = member
    member.ref += 1
    member.links += 1
    const nth = member.links
    member.link = await openLink(row, {
      seat,
      since,
      ref: member.ref,
      tally: this.tally,
      phase,
      on: {
        shown: (seq) => {
          member.since = Math.max(member.since, seq)
          member.flights.shown(member.index, seq, performance.now())
        },
        answered: (ref, seq) => {
          const intended = member.sent.get(ref)
          if (intended === undefined || seq === null) return
          member.sent.delete(ref)
          member.flights.logged(member.index, seq, intended)
        },
        failed: (why) => {
          if (nth < member.links) return
          this.#failures += 1
          this.#failure ??= `${row.title}: ${why}`
        },
      },
    })
  }

  /** Resolves once all have the documents of full rooms: the logs begin with the creation, then come the joins. */
  async #settled(members: readonly Member[]): Promise<void> {
    const patience = performance.now() + 10_000
    while (members.some(({ since }) => since <= SEATS)) {
      if (this.#failure !== null) throw new Error(this.#failure)
      if (performance.now() > patience) throw new Error('some players never saw their room full')
      await sleep(10)
    }
  }

  #move(chance: number, intended: number): void {
    const member = this.#members[(chance >>> 8) % this.#members.length]
    if (member?.link === null || member === undefined) return
    member.ref += 1
    member.sent.set(member.ref, intended)
    member.link.send(encode([OP.move, member.ref, member.seat.room, 'set', { cell: chance & 63, value: chance }]))
  }
}
