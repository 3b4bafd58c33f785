import { pino } from 'pino'
import type { Bus } from '../../bus/bus.ts'
import { localBus } from '../../bus/local.ts'
import type { Message } from '../../bus/messages.ts'
import type { Chance } from '../../protocol/clock.ts'
import { decode, encode } from '../../protocol/codec.ts'
import { Refusal } from '../../protocol/errors.ts'
import { virtualClock } from '../../test/virtual-clock.ts'
import { createGateway, type GatewayOptions } from '../gateway.ts'
import type { Authenticator } from '../identity.ts'
import type { Origin } from '../socket.ts'
import { ScriptedEngine } from './engine.ts'
import { type MemoryClient, memoryEdge } from './memory.ts'

/** Numbers in sequence: never the same twice. */
const countingChance = (): Chance => {
  let count = 0
  return {
    uint32: () => ++count,
    bytes(n) {
      const bytes = new Uint8Array(n)
      new DataView(bytes.buffer).setUint32(0, ++count)
      return bytes
    },
  }
}

/** Tokens are `guest:<id>` or `player:<id>`; everything else is refused. */
export const plainAuthenticator: Authenticator = {
  async verify(token) {
    const [kind, id] = token.split(':')
    if (!id || (kind !== 'guest' && kind !== 'player')) throw new Refusal('unauthorized', 'not a token of this test')
    return { id, name: id, guest: kind === 'guest' }
  },
}

export interface TestClient {
  socket: MemoryClient
  received: unknown[][]
  closed: { code: number; reason: string } | null
  send(...frames: unknown[][]): void
  /** What came since the last call. */
  take(): unknown[][]
}

/** A gateway with sockets in memory, a scripted engine, and time that stands still. */
export const rig = (options: Partial<GatewayOptions> = {}) => {
  const time = virtualClock()
  /** Lets everything go on that can without time passing. */
  const settle = () => time.advance(0)
  const edge = memoryEdge(time)
  const local = localBus()
  /** What the bus loses: a test replaces it. */
  const faults = { loses: (_subject: string, _message: Message) => false }
  const bus: Bus = {
    ...local,
    publish(subject, message) {
      if (!faults.loses(subject, message)) local.publish(subject, message)
    },
  }
  const id = 'gateway-1'
  const gateway = createGateway({
    id,
    bus,
    clock: time,
    chance: countingChance(),
    authenticator: plainAuthenticator,
    publish: edge.publish,
    clusterKey: new Uint8Array(32).fill(7),
    limits: { frame: 16_384, rate: 50 },
    log: pino({ level: 'silent' }),
    ...options,
  })
  const engine = new ScriptedEngine(bus, id)

  const connect = (origin?: Partial<Origin>): TestClient => {
    const socket = edge.connect(gateway, origin)
    let taken = 0
    const client: TestClient = {
      socket,
      received: [],
      closed: null,
      send(...frames) {
        for (const frame of frames) socket.send(encode(frame))
      },
      take() {
        const fresh = client.received.slice(taken)
        taken = client.received.length
        return fresh
      },
    }
    socket.onFrame = (bytes) => {
      const frame = decode(bytes, { bytes: 8_388_608, depth: 32 })
      client.received.push(Array.isArray(frame) ? frame : [frame])
    }
    socket.onClose = (code, reason) => {
      client.closed = { code, reason }
    }
    return client
  }

  /** A client that has had its WELCOME. */
  const online = async (player: string, session = `session-of-${player}-0000000`): Promise<TestClient> => {
    const client = connect()
    client.send([1, { v: 1, token: `player:${player}`, session }])
    await settle()
    client.take()
    return client
  }

  /** A client that stands in this room at seq 1. */
  const member = async (player: string, room: string, role: 'player' | 'spectator' = 'player'): Promise<TestClient> => {
    const client = await online(player)
    client.send([3, 1, room, { role }])
    await settle()
    client.take()
    return client
  }

  return { time, settle, edge, bus, faults, gateway, engine, connect, online, member }
}
