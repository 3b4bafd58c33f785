import { performance } from 'node:perf_hooks'
import { encode } from '../../protocol/codec.ts'
import { OP } from '../../protocol/frames.ts'
import { sleep } from './figures.ts'
import { afterText, integerAt, widthAt } from './heads.ts'
import { addressOf, many, Player } from './player.ts'
import { REF_AT } from './relayed.ts'
import { cpuBetween, type Server, startOurs, startRaw } from './server.ts'
import { masked, Wire } from './wire.ts'

const SEATS = 8
const AT_ONCE = 8
/** Moves of one room that may be on their way at once, and refs whose time of sending is kept: powers of two. */
const WINDOW = 8_192
const REFS = 2 ** 20
const DRAIN_MS = 3_000
/** After the last moves of `saturate`, which are not counted. */
const SETTLE_MS = 300
/** Bytes of a masked frame's head, for messages of up to 125 bytes. */
const WS_HEAD = 6

/** What one slice of a steady load showed. */
export interface Slice {
  sent: number
  /** Moves that all eight players of the room saw, and whose OK came. */
  seen: number
  /** ERRs. */
  failed: number
  /** From when a move was to be sent until the last of its room's players saw it, ms. */
  latencies: Float64Array
  /** CPU of the server in the slice: its main thread, all others. */
  mainMicros: number
  otherMicros: number
  /** Share of the time in which its main thread was ready to run and had no core: other work on the machine. */
  waited: number
  /** Share of the time in which the generator's event loop was busy. */
  busy: number
  /** How late the generator sent at worst, ms. */
  lag: number
}

/** What players showed who each sent the next move when the last one was answered. */
export interface Saturated {
  /** Moves that all eight players of their rooms saw, a second. */
  rate: number
  latencies: Float64Array
  failed: number
}

export interface Load {
  slice(rate: number, ms: number): Promise<Slice>
  saturate(ms: number): Promise<Saturated>
  /** Mean bytes of the PATCHes that came so far. */
  patchBytes(): number
}

export interface LoadOptions {
  server: Pick<Server, 'port' | 'cpu'>
  rooms: number
  /** Set where the server is the raw relay. */
  raw: { patchBytes: number } | null
}

/** The moves of one room that are under way, by seq. */
class Room {
  readonly #sent = new Float64Array(WINDOW)
  readonly #last = new Float64Array(WINDOW)
  readonly #seen = new Uint8Array(WINDOW)
  readonly #onDone: (latency: number) => void

  constructor(onDone: (latency: number) => void) {
    this.#onDone = onDone
  }

  /** One player's document went from `from` to `to`. */
  patched(from: number, to: number, now: number): void {
    for (let seq = from + 1; seq <= to; seq++) {
      const at = seq & (WINDOW - 1)
      this.#seen[at] = (this.#seen[at] ?? 0) + 1
      this.#last[at] = now
      this.#look(at)
    }
  }

  /** The move that was to be sent at `sent` is logged as `seq`. */
  logged(seq: number, sent: number): void {
    const at = seq & (WINDOW - 1)
    this.#sent[at] = sent
    this.#look(at)
  }

  #look(at: number): void {
    const sent = this.#sent[at] ?? 0
    if (this.#seen[at] !== SEATS || sent === 0) return
    this.#onDone((this.#last[at] ?? 0) - sent)
    this.#seen[at] = 0
    this.#sent[at] = 0
  }
}

interface Seat {
  wire: Wire
  /** A whole masked MOVE; ref, cell and value are written into copies of it. */
  move: Buffer
}

