import { createHmac } from 'node:crypto'
import { decode, encode, SERVER_LIMITS } from '../../protocol/codec.ts'
import { OP, type Ref } from '../../protocol/frames.ts'
import { SECRET } from './server.ts'
import { masked, Wire } from './wire.ts'

const PLAYERS_PER_ADDRESS = 1_000

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const HEADER = part({ alg: 'HS256', typ: 'JWT' })

/** Returns the token under which a server of `startOurs` knows this player. */
export const tokenOf = (player: string): string => {
  const body = `${HEADER}.${part({ sub: player, name: player })}`
  return `${body}.${createHmac('sha256', SECRET).update(body).digest('base64url')}`
}

/** A loopback address for the nth connection: no address has more ports than a few ten thousand. */
export const addressOf = (nth: number): string => `127.0.1.${1 + (Math.floor(nth / PLAYERS_PER_ADDRESS) % 250)}`

/** A player on a socket that has been welcomed. */
export class Player {
  readonly id: string
  readonly wire: Wire
  #ref = 0

  private constructor(id: string, wire: Wire) {
    this.id = id
    this.wire = wire
  }

  static async enter(port: number, nth: number): Promise<Player> {
    const id = `player-${nth}`
    const wire = await Wire.open(port, '/v1/ws', addressOf(nth))
    const welcomed = wire.next((bytes) => bytes[1] === OP.welcome)
    wire.write(masked(encode([OP.hello, { v: 1, token: tokenOf(id) }])))
    await welcomed
    return new Player(id, wire)
  }

  /** Sends `[op, ref, …rest]`; resolves with the OK's value. */
  async ask(op: number, ...rest: unknown[]): Promise<unknown> {
    this.#ref += 1
    const answer = this.#answer(this.#ref)
    this.wire.write(masked(encode([op, this.#ref, ...rest])))
    const frame = await answer
    if (frame[0] !== OP.ok) throw new Error(`${JSON.stringify([op, ...rest])} was answered ${JSON.stringify(frame)}`)
    return frame[2]
  }

  /** Sends it as `ask` does, without waiting for the answer. */
  tell(op: number, ...rest: unknown[]): void {
    this.#ref += 1
    this.wire.write(masked(encode([op, this.#ref, ...rest])))
  }

  async create(game: string, options?: unknown): Promise<string> {
    const value = await this.ask(OP.create, game, ...(options === undefined ? [] : [options]))
    if (typeof value === 'object' && value !== null && 'room' in value) return String(value.room)
    throw new Error('CREATE was answered without a room')
  }

  async join(room: string, role?: 'spectator'): Promise<void> {
    await this.ask(OP.join, room, ...(role === undefined ? [] : [{ role }]))
  }

  async #answer(ref: Ref): Promise<unknown[]> {
    let frame: unknown = null
    await this.wire.next((bytes) => {
      if (bytes[1] !== OP.ok && bytes[1] !== OP.err) return false
      frame = decode(bytes, SERVER_LIMITS)
      return Array.isArray(frame) && frame[1] === ref
    })
    return Array.isArray(frame) ? frame : []
  }
}

/** Calls `make` for 0…count-1, `at` of them at once, and resolves with what they made, in order. */
export const many = async <T>(count: number, at: number, make: (nth: number) => Promise<T>): Promise<T[]> => {
  const made: T[] = []
  let next = 0
  const work = async () => {
    for (let nth = next++; nth < count; nth = next++) made[nth] = await make(nth)
  }
  await Promise.all(Array.from({ length: at }, work))
  return made
}
