import { pino } from 'pino'
import type { Bus } from '../bus/bus.ts'
import { connect, type Session } from '../client/client.ts'
import { seededChance } from '../client/testing/chance.ts'
import { ONLINE } from '../client/testing/network.ts'
import { createGateway, type Gateway } from '../gateway/gateway.ts'
import { memoryEdge } from '../gateway/testing/memory.ts'
import type { Chance } from '../protocol/clock.ts'
import type { VirtualClock } from './virtual-clock.ts'

export interface VirtualGateway {
  readonly gateway: Gateway
  /** A session of the SDK on a socket in memory; the name is its token, and its player's id. */
  sit(name: string): Session
  close(): void
}

/** Returns a gateway in this process and in virtual time. */
export const startVirtualGateway = (options: {
  id: string
  bus: Bus
  clock: VirtualClock
  chance: Chance
  clusterKey: Uint8Array
}): VirtualGateway => {
  const { clock } = options
  const edge = memoryEdge(clock)
  const gateway = createGateway({
    ...options,
    authenticator: { verify: async (name) => ({ id: name, name, guest: false }) },
    publish: edge.publish,
    limits: { frame: 16_384, rate: 50 },
    log: pino({ level: 'silent' }),
  })
  const sessions: Session[] = []
  return {
    gateway,
    sit(name) {
      const session = connect({
        url: 'http://madang.test',
        token: name,
        transport: 'websocket',
        clock,
        chance: seededChance(sessions.length + 1),
        network: ONLINE,
        fetch: () => Promise.reject(new Error('nobody asks by HTTP')),
        socket: (_url, listener) => {
          const client = edge.connect(gateway)
          client.onFrame = (frame) => listener.message(frame)
          client.onClose = (code, reason) => listener.closed(code, reason)
          clock.soon(() => listener.opened())
          return { send: (frame) => client.send(frame), close: (code) => client.close(code), buffered: 0 }
        },
      })
      sessions.push(session)
      return session
    },
    close() {
      for (const session of sessions) session.close()
      gateway.close()
    },
  }
}

/** Lets virtual time run until the promise is settled. */
export const settledIn = async <T>(clock: VirtualClock, promise: Promise<T>): Promise<T> => {
  let done = false
  const mark = () => {
    done = true
  }
  promise.then(mark, mark)
  await clock.runUntil(() => done)
  return promise
}