/** Opens the rooms, seats their players and resolves once all may move. */
export const openLoad = async ({ server, rooms, raw }: LoadOptions): Promise<Load> => {
  const sentAt = new Float64Array(REFS)
  let patches = { count: 0, bytes: 0 }
  let latencies: number[] = []
  let failed = 0
  let ref = 1_000
  /** Who has an answer goes on, while players are to send one move after another. */
  let goesOn: ((seat: Seat) => void) | null = null

  const seats = await many(rooms, AT_ONCE, async (nth) => {
    const room = new Room((latency) => latencies.push(latency))
    const { id, wires } = raw === null ? await seatOurs(server, nth) : await seatRaw(server, nth, raw.patchBytes)
    return wires.map((wire): Seat => {
      const seat = { wire, move: moveOf(id) }
      wire.onMessage = (bytes, at, end) => {
        const op = bytes[at + 1]
        if (op === OP.patch) {
          patches.count += 1
          patches.bytes += end - at
          const from = afterText(bytes, at + 2)
          room.patched(integerAt(bytes, from), integerAt(bytes, from + widthAt(bytes, from)), performance.now())
        } else if (op === OP.ok) {
          const of = integerAt(bytes, at + 2)
          room.logged(integerAt(bytes, at + 2 + widthAt(bytes, at + 2)), sentAt[of & (REFS - 1)] ?? 0)
          goesOn?.(seat)
        } else if (op === OP.err) failed += 1
      }
      return seat
    })
  })
  const all = seats.flat()
  let chance = 12_345

  const random = (): number => {
    chance = (Math.imul(chance, 1_103_515_245) + 12_345) >>> 0
    return chance
  }
  const send = ({ wire, move }: Seat, intended: number): void => {
    ref += 1
    const frame = Buffer.from(move)
    frame.writeUInt32BE(ref, WS_HEAD + REF_AT)
    frame[frame.length - VALUE_TAIL] = chance & 63
    frame.writeUInt32BE(chance, frame.length - 4)
    sentAt[ref & (REFS - 1)] = intended
    wire.write(frame)
  }

  return {
    patchBytes: () => Math.round(patches.bytes / Math.max(1, patches.count)),

    async slice(rate, ms) {
      latencies = []
      failed = 0
      patches = { count: 0, bytes: 0 }
      const cpu = server.cpu()
      const usage = performance.eventLoopUtilization()
      const began = performance.now()
      const count = Math.round((rate * ms) / 1_000)
      let sent = 0
      let lag = 0
      while (sent < count) {
        const now = performance.now()
        const due = Math.min(count, Math.floor(((now - began) * rate) / 1_000))
        for (; sent < due; sent++) {
          const intended = began + (sent * 1_000) / rate
          lag = Math.max(lag, now - intended)
          send(all[(random() >>> 8) % all.length] as Seat, intended)
        }
        await sleep(1)
      }
      const { utilization } = performance.eventLoopUtilization(usage)
      const patience = performance.now() + DRAIN_MS
      while (latencies.length + failed < sent && performance.now() < patience) await sleep(5)
      const { main, others, waited } = cpuBetween(cpu, server.cpu())
      return {
        sent,
        seen: latencies.length,
        failed,
        latencies: Float64Array.from(latencies),
        mainMicros: main,
        otherMicros: others,
        waited: waited / 1_000 / (performance.now() - began),
        busy: utilization,
        lag,
      }
    },

    async saturate(ms) {
      latencies = []
      failed = 0
      const began = performance.now()
      goesOn = (seat) => {
        random()
        send(seat, performance.now())
      }
      for (const seat of all) goesOn(seat)
      await sleep(ms)
      goesOn = null
      const rate = (latencies.length * 1_000) / (performance.now() - began)
      const seen = Float64Array.from(latencies)
      await sleep(SETTLE_MS)
      return { rate, latencies: seen, failed }
    },
  }
}

/** Both servers at once: the one that is not measured does nothing meanwhile. */
export const startPair = async (): Promise<{ raw: Server; ours: Server; stop(): Promise<void> }> => {
  const [raw, ours] = await Promise.all([startRaw(), startOurs()])
  const stop = async () => {
    await Promise.all([raw.stop(), ours.stop()])
  }
  return { raw, ours, stop }
}

const seatOurs = async ({ port }: Pick<Server, 'port'>, nth: number): Promise<{ id: string; wires: Wire[] }> => {
  const players = await many(SEATS, SEATS, (seat) => Player.enter(port, nth * SEATS + seat))
  const id = (await players[0]?.create('bench')) ?? ''
  for (const player of players) await player.join(id)
  return { id, wires: players.map(({ wire }) => wire) }
}

const seatRaw = async (
  { port }: Pick<Server, 'port'>,
  nth: number,
  patchBytes: number,
): Promise<{ id: string; wires: Wire[] }> => {
  const id = `room-${nth}`.padEnd(26, 'x')
  const path = `/relay?room=${id}&patch=${patchBytes}`
  return { id, wires: await many(SEATS, SEATS, (seat) => Wire.open(port, path, addressOf(nth * SEATS + seat))) }
}

/** `[5, ref, room, 'set', {cell, value}]`, with the ref and the value as uint32. */
const moveOf = (room: string): Buffer => {
  const parts = [
    Uint8Array.of(0x95, OP.move, 0xce, 0, 0, 0, 0),
    encode(room),
    encode('set'),
    Uint8Array.of(0x82),
    encode('cell'),
    Uint8Array.of(0),
    encode('value'),
    Uint8Array.of(0xce, 0, 0, 0, 0),
  ]
  return masked(Buffer.concat(parts))
}
/** From the end of a MOVE back to its cell. */
const VALUE_TAIL = 5 + 6 + 1
